package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"roomkiosk/internal/calendar/ics"
	"roomkiosk/internal/harness"
	"roomkiosk/internal/rooms"
)

const (
	feedEvents = 5000
	feedReads  = 5
)

// measureFeed reads a large feed, in a process of its own for each way: memory is a process's.
func measureFeed(ctx context.Context) ([]row, error) {
	type found struct {
		size, events int
		took, peak   float64
	}
	look := func(how string) (f found, err error) {
		h, err := launchHelper(ctx, "feed", how)
		if err != nil {
			return f, err
		}
		defer h.Stop()
		line, err := h.hear()
		if err != nil {
			return f, err
		}
		if _, err := fmt.Sscan(line, &f.size, &f.events, &f.took, &f.peak); err != nil {
			return f, fmt.Errorf("hearing a helper: %s", line)
		}
		return f, nil
	}
	ours, err := look("kiosk")
	if err != nil {
		return nil, err
	}
	bare, err := look("bare")
	if err != nil {
		return nil, err
	}
	return []row{
		{
			what: fmt.Sprintf("a feed of %d events read", feedEvents), kiosk: ms(time.Duration(ours.took)), bare: ms(time.Duration(bare.took)),
			ratio: timesOf(ours.took, bare.took), promise: noPromise, verdict: unpromised,
			notes: []string{fmt.Sprintf("%s, one event in ten a series; median of %d reads, each of a changed feed, to the %d reservations of two days; bare: go-ical decodes it and expands nothing",
				mb(float64(ours.size)), feedReads, ours.events)},
		},
		{
			what: "  memory at its peak", kiosk: mb(ours.peak), bare: mb(bare.peak), ratio: timesOf(ours.peak, bare.peak),
			promise: noPromise, verdict: unpromised,
			notes: []string{"VmHWM over these reads above VmRSS before the first, garbage collected as Go does by default; the feed itself was there already"},
		},
	}, nil
}

// beFeed is the body of a process that reads a feed. It prints the feed's size in bytes, the events,
// the median in nanoseconds, and the growth in bytes.
func beFeed(ctx context.Context, args []string, _ io.Reader, stdout io.Writer) error {
	read, size := bareFeed(), 0
	if args[0] == "kiosk" {
		var err error
		if read, err = kioskFeed(ctx); err != nil {
			return err
		}
	}
	texts := [2]string{feedText("odd"), feedText("even")}
	size = len(texts[0])
	debug.FreeOSMemory()
	before, _, err := harness.Resident(os.Getpid())
	if err != nil {
		return err
	}
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600); err != nil { // VmHWM starts again
		return fmt.Errorf("resetting the peak: %w", err)
	}
	events := 0
	took := make([]time.Duration, feedReads)
	for i := range took {
		began := time.Now()
		if events, err = read(texts[i%2]); err != nil {
			return err
		}
		took[i] = time.Since(began)
	}
	fields, err := harness.ProcFields(os.Getpid(), "status", ":")
	if err != nil {
		return err
	}
	peak, err := harness.Kibibytes(fields["VmHWM"])
	if err != nil {
		return err
	}
	fmt.Fprintln(stdout, size, events, harness.Median(took).Nanoseconds(), peak-before)
	return nil
}

func bareFeed() func(text string) (int, error) {
	return func(text string) (int, error) { return decodeICS([]byte(text)) }
}

// kioskFeed reads with the kiosk's client, over a transport that has the text.
func kioskFeed(ctx context.Context) (func(text string) (int, error), error) {
	served := ""
	serve := transport(func(req *http.Request) *http.Response {
		return &http.Response{
			Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header: http.Header{"Content-Type": {"text/calendar; charset=utf-8"}}, Body: io.NopCloser(strings.NewReader(served)),
			ContentLength: int64(len(served)), Request: req,
		}
	})
	c, err := ics.New(ics.Config{Name: "feed", HTTP: &http.Client{Transport: serve}, Now: time.Now})
	if err != nil {
		return nil, err
	}
	room := rooms.Room{ID: "ada", Zone: time.UTC, CalendarID: "http://localhost/feed.ics"}
	from := feedStart()
	return func(text string) (int, error) {
		served = text
		got, err := c.Read(ctx, room, from, from.AddDate(0, 0, 2))
		if err == nil && len(got) == 0 {
			err = errors.New("no reservations in the feed")
		}
		return len(got), err
	}, nil
}

type transport func(*http.Request) *http.Response

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req), nil }

func feedStart() time.Time { return time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC) }

// feedText writes a feed as calendar programs do: a kilobyte for each event.
func feedText(mark string) string {
	const wall = "20060102T150405"
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bench//EN\r\n")
	for i := range feedEvents {
		start := feedStart().Add(8*time.Hour + time.Duration(i)*30*time.Minute)
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%d@example.com\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=Europe/Berlin:%s\r\n"+
			"DTEND;TZID=Europe/Berlin:%s\r\nSUMMARY:Meeting %d about things\\, %s\r\nORGANIZER;CN=\"Doe, Jane\":mailto:jane@example.com\r\n"+
			"ATTENDEE;CUTYPE=ROOM;PARTSTAT=ACCEPTED;CN=Ada:mailto:ada@example.com\r\nCLASS:PUBLIC\r\nTRANSP:OPAQUE\r\nSTATUS:CONFIRMED\r\n",
			i, start.Format(wall), start.Add(30*time.Minute).Format(wall), i, mark)
		if i%10 == 0 {
			b.WriteString("RRULE:FREQ=WEEKLY;BYDAY=MO,WE\r\n")
		}
		b.WriteString("DESCRIPTION:" + strings.Repeat("what there is to talk about\\n", 22) + "\r\nEND:VEVENT\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}
