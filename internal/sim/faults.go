package sim

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Fault is something that goes wrong with requests that a service receives. Its zero value does
// nothing; several may hold at once.
type Fault struct {
	Method string // only requests with this method; empty: any
	Path   string // only requests whose path contains this; empty: any
	Times  int    // so many requests, then it is over; 0: until it is cleared

	Down       bool          // the connection is closed; nothing is carried out
	Slow       time.Duration // real time to wait before the request is carried out
	DropAfter  bool          // the request is carried out, then the connection is closed without an answer
	SlowAnswer time.Duration // real time between carrying it out and the answer

	Status int         // answered instead of carrying the request out
	Header http.Header // sent with Status
	Body   string      // sent with Status; empty: the service's own words for it

	Unauthorized bool // the access token is refused, as if it had been revoked; token requests go on

	Malformed bool // a successful answer ends in the middle
	Huge      int  // a successful answer is preceded by so many bytes of white space, which JSON allows
	Empty     bool // a successful answer has no body
	Hollow    bool // a successful answer is an empty object
	HTML      bool // a 200 with a login page, as captive portals have it
}

// Faults are what is wrong with a service now. The zero value: nothing. It is safe for concurrent
// use.
type Faults struct {
	mu   sync.Mutex
	list []namedFault
}

type namedFault struct {
	name string
	Fault
	left int
}

// Set makes a fault hold from the next request on. It replaces the one of the same name.
func (f *Faults) Set(name string, fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clear(name)
	f.list = append(f.list, namedFault{name, fault, fault.Times})
}

// Clear ends the fault of this name, if there is one.
func (f *Faults) Clear(name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.clear(name)
}

// ClearAll ends all faults.
func (f *Faults) ClearAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = nil
}

// Active tells whether a fault of this name holds.
func (f *Faults) Active(name string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.ContainsFunc(f.list, func(n namedFault) bool { return n.name == name })
}

func (f *Faults) clear(name string) {
	f.list = slices.DeleteFunc(f.list, func(n namedFault) bool { return n.name == name })
}

// take returns what happens to this request, all faults that match it in one, and counts them down.
func (f *Faults) take(r *http.Request, token bool) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	var sum Fault
	for i := range f.list {
		n := &f.list[i]
		if !n.matches(r) || token && n.Unauthorized {
			continue
		}
		sum.merge(n.Fault)
		n.left--
	}
	f.list = slices.DeleteFunc(f.list, func(n namedFault) bool { return n.Times > 0 && n.left <= 0 })
	return sum
}

func (f Fault) matches(r *http.Request) bool {
	return (f.Method == "" || f.Method == r.Method) && strings.Contains(r.URL.Path, f.Path)
}

// merge adds another fault. Of two statuses the first one stays.
func (f *Fault) merge(g Fault) {
	f.Down = f.Down || g.Down
	f.Slow += g.Slow
	f.DropAfter = f.DropAfter || g.DropAfter
	f.SlowAnswer += g.SlowAnswer
	if f.Status == 0 {
		f.Status, f.Header, f.Body = g.Status, g.Header, g.Body
	}
	f.Unauthorized = f.Unauthorized || g.Unauthorized
	f.Malformed = f.Malformed || g.Malformed
	f.Huge += g.Huge
	f.Empty = f.Empty || g.Empty
	f.Hollow = f.Hollow || g.Hollow
	f.HTML = f.HTML || g.HTML
}
