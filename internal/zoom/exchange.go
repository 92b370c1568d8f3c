package zoom

import (
	"context"
	"encoding/base64"
	"log/slog"
	"strings"
	"sync"

	"roomkiosk/internal/rooms"
)

// The forms of Exchange ids and change keys. Zoom documents those of Exchange Web Services. Which
// of them it wants where its own calendar service reads through Microsoft Graph is not documented.
const (
	IDsEWS   = "ews"
	IDsGraph = "graph"
	IDsAuto  = "auto" // find out, and remember
)

// learnedIDs is the name under which the form is remembered that Zoom took.
const learnedIDs = "zoom.exchange_ids"

// Memory keeps what the client finds out, for good.
type Memory interface {
	Learned(ctx context.Context, name string) (string, error)
	Learn(name, value string) error
}

// exchange knows in which form Zoom wants Exchange ids.
type exchange struct {
	mode   string
	memory Memory // nil: the form is remembered as long as the client lives
	log    *slog.Logger

	mu    sync.Mutex
	taken string // the form that Zoom took; empty: not known yet
}

func newExchange(mode string, memory Memory, log *slog.Logger) *exchange {
	if mode == "" {
		mode = IDsAuto
	}
	return &exchange{mode: mode, memory: memory, log: log}
}

// form is the form to send, and whether it may still turn out to be the wrong one.
func (x *exchange) form(ctx context.Context) (form string, open bool) {
	if x.mode != IDsAuto {
		return x.mode, false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.taken == "" && x.memory != nil {
		if known, err := x.memory.Learned(ctx, learnedIDs); err == nil && (known == IDsEWS || known == IDsGraph) {
			x.taken = known
		}
	}
	if x.taken != "" {
		return x.taken, false
	}
	return IDsEWS, true
}

// took remembers the form that Zoom took.
func (x *exchange) took(form string) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.taken == form {
		return
	}
	x.taken = form
	x.log.Info("zoom takes exchange ids", "form", form)
	if x.memory == nil {
		return
	}
	if err := x.memory.Learn(learnedIDs, form); err != nil {
		x.log.Error("form of exchange ids not remembered", "error", err)
	}
}

// saw draws the conclusion of an event of Zoom's whose ids are in a form. What Zoom has taken proves
// more than anything but ids that themselves show their form.
func (x *exchange) saw(ctx context.Context, form string, seen bool) {
	if x.mode != IDsAuto {
		return
	}
	if _, open := x.form(ctx); open || seen {
		x.took(form)
	}
}

// other is the form that form isn't.
func other(form string) string {
	if form == IDsGraph {
		return IDsEWS
	}
	return IDsGraph
}

// isExchange tells whether a reference is one of Exchange, by what only Exchange has.
func isExchange(ref rooms.EventRef) bool { return ref.ResourceEmail != "" }

// inForm returns the reference with its ids in a form, whichever they are in.
func inForm(ref rooms.EventRef, form string) rooms.EventRef {
	if form == IDsGraph {
		ref.EventID = strings.NewReplacer("/", "-", "+", "_").Replace(ref.EventID)
		ref.ChangeKey = graphKey(ref.ChangeKey)
		return ref
	}
	ref.EventID = strings.NewReplacer("-", "/", "_", "+").Replace(ref.EventID)
	ref.ChangeKey = ewsKey(ref.ChangeKey)
	return ref
}

// An EWS change key of a calendar item is a head, then the 22 bytes that are all of Graph's: the
// item's kind (15) and the length of what follows, both in four bytes.
const (
	keyHead   = "\x0f\x00\x00\x00\x16\x00\x00\x00"
	keyLength = 22
)

func ewsKey(key string) string {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != keyLength {
		return key // it has its head, or is of a kind that nobody has described
	}
	return base64.StdEncoding.EncodeToString(append([]byte(keyHead), raw...))
}

func graphKey(key string) string {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != len(keyHead)+keyLength || string(raw[:len(keyHead)]) != keyHead {
		return key
	}
	return base64.StdEncoding.EncodeToString(raw[len(keyHead):])
}

// controlExchange sends one method with an event of Exchange. While nobody knows the form that Zoom
// wants, and Zoom calls the parameters invalid, the other form is tried, once: it is another
// request, of which Zoom has carried out nothing yet.
func (c *Client) controlExchange(ctx context.Context, room rooms.Room, method string, ref rooms.EventRef) error {
	form, open := c.exchange.form(ctx)
	err := c.command(ctx, room, method, inForm(ref, form))
	if open && err != nil && rooms.FaultOf(err).Kind == rooms.FaultInvalid {
		form = other(form)
		err = c.command(ctx, room, method, inForm(ref, form))
	}
	if open && err == nil {
		c.exchange.took(form)
	}
	return err
}
