package zoom

import (
	"context"
	"encoding/json"

	"roomkiosk/internal/rooms"
)

// take acts on what was read. A fault means that the connection won't do.
func (l *listener) take(ctx context.Context, raw []byte) *rooms.Fault {
	desk := l.s.c.desk
	if l.confirmed {
		l.silence.set(silenceWait)
	}
	if raw == nil {
		return nil
	}
	f, ok := parseFrame(raw)
	if !ok {
		desk.malformed.Add(1)
		return nil
	}
	switch f.Module {
	case moduleBuild:
		return l.built(f)
	case moduleHeartbeat:
	case moduleMessage:
		if e, ok := f.event(); ok {
			l.s.c.hear(ctx, e)
		} else {
			desk.malformed.Add(1)
		}
	default:
		desk.ignored.Add(1)
	}
	return nil
}

// built acts on the frame that tells whether the connection will do. There is a text in it either way.
func (l *listener) built(f frame) *rooms.Fault {
	switch {
	case f.Success.said == nil:
		l.s.c.desk.malformed.Add(1)
		return nil
	case !*f.Success.said:
		var text string
		_ = json.Unmarshal(f.Content, &text) // without a text the remedy is the same
		l.s.refused()
		return newFault(rooms.FaultCredentials, "the event stream refuses the connection; check events_url, and "+
			remedyAppActive+" ("+l.s.scrub.text(text)+")")
	case l.confirmed:
		return nil
	}
	c := l.s.c
	l.confirmed, l.since = true, c.clock.Now()
	l.s.accepted()
	l.silence.set(silenceWait)
	l.beat.set(heartbeatWait)
	l.renewal.set(max(l.tok.renewAt.Sub(l.since), shortestStay))
	l.s.state.set(true, nil)
	l.s.listening(true)
	l.list.set(0)
	return nil
}

// renew gets the token of the next connection while this one still works: there can only be one at a
// time, so the gap between them should be short.
func (l *listener) renew(ctx context.Context) bool {
	l.s.current = token{}
	if _, fault := l.s.token(ctx); fault != nil {
		l.s.mention(fault)
		l.renewal.set(renewalRetry)
		return false
	}
	return true
}

// ask asks for the rooms that are offline, as alerts can be missed.
func (l *listener) ask(ctx context.Context) {
	c := l.s.c
	if l.s.noList {
		return
	}
	c.desk.asking()
	at := c.clock.Now()
	l.wg.Go(func() {
		list, err := c.list(ctx, "/rooms?page_size=300&status=Offline")
		l.lists <- listing{rooms: list, at: at, fault: rooms.FaultOf(err)}
	})
}

// listed acts on the list.
func (l *listener) listed(got listing) {
	c := l.s.c
	switch {
	case got.fault == nil:
		c.desk.listed(got.rooms, got.at)
	case got.fault.Kind == rooms.FaultPermission:
		l.s.noList = true
		c.log.Warn("offline zoom rooms are known by alerts alone until the next start", "error", got.fault.Error())
		return
	default:
		c.log.Warn("offline zoom rooms not read", "kind", string(got.fault.Kind), "error", got.fault.Error())
	}
	l.list.set(jittered(listWait))
}
