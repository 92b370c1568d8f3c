package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// row is a line of the table. Figures are rendered with their units; empty: there is none.
type row struct {
	what    string
	kiosk   string
	bare    string
	ratio   string
	promise string
	verdict verdict
	notes   []string // printed below the table
}

// verdict is how a figure compares to its promise.
type verdict string

const (
	unpromised verdict = "-"
	kept       verdict = "ok"
	missed     verdict = "MISS"
	failure    verdict = "FAILED"
)

func verdictOf(ok bool) verdict {
	if ok {
		return kept
	}
	return missed
}

const noPromise = "none made"

func printTable(w io.Writer, rows []row) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "what\tkiosk\tbare\tratio\tpromise\t")
	fmt.Fprintln(t, "----\t-----\t----\t-----\t-------\t")
	for _, r := range rows {
		cells := []string{r.what, r.kiosk, r.bare, r.ratio, r.promise, string(r.verdict)}
		for i, c := range cells {
			if c == "" {
				cells[i] = "-"
			}
		}
		fmt.Fprintln(t, strings.Join(cells, "\t"))
	}
	_ = t.Flush() // as little as can be done about any other failed print
	printNotes(w, rows)
}

func printNotes(w io.Writer, rows []row) {
	fmt.Fprintln(w)
	for _, r := range rows {
		for i, n := range r.notes {
			if i == 0 {
				fmt.Fprintf(w, "%s: %s\n", strings.TrimSpace(r.what), n)
			} else {
				fmt.Fprintf(w, "    %s\n", n)
			}
		}
	}
}

// timesOf is a ratio as people read it.
func timesOf(kiosk, bare float64) string {
	if bare == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f x", kiosk/bare)
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1000) }

// mb is bytes in units of 10^6, as in the promises.
func mb(bytes float64) string { return fmt.Sprintf("%.1f MB", bytes/1e6) }

func kb(bytes float64) string { return fmt.Sprintf("%.1f KB", bytes/1e3) }
