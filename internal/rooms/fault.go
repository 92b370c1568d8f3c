package rooms

import (
	"errors"
	"fmt"
	"time"
)

// FaultKind tells failures of outside services apart by what is to be done about them.
type FaultKind string

// The kinds of faults.
const (
	FaultUnreachable FaultKind = "unreachable"  // no network, name, connection, or no answer in time
	FaultTrouble     FaultKind = "trouble"      // the service says that it has a problem (5xx)
	FaultBadAnswer   FaultKind = "bad_answer"   // malformed, too large, or not what was asked for
	FaultThrottled   FaultKind = "throttled"    // too many requests
	FaultCredentials FaultKind = "credentials"  // the service doesn't know the kiosk, or no longer
	FaultPermission  FaultKind = "permission"   // it knows the kiosk, but a scope or a right is missing
	FaultNotFound    FaultKind = "not_found"    // no such room, calendar or event (or no access to it)
	FaultRoomOffline FaultKind = "room_offline" // Zoom is up, the Zoom Room isn't connected to it
	FaultInvalid     FaultKind = "invalid"      // the service refuses the request as such
)

// Temporary tells whether the same request may succeed later without anybody changing anything.
func (k FaultKind) Temporary() bool {
	switch k {
	case FaultUnreachable, FaultTrouble, FaultBadAnswer, FaultThrottled, FaultRoomOffline:
		return true
	default:
		return false
	}
}

// Fault is a failure of an outside service. Every error that a [Calendar] or [Events] returns is or
// wraps one; [FaultOf] finds it.
type Fault struct {
	Service    string        // in the words of IT: "Zoom", "Google Calendar"
	Kind       FaultKind     // decides what happens next
	Detail     string        // for IT and the log: what the service said, and the remedy; no secrets, titles, names
	RetryAfter time.Duration // what the service asked for; 0: nothing
	Ambiguous  bool          // the request may have been carried out although no answer came
	Err        error         // the cause; may be nil
}

// Error names the service, the kind and the detail.
func (f *Fault) Error() string {
	msg := f.Service + ": " + string(f.Kind)
	if f.Detail != "" {
		msg += ": " + f.Detail
	}
	if f.Err != nil {
		msg += fmt.Sprintf(" (%v)", f.Err)
	}
	return msg
}

// gist is what of a fault people are told.
func (f *Fault) gist() *Fault {
	if f == nil {
		return nil
	}
	return &Fault{Service: f.Service, Kind: f.Kind}
}

// Unwrap returns the cause.
func (f *Fault) Unwrap() error { return f.Err }

// FaultOf finds the fault in err. An error without one counts as trouble, and as ambiguous: nothing
// is known about what it left behind. FaultOf(nil) is nil.
func FaultOf(err error) *Fault {
	if err == nil {
		return nil
	}
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	return &Fault{Service: "unknown", Kind: FaultTrouble, Ambiguous: true, Err: err}
}
