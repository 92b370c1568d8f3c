package rooms

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"time"
)

const (
	newsSlack   = 2 * time.Minute  // by which Zoom's clock and ours may differ
	newsTooOld  = 10 * time.Minute // for an alert to say anything about now
	newsUnknown = 20               // news of reservations not on the schedule yet that are kept
)

// Hear takes news of Zoom's. News of other rooms is ignored. News twice, late or out of order does
// no harm: it only ever says what is so anyway, or was.
func (k *Keeper) Hear(n News) {
	if k.cfg.Room.ZoomID == "" || n.ZoomRoomID != k.cfg.Room.ZoomID {
		return
	}
	k.tell(func(now time.Time) {
		k.cause = ByZoom
		switch n.Kind {
		case NewsRoomOffline, NewsRoomOnline:
			k.heardAlert(now, n)
		case NewsCheckedIn:
			k.heardTap(now, n, CheckIn)
		case NewsCheckedOut:
			k.heardTap(now, n, Release)
		}
	})
}

// Listening tells the keeper that Zoom's events arrive from now on, or don't any more. What happened
// before is not told later, so the calendar is read.
func (k *Keeper) Listening(up bool) {
	if k.cfg.Room.ZoomID == "" {
		return
	}
	k.tell(func(now time.Time) {
		k.listening = up
		if up {
			k.readAt = append(k.readAt, now.Add(k.soon()))
		}
	})
}

func (k *Keeper) heardAlert(now time.Time, n News) {
	at := n.At
	if at.After(now) {
		at = now // else it would outdo all that comes until then
	}
	old := k.clockTrusted() && at.Before(now.Add(-newsTooOld))
	if at.Before(k.in.Alert.At) || old {
		return
	}
	offline := n.Kind == NewsRoomOffline
	if offline != k.in.Alert.Offline {
		k.log.Info("zoom room's connection changed", "offline", offline)
	}
	k.in.Alert = Alert{Offline: offline, At: at, Heard: now}
	k.snapshot()
	if !offline {
		k.hurry(now, func(why Reason) bool { return why == Reason(FaultRoomOffline) })
	}
}

// heardTap takes it that somebody checked a reservation in, or out: by a tap here, or elsewhere.
func (k *Keeper) heardTap(now time.Time, n News, kind ActionKind) {
	switch i := k.meant(n, kind); {
	case i < 0:
		k.tappedElsewhere(now, n, kind)
	case k.in.Actions[i].State != Confirmed:
		a := k.in.Actions[i]
		a.State, a.Reason = Confirmed, ""
		if kind == Release {
			a.Reason = ReasonAwaited
			k.watchEffect(now)
		}
		k.update(now, a)
	}
}

// meant finds the action of that kind that the news is about: the last that counts or is held, and
// wasn't tapped after what the news tells of. -1: there is none.
func (k *Keeper) meant(n News, kind ActionKind) int {
	for i, a := range slices.Backward(k.in.Actions) {
		counts := a.State.Effective() || a.State == Held
		if a.Kind == kind && counts && n.names(a.Ref) && !n.At.Before(a.TappedAt.Add(-newsSlack)) {
			return i
		}
	}
	return -1
}

// tappedElsewhere keeps it as an action that somebody checked in, or out, in the room or on another
// display. Where the schedule doesn't have the reservation yet it is remembered until it does.
func (k *Keeper) tappedElsewhere(now time.Time, n News, kind ActionKind) {
	i := slices.IndexFunc(k.in.Schedule.Reservations, func(r Reservation) bool { return n.names(r.Ref) })
	if i < 0 {
		if k.unknown = append(k.unknown, n); len(k.unknown) > newsUnknown {
			k.unknown = k.unknown[1:]
		}
		k.readAt = append(k.readAt, now)
		return
	}
	r := k.in.Schedule.Reservations[i]
	a := Action{
		ID: newsID(n, k.cfg.Room.ID), Room: k.cfg.Room.ID, Kind: kind, Reservation: r.ID, Ref: r.Ref,
		Start: r.Start, End: r.End, Origin: OriginZoom, TappedAt: n.At, UpdatedAt: now,
		State: Confirmed, ExpiresAt: r.End,
	}
	if kind == Release {
		a.Reason = ReasonAwaited
	}
	if k.action(a.ID) != nil || !r.End.After(now) || r.Start.After(n.At.Add(earliestTap)) {
		return // known already, or of no use
	}
	k.log.Info("tapped elsewhere", "action", a.ID, "kind", kind)
	if kind == Release {
		k.watchEffect(now)
	}
	k.insert(now, a)
}

// insert puts an action where its tap belongs among the others.
func (k *Keeper) insert(now time.Time, a Action) {
	at, _ := slices.BinarySearchFunc(k.in.Actions, a, func(o, a Action) int { return o.TappedAt.Compare(a.TappedAt) })
	k.in.Actions = slices.Insert(slices.Clone(k.in.Actions), at, a)
	k.write([]Action{a})
	k.change(now, k.in.Actions)
}

// recall hears news again whose reservation the schedule has by now.
func (k *Keeper) recall(now time.Time) {
	again := k.unknown
	k.unknown = nil
	for _, n := range again {
		known := slices.ContainsFunc(k.in.Schedule.Reservations, func(r Reservation) bool { return n.names(r.Ref) })
		switch {
		case known && n.Kind == NewsCheckedIn:
			k.heardTap(now, n, CheckIn)
		case known:
			k.heardTap(now, n, Release)
		case n.At.After(now.Add(-newsTooOld)):
			k.unknown = append(k.unknown, n)
		}
	}
}

// earliestTap is how long before its start a reservation can be checked in or out at the most, as far
// as news of it is believed.
const earliestTap = time.Hour

// newsID makes the same id of the same news, however often it comes.
func newsID(n News, room string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %d", room, n.Kind, n.EventIDs, n.At.UnixMicro()))
	return "zoom-" + base64.RawURLEncoding.EncodeToString(sum[:16])
}
