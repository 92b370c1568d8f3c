package ics

import (
	"bytes"
	"compress/gzip"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"roomkiosk/internal/calendar"
	"roomkiosk/internal/rooms"
)

const sample = `BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
BEGIN:VEVENT
UID:single
DTSTAMP:20261101T000000Z
DTSTART:20261123T080000Z
DTEND:20261123T090000Z
SUMMARY:Kick-off
END:VEVENT
BEGIN:VEVENT
UID:series
DTSTAMP:20261101T000000Z
DTSTART;TZID=Europe/Berlin:20261019T110000
DTEND;TZID=Europe/Berlin:20261019T120000
RRULE:FREQ=DAILY
SUMMARY:Stand-up
END:VEVENT
BEGIN:VEVENT
UID:secret
DTSTAMP:20261101T000000Z
DTSTART:20261123T130000Z
DTEND:20261123T140000Z
CLASS:PRIVATE
SUMMARY:Layoffs
END:VEVENT
BEGIN:VEVENT
UID:broken
SUMMARY:Nameless
END:VEVENT
END:VCALENDAR
`

// feed is a server with one file.
type feed struct {
	*httptest.Server
	mu       sync.Mutex
	answer   http.HandlerFunc
	statuses []int
	header   http.Header // of the last request
}

type status struct {
	http.ResponseWriter
	code int
}

func (s *status) WriteHeader(code int) { s.code = code; s.ResponseWriter.WriteHeader(code) }

func newFeed(t *testing.T, answer http.HandlerFunc) *feed {
	t.Helper()
	f := &feed{answer: answer}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.header = r.Header.Clone()
		s := &status{w, http.StatusOK}
		f.answer(s, r)
		f.statuses = append(f.statuses, s.code)
	}))
	t.Cleanup(f.Close)
	return f
}

func (f *feed) set(answer http.HandlerFunc) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = answer
}

func (f *feed) last() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.statuses[len(f.statuses)-1]
}

// file serves a text as package net/http serves files: with conditions.
func file(text, etag string, modified time.Time) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/calendar; charset=utf-8")
		if etag != "" {
			w.Header().Set("ETag", etag)
		}
		http.ServeContent(w, r, "basic.ics", modified, strings.NewReader(text))
	}
}

func plain(code int, kind, text string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text)
	}
}

type reader struct {
	*Calendar
	room rooms.Room
	day  time.Time
	at   time.Time
	log  bytes.Buffer
}

