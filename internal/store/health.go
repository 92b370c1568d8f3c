package store

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"
)

// TroubleCode says what kind of trouble a store has.
type TroubleCode string

// The troubles. All but Damaged are over when their cause is.
const (
	Damaged    TroubleCode = "damaged"     // a file was damaged and has been replaced; told for a day, or until the kiosk stops
	DiskFull   TroubleCode = "disk_full"   // the disk is full; what goes in all the same is in its words
	ReadOnly   TroubleCode = "read_only"   // the file can't be written: taps or schedules can't be stored
	MemoryOnly TroubleCode = "memory_only" // what is cached is in memory alone, and gone with a restart
)

// toldFor is how long damage that is dealt with is told.
const toldFor = 24 * time.Hour

// Trouble is what IT has to be told about a store.
type Trouble struct {
	Code   TroubleCode
	Since  time.Time
	Detail string // what is wrong and what to do: a sentence or two, with paths
}

// health is the troubles that a store has now. It is safe for concurrent use, and never waits for
// the disk.
type health struct {
	log  *slog.Logger
	mu   sync.Mutex
	have []Trouble
}

// begin notes a trouble. One that is there already stays since when it was, in its newest words.
func (h *health) begin(code TroubleCode, now time.Time, detail string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.IndexFunc(h.have, func(t Trouble) bool { return t.Code == code })
	if i >= 0 && code != Damaged {
		h.have[i].Detail = detail
		return
	}
	if i >= 0 {
		h.have = slices.Delete(h.have, i, i+1)
	}
	h.have = append(h.have, Trouble{Code: code, Since: now, Detail: detail})
	h.log.Error("store in trouble", "trouble", string(code), "detail", detail)
}

// over ends a trouble, if it is there.
func (h *health) over(code TroubleCode) {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := len(h.have)
	h.have = slices.DeleteFunc(h.have, func(t Trouble) bool { return t.Code == code })
	if len(h.have) < before {
		h.log.Info("store out of trouble", "trouble", string(code))
	}
}

func (h *health) has(code TroubleCode) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.have, func(t Trouble) bool { return t.Code == code })
}

// age ends what has been told long enough.
func (h *health) age(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.have = slices.DeleteFunc(h.have, func(t Trouble) bool {
		return t.Code == Damaged && now.Sub(t.Since) >= toldFor
	})
}

func (h *health) list() []Trouble {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := slices.Clone(h.have)
	slices.SortFunc(all, func(a, b Trouble) int { return strings.Compare(string(a.Code), string(b.Code)) })
	return all
}
