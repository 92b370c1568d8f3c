package zoom

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

// maxWindow bounds check-in windows: what is larger is no window.
const maxWindow = 24 * time.Hour

// profileAnswer is the part of GET /rooms/{id} that the kiosk reads. The answer also holds the
// room's passcode and activation code: they have no field here, so they are never decoded.
type profileAnswer struct {
	Basic present `json:"basic"`
	Setup *struct {
		UnderConstruction flag `json:"under_construction"`
		CheckIn           struct {
			Enable  flag `json:"enable"`
			Options struct {
				OpensBefore count `json:"checkin_minutes_prior_to_meeting_start_time"`
				ClosesAfter count `json:"allowed_minutes_before_release_room_after_no_checkout"`
			} `json:"checkin_and_checkout_options"`
		} `json:"checkin_and_checkout"`
	} `json:"setup"`
}

// present tells that a part of an answer is there, without keeping it.
type present bool

// UnmarshalJSON implements [json.Unmarshaler]. It never fails.
func (p *present) UnmarshalJSON(b []byte) error {
	*p = string(b) != "null"
	return nil
}

// flag is a JSON boolean; anything else leaves it unsaid.
type flag struct{ said *bool }

// UnmarshalJSON implements [json.Unmarshaler]. It never fails.
func (f *flag) UnmarshalJSON(b []byte) error {
	if v, err := strconv.ParseBool(strings.Trim(string(b), `"`)); err == nil {
		f.said = &v
	}
	return nil
}

// count is a JSON number or a string of one; anything else leaves it unsaid.
type count struct{ said *float64 }

// UnmarshalJSON implements [json.Unmarshaler]. It never fails.
func (n *count) UnmarshalJSON(b []byte) error {
	if v, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64); err == nil {
		n.said = &v
	}
	return nil
}

// window reads a length of time that Zoom names minutes and describes as seconds. Less than 60 can
// only be meant as minutes, as no window is shorter than a minute. Negative or more than a day is
// no window at all: nil.
func (n count) window() *time.Duration {
	if n.said == nil || !(*n.said >= 0 && *n.said <= maxWindow.Seconds()) {
		return nil
	}
	unit := time.Second
	if *n.said < 60 {
		unit = time.Minute
	}
	d := time.Duration(*n.said * float64(unit))
	return &d
}

// Profile implements [rooms.Events], by GET /rooms/{id}. What Zoom leaves unsaid stays nil.
func (c *Client) Profile(ctx context.Context, room rooms.Room) (rooms.Profile, error) {
	p, err := c.profile(ctx, room)
	if err != nil {
		return rooms.Profile{}, fmt.Errorf("reading zoom profile of %s: %w", room.ID, err)
	}
	return p, nil
}

func (c *Client) profile(ctx context.Context, room rooms.Room) (rooms.Profile, error) {
	path, fault := roomPath(room)
	if fault != nil {
		return rooms.Profile{}, fault
	}
	var got profileAnswer
	if err := c.read200(ctx, path, scopeRoom, &got); err != nil {
		return rooms.Profile{}, err
	}
	if got.Setup == nil {
		if !got.Basic {
			return rooms.Profile{}, newFault(rooms.FaultBadAnswer, "the answer is no room's profile; check api_url")
		}
		return rooms.Profile{}, nil
	}
	in := got.Setup.CheckIn
	p := rooms.Profile{CheckIn: rooms.CheckInSettings{
		Required:    in.Enable.said,
		OpensBefore: in.Options.OpensBefore.window(),
		ClosesAfter: in.Options.ClosesAfter.window(),
	}}
	if p.CheckIn.ClosesAfter != nil && *p.CheckIn.ClosesAfter == 0 {
		p.CheckIn.ClosesAfter = nil // a room that is released the moment a meeting starts is nobody's wish
	}
	p.UnderConstruction = got.Setup.UnderConstruction.said != nil && *got.Setup.UnderConstruction.said
	return p, nil
}

// read200 gets path and decodes its answer into v.
func (c *Client) read200(ctx context.Context, path, scope string, v any) error {
	a, err := c.call(ctx, request{method: http.MethodGet, path: path, scope: scope})
	if err != nil {
		return err
	}
	// Nothing of the answer or of the decoder's error is quoted: it may hold a passcode.
	if a.unread {
		return newFault(rooms.FaultBadAnswer, "the answer is larger than 1 MB; check api_url")
	}
	if err := json.Unmarshal(a.body, v); err != nil {
		return newFault(rooms.FaultBadAnswer, "the answer is malformed; check api_url, and "+remedyPortal)
	}
	return nil
}