func newReader(t *testing.T, url, user, password string) *reader {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	r := &reader{day: time.Date(2026, 11, 23, 0, 0, 0, 0, zone)}
	r.at = r.day.Add(10 * time.Hour)
	r.room = rooms.Room{ID: "ada", Zone: zone, CalendarID: url}
	transport := calendar.Transport()
	t.Cleanup(transport.CloseIdleConnections)
	r.Calendar, err = New(Config{Name: "feed", User: user, Password: password, HTTP: &http.Client{Transport: transport},
		Now: func() time.Time { return r.at }, Log: slog.New(slog.NewTextHandler(&r.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *reader) brief(t *testing.T, from int) string {
	t.Helper()
	all, err := r.Read(t.Context(), r.room, r.day.AddDate(0, 0, from), r.day.AddDate(0, 0, from+1))
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, one := range rooms.NewSchedule("", r.day.AddDate(0, 0, from), r.day.AddDate(0, 0, from+1), r.at, all).Reservations {
		out = append(out, one.Start.In(r.room.Zone).Format("2 15:04-")+one.End.In(r.room.Zone).Format("15:04 ")+one.Title)
	}
	return strings.Join(out, "; ")
}

func wantFault(t *testing.T, err error, kind rooms.FaultKind, words ...string) {
	t.Helper()
	fault := rooms.FaultOf(err)
	if fault == nil || fault.Kind != kind {
		t.Errorf("got %v, want %s", err, kind)
		return
	}
	for _, word := range words {
		if !strings.Contains(fault.Detail, word) {
			t.Errorf("got %v, want it to say %s", err, word)
		}
	}
}

const today = "23 09:00-10:00 Kick-off; 23 11:00-12:00 Stand-up; 23 14:00-15:00 "

func TestRead(t *testing.T) {
	f := newFeed(t, file(sample, "", time.Time{}))
	r := newReader(t, f.URL+"/private-abc/basic.ics?key=hush", "", "")
	if got := r.brief(t, 0); got != today {
		t.Errorf("got %s", got)
	}
	if got := r.brief(t, 1); got != "24 11:00-12:00 Stand-up" {
		t.Errorf("got %s", got)
	}
	if r.Dropped() != 1 || strings.Count(r.log.String(), "uid=broken") != 1 {
		t.Errorf("%d dropped: %s", r.Dropped(), r.log.String())
	}
	for _, word := range []string{"hush", "private-abc", "Nameless", "Kick-off"} {
		if strings.Contains(r.log.String(), word) {
			t.Errorf("%s in the log", word)
		}
	}
	all, err := r.Read(t.Context(), r.room, r.day, r.day.AddDate(0, 0, 2))
	if err != nil || len(all) != 4 {
		t.Fatalf("got %v, %v", all, err)
	}
	for _, one := range all {
		found, err := r.Lookup(t.Context(), r.room, one.Ref)
		if err != nil || found != one || found.Ref.CalendarID != "" {
			t.Errorf("looked up %+v, %v, listed %+v", found, err, one)
		}
	}
	all[0].Title = "changed by the caller"
	if got := r.brief(t, 0); got != today {
		t.Errorf("got %s", got)
	}
}

// An unchanged feed is neither sent nor parsed again, however its server says that it is.
func TestUnchanged(t *testing.T) {
	modified := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		again  int
	}{
		"etag":          {file(sample, `"1"`, time.Time{}), http.StatusNotModified},
		"weak etag":     {file(sample, `W/"1"`, time.Time{}), http.StatusNotModified},
		"last modified": {file(sample, "", modified), http.StatusNotModified},
		"both":          {file(sample, `"1"`, modified), http.StatusNotModified},
		"neither":       {file(sample, "", time.Time{}), http.StatusOK},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed(t, tt.answer)
			r := newReader(t, f.URL, "", "")
			r.brief(t, 0)
			parsed := r.memory.of(f.URL).calendar
			if got := r.brief(t, 0); got != today || f.last() != tt.again {
				t.Errorf("again: got %d, %s", f.last(), got)
			}
			if got := r.brief(t, 1); got != "24 11:00-12:00 Stand-up" || f.last() != tt.again {
				t.Errorf("the next day: got %d, %s", f.last(), got)
			}
			if r.memory.of(f.URL).calendar != parsed {
				t.Error("it was parsed again")
			}
			r.at = r.at.Add(time.Hour)
			if got := r.brief(t, 0); got != today || f.last() != http.StatusOK {
				t.Errorf("after an hour: got %d, %s", f.last(), got)
			}
			f.set(file(strings.Replace(sample, "Kick-off", "Moved on", 1), `"2"`, modified.Add(time.Hour)))
			if got := r.brief(t, 0); !strings.Contains(got, "Moved on") {
				t.Errorf("changed: got %s", got)
			}
		})
	}
}

func TestLookup(t *testing.T) {
	f := newFeed(t, file(sample, `"1"`, time.Time{}))
	r := newReader(t, f.URL, "", "")
	all, err := r.Read(t.Context(), r.room, r.day, r.day.AddDate(0, 0, 1))
	if err != nil || len(all) != 3 {
		t.Fatalf("got %v, %v", all, err)
	}
	ref := all[0].Ref
	f.set(file(strings.Replace(sample, "DTEND:20261123T090000Z", "DTEND:20261123T083000Z", 1), `"2"`, time.Time{}))
	found, err := r.Lookup(t.Context(), r.room, ref)
	if err != nil || !found.End.Equal(r.day.Add(9*time.Hour+30*time.Minute)) {
		t.Errorf("got %+v, %v", found, err)
	}
	for name, text := range map[string]string{
		"cancelled": strings.Replace(sample, "SUMMARY:Kick-off", "STATUS:CANCELLED", 1),
		"free":      strings.Replace(sample, "SUMMARY:Kick-off", "TRANSP:TRANSPARENT", 1),
		"deleted":   strings.Replace(sample, "UID:single", "UID:other", 1),
		"empty":     "BEGIN:VCALENDAR\nVERSION:2.0\nEND:VCALENDAR\n",
	} {
		f.set(file(text, `"`+name+`"`, time.Time{}))
		_, err := r.Lookup(t.Context(), r.room, ref)
		if wantFault(t, err, rooms.FaultNotFound); t.Failed() {
			t.Error(name)
		}
	}
	// That the feed is away says nothing about the event.
	f.set(plain(404, "text/plain", ""))
	_, err = r.Lookup(t.Context(), r.room, ref)
	wantFault(t, err, rooms.FaultBadAnswer)
	f.Close()
	_, err = r.Lookup(t.Context(), r.room, ref)
	wantFault(t, err, rooms.FaultUnreachable)
}

func TestFaults(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(bytes.Repeat([]byte(" "), 9<<20))
	_ = z.Close()
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		kind   rooms.FaultKind
		words  []string
	}{
		"refused":           {plain(401, "", ""), rooms.FaultCredentials, []string{"wants a user"}},
		"forbidden":         {plain(403, "", ""), rooms.FaultPermission, []string{"publish"}},
		"not there":         {plain(404, "", ""), rooms.FaultNotFound, []string{"publish"}},
		"gone":              {plain(410, "", ""), rooms.FaultNotFound, nil},
		"throttled":         {plain(429, "", "", "Retry-After", "7"), rooms.FaultThrottled, nil},
		"down":              {plain(503, "", ""), rooms.FaultTrouble, nil},
		"elsewhere":         {plain(302, "", "", "Location", "https://other.example.com/hush"), rooms.FaultBadAnswer, []string{"another host"}},
		"a page":            {plain(200, "text/html", "<!DOCTYPE html><p>Log in"), rooms.FaultBadAnswer, []string{"web page"}},
		"a page by stealth": {plain(200, "text/calendar", "\xef\xbb\xbf\n <html><p>Log in"), rooms.FaultBadAnswer, []string{"web page"}},
		"nothing":           {plain(200, "text/html", ""), rooms.FaultBadAnswer, nil},
		"empty":             {plain(200, "text/calendar", ""), rooms.FaultBadAnswer, nil},
		"text":              {plain(200, "text/calendar", "no calendar"), rooms.FaultBadAnswer, nil},
		"cut off":           {plain(200, "text/calendar", sample[:len(sample)-20]), rooms.FaultBadAnswer, nil},
		"huge":              {plain(200, "text/calendar", strings.Repeat(" ", 9<<20)), rooms.FaultBadAnswer, []string{"8 MB"}},
		"bomb":              {plain(200, "text/calendar", bomb.String(), "Content-Encoding", "gzip"), rooms.FaultBadAnswer, []string{"8 MB"}},
		"unasked":           {plain(304, "", ""), rooms.FaultBadAnswer, nil},
		"nothing to say":    {plain(204, "", ""), rooms.FaultBadAnswer, nil},
		"cut":               {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, rooms.FaultUnreachable, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFeed(t, tt.answer)
			r := newReader(t, f.URL+"/hush", "", "")
			all, err := r.Read(t.Context(), r.room, r.day, r.day.AddDate(0, 0, 1))
			wantFault(t, err, tt.kind, tt.words...)
			if len(all) > 0 || err != nil && (strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "Log in")) {
				t.Errorf("got %v, %v", all, err)
			}
			if name == "throttled" && rooms.FaultOf(err).RetryAfter != 7*time.Second {
				t.Errorf("got %v", rooms.FaultOf(err).RetryAfter)
			}
			f.set(file(sample, "", time.Time{}))
			if got := r.brief(t, 0); got != today {
				t.Errorf("mended: got %s", got)
			}
		})
	}
}

