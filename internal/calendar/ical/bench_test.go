package ical

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// feed writes a calendar of n events, a kilobyte each as programs write them, one in ten a series.
func feed(n int) []byte {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + vtimezone("W. Europe Standard Time"))
	for i := range n {
		start := time.Date(2026, 6, 1, 8, 0, 0, 0, time.UTC).Add(time.Duration(i) * 30 * time.Minute)
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:%d@example.com\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;TZID=W. Europe Standard Time:%s\r\n"+
			"DTEND;TZID=W. Europe Standard Time:%s\r\nSUMMARY:Meeting %d about things\\, and others\r\nORGANIZER;CN=\"Doe, Jane\":mailto:jane@example.com\r\n"+
			"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=\"Roe, Richard\":\r\n mailto:richard@example.com\r\n"+
			"ATTENDEE;CUTYPE=ROOM;PARTSTAT=ACCEPTED;CN=Ada:mailto:ada@example.com\r\nCLASS:PUBLIC\r\nTRANSP:OPAQUE\r\nSTATUS:CONFIRMED\r\n",
			i, start.Format(wallForm), start.Add(30*time.Minute).Format(wallForm), i)
		if i%10 == 0 {
			b.WriteString("RRULE:FREQ=WEEKLY;BYDAY=MO,WE\r\nEXDATE;TZID=W. Europe Standard Time:20260610T080000\r\n")
		}
		b.WriteString("DESCRIPTION:" + strings.Repeat("agenda\\n item ", 28) + "\r\nBEGIN:VALARM\r\nTRIGGER:-PT15M\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VEVENT\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	return []byte(b.String())
}

func benchmark(b *testing.B, events int) {
	text := feed(events)
	zone := zoneNamed(b, "Europe/Berlin")
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, zone)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		c, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		e := c.Expand(from, from.AddDate(0, 0, 2), zone)
		if all := e.Reservations("cal", []string{"ada@example.com"}); len(all) < min(events, 50) || len(e.Broken) > 0 {
			b.Fatalf("got %d reservations, broken %v", len(all), e.Broken)
		}
	}
}

// BenchmarkDay is a day of 50 events, from text to reservations.
func BenchmarkDay(b *testing.B) { benchmark(b, 50) }

// BenchmarkFeed is a feed of 5,000 events and 5 MB.
func BenchmarkFeed(b *testing.B) { benchmark(b, 5000) }

// BenchmarkExpand is that feed once it is parsed, which a feed that didn't change is.
func BenchmarkExpand(b *testing.B) {
	c, err := Parse(feed(5000))
	if err != nil {
		b.Fatal(err)
	}
	zone := zoneNamed(b, "Europe/Berlin")
	from := time.Date(2026, 6, 1, 0, 0, 0, 0, zone)
	b.ReportAllocs()
	for b.Loop() {
		c.Expand(from, from.AddDate(0, 0, 2), zone)
	}
}

// BenchmarkKept is the memory that the feed takes while it is kept.
func BenchmarkKept(b *testing.B) {
	text := feed(5000)
	var before, after runtime.MemStats
	for b.Loop() {
		runtime.GC()
		runtime.ReadMemStats(&before)
		c, err := Parse(text)
		if err != nil {
			b.Fatal(err)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc)-float64(before.HeapAlloc), "kept-B")
		runtime.KeepAlive(c)
	}
}
