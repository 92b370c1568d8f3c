package sim

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

// CalDAVConfig is what this CalDAV server is like. All of it is optional.
type CalDAVConfig struct {
	User, Password string // Basic authentication; empty: nobody is asked
	ReadOnly       bool   // calendars can't be written
}

// CalDAV stands in for a CalDAV server (RFC 4791) with a collection for each calendar, and for the
// ICS feeds of the same calendars.
type CalDAV struct {
	service
	cfg      CalDAVConfig
	calendar *Calendar
}

const (
	davPath       = "/dav/"
	feedPath      = "/ics/"
	principalPath = "/principals/"
)

// NewCalDAV returns a server of the calendar's calendars.
func NewCalDAV(cfg CalDAVConfig, calendar *Calendar, clock rooms.Clock, now func() time.Time) *CalDAV {
	d := &CalDAV{cfg: cfg, calendar: calendar}
	mux := http.NewServeMux()
	mux.HandleFunc("PROPFIND "+davPath+"{calendar}/{$}", d.findCollection)
	mux.HandleFunc("PROPFIND "+principalPath+"{calendar}/{$}", d.findPrincipal)
	mux.HandleFunc("REPORT "+davPath+"{calendar}/{$}", d.query)
	mux.HandleFunc("GET "+davPath+"{calendar}/{object}", d.getObject)
	mux.HandleFunc("PUT "+davPath+"{calendar}/{object}", d.putObject)
	mux.HandleFunc("GET "+feedPath+"{feed}", d.getFeed)
	d.service = service{
		clock: clock, now: now, handler: d.authenticated(mux),
		unauthorized: func(w http.ResponseWriter, _ *http.Request) { askForUser(w) },
		refuse:       func(w http.ResponseWriter, status int) { http.Error(w, http.StatusText(status), status) },
	}
	return d
}

func (d *CalDAV) authenticated(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.cfg.User != "" {
			if user, password, ok := r.BasicAuth(); !ok || user != d.cfg.User || password != d.cfg.Password {
				askForUser(w)
				return
			}
		}
		next.ServeHTTP(w, r)
	})
}

func askForUser(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Basic realm="Calendars"`)
	http.Error(w, "Unauthorized", http.StatusUnauthorized)
}

// object is a resource of a collection: an event, or the occurrences of a series that there are.
type object struct {
	uid    string
	events []Event
}

func (o object) name() string { return url.PathEscape(o.uid) + ".ics" }

func (o object) etag() string { return `"` + versionOf(o.events) + `"` }

func versionOf(events []Event) string {
	sum := sha256.New()
	for _, e := range events {
		fmt.Fprintf(sum, "%s/%d\n", e.ID, e.Version)
	}
	return hex.EncodeToString(sum.Sum(nil)[:8])
}

// objects are the resources of a calendar, by uid. Cancelled events stay, marked so.
func (d *CalDAV) objects(calendarID string) []object {
	byUID := map[string]*object{}
	for _, e := range d.calendar.Events(calendarID) {
		uid := e.ID
		if e.Series != "" {
			uid = e.Series
		}
		if byUID[uid] == nil {
			byUID[uid] = &object{uid: uid}
		}
		byUID[uid].events = append(byUID[uid].events, e)
	}
	all := make([]object, 0, len(byUID))
	for _, o := range byUID {
		all = append(all, *o)
	}
	slices.SortFunc(all, func(a, b object) int { return strings.Compare(a.uid, b.uid) })
	return all
}

func (d *CalDAV) object(r *http.Request) (object, bool) {
	uid, ok := strings.CutSuffix(r.PathValue("object"), ".ics")
	for _, o := range d.objects(r.PathValue("calendar")) {
		if ok && o.uid == uid {
			return o, true
		}
	}
	return object{}, false
}

func (d *CalDAV) getObject(w http.ResponseWriter, r *http.Request) {
	o, ok := d.object(r)
	book, known := d.calendar.about(r.PathValue("calendar"))
	if !ok || !known {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("ETag", o.etag())
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	_, _ = io.WriteString(w, renderICS(o.events, book.zone)) // the client may have gone
}

// putObject takes what a client may change here: when events end, and how the room answered.
func (d *CalDAV) putObject(w http.ResponseWriter, r *http.Request) {
	o, ok := d.object(r)
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	switch {
	case d.cfg.ReadOnly:
		http.Error(w, "need-privileges", http.StatusForbidden)
		return
	case !ok:
		http.NotFound(w, r)
		return
	case r.Header.Get("If-Match") == "":
		http.Error(w, "this server wants If-Match", http.StatusPreconditionRequired)
		return
	case r.Header.Get("If-Match") != o.etag():
		http.Error(w, "the event has changed", http.StatusPreconditionFailed)
		return
	case err != nil:
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	changes, err := readICS(string(body), o.uid)
	if err != nil || !strings.HasPrefix(r.Header.Get("Content-Type"), "text/calendar") {
		http.Error(w, fmt.Sprintf("valid-calendar-data: %v", err), http.StatusForbidden)
		return
	}
	for _, change := range changes {
		d.apply(r.PathValue("calendar"), o, change)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (d *CalDAV) apply(calendarID string, o object, c icsChange) {
	for _, e := range o.events {
		if !c.slot.IsZero() && !c.slot.Equal(e.OriginalStart) || e.AllDay() {
			continue
		}
		if !c.end.Equal(e.End) || c.declinedBy(calendarID) {
			d.calendar.Change(calendarID, e.ID, func(e *Event) {
				e.End = c.end
				for i := range e.Attendees {
					if e.Attendees[i].Self && c.declinedBy(e.Attendees[i].Email) {
						e.Attendees[i].Response = Declined
					}
				}
			})
		}
	}
}

// getFeed answers with all of a calendar.
func (d *CalDAV) getFeed(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutSuffix(r.PathValue("feed"), ".ics")
	book, known := d.calendar.about(id)
	if !ok || !known {
		http.NotFound(w, r)
		return
	}
	events := d.calendar.Events(id)
	etag := `"` + versionOf(events) + `"`
	w.Header().Set("ETag", etag)
	if r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
	_, _ = io.WriteString(w, renderICS(events, book.zone)) // the client may have gone
}