// Feeds come with all sorts of types, and compressed.
func TestTypes(t *testing.T) {
	for _, kind := range []string{"text/plain", "application/octet-stream", "text/html", ""} {
		f := newFeed(t, plain(200, kind, sample))
		if got := newReader(t, f.URL, "", "").brief(t, 0); got != today {
			t.Errorf("%s: got %s", kind, got)
		}
	}
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = io.WriteString(z, sample)
	_ = z.Close()
	f := newFeed(t, plain(200, "text/calendar", packed.String(), "Content-Encoding", "gzip"))
	if got := newReader(t, f.URL, "", "").brief(t, 0); got != today {
		t.Errorf("packed: got %s", got)
	}
}

func TestUser(t *testing.T) {
	f := newFeed(t, nil)
	f.set(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "kiosk" || password != "secret" {
			w.Header().Set("WWW-Authenticate", `Basic realm="feeds"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		file(sample, `"1"`, time.Time{})(w, r)
	})
	r := newReader(t, f.URL, "kiosk", "secret")
	if got := r.brief(t, 0); got != today {
		t.Errorf("got %s", got)
	}
	if r.brief(t, 0); len(f.statuses) != 3 || f.last() != http.StatusNotModified {
		t.Errorf("got %v", f.statuses)
	}
	wrong := newReader(t, f.URL, "kiosk", "wrong")
	_, err := wrong.Read(t.Context(), r.room, r.day, r.day.AddDate(0, 0, 1))
	wantFault(t, err, rooms.FaultCredentials, "app password")
	if _, err := New(Config{Name: "x", Password: "secret", Now: func() time.Time { return r.at }}); err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	if _, err := New(Config{Name: "x"}); err == nil {
		t.Error("no clock is no error")
	}
}

func TestFeedURL(t *testing.T) {
	for text, want := range map[string]string{
		"https://example.com/a/basic.ics": "https://example.com/a/basic.ics",
		"webcal://example.com/a?key=hush": "https://example.com/a?key=hush",
		"WebCal://example.com/a%20b":      "https://example.com/a%20b",
		" webcals://example.com/a ":       "https://example.com/a",
		"http://127.0.0.1:8080/hush":      "http://127.0.0.1:8080/hush",
		"http://example.com/hush":         "",
		"https://user:hush@example.com/":  "",
		"https://example.com/#hush":       "",
		"webcal:hush":                     "",
		"/hush":                           "",
		"file:///hush":                    "",
		"https://example.com/\x7fhush":    "",
	} {
		got, err := feedURL(text)
		if got != want || (err == nil) != (want != "") || err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	r := newReader(t, "http://example.com/hush", "", "")
	_, err := r.Read(t.Context(), r.room, r.day, r.day.AddDate(0, 0, 1))
	if wantFault(t, err, rooms.FaultInvalid, "https"); strings.Contains(err.Error(), "hush") {
		t.Error(err)
	}
	for _, room := range []rooms.Room{{ID: "x", Zone: time.UTC}, {ID: "x", CalendarID: "https://example.com/"}} {
		_, err := r.Read(t.Context(), room, r.day, r.day.AddDate(0, 0, 1))
		wantFault(t, err, rooms.FaultInvalid)
	}
}
