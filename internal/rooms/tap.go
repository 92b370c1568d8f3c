package rooms

import "errors"

// Tap is a person's request at a panel.
type Tap struct {
	Kind        ActionKind
	Reservation string // its id; never "whatever is on now"
	Origin      string // OriginPanel or OriginAPI
}

// ErrNotStored means that a tap could not be written to the journal, so that it was not taken.
var ErrNotStored = errors.New("tap not stored")

// RefusedError means that a tap is not possible now. Nothing was changed by it.
type RefusedError struct{ Refusal Refusal }

// Error names the refusal.
func (e *RefusedError) Error() string { return "tap refused: " + string(e.Refusal) }
