package rooms

import (
	"fmt"
	"time"

	"pgregory.net/rapid"
)

// Zones with every kind of night: none, one hour, half an hour, and clocks that skip midnight.
var zones = []string{"UTC", "Europe/Berlin", "Pacific/Auckland", "Australia/Lord_Howe", "America/New_York", "Africa/Cairo", "America/Santiago", "America/Havana"}

// Days around which random schedules lie: an ordinary one, both DST nights of Berlin and of
// Auckland, those on which Cairo and Santiago have no midnight, and the one on which Havana has two.
var days = []string{"2026-11-23", "2026-03-29", "2026-10-25", "2026-04-05", "2026-09-27", "2026-04-24", "2026-09-06", "2026-11-01"}

func genZone(t *rapid.T) *time.Location {
	zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// genInputs draws a room with a random day, and actions at random points of their lives. It also
// returns the start of the two days that the schedule is about.
func genInputs(t *rapid.T) (Inputs, time.Time) {
	zone := genZone(t)
	day, err := time.ParseInLocation("2006-01-02", rapid.SampledFrom(days).Draw(t, "day"), zone)
	if err != nil {
		t.Fatal(err)
	}
	noon := day.Add(12 * time.Hour)
	from, to := Window(noon, zone)
	in := Inputs{
		Room: Room{
			ID: "ada", Zone: zone, Calendar: "google", CalendarID: "c",
			ZoomID:     rapid.SampledFrom([]string{"z", "z", "z", ""}).Draw(t, "zoom"),
			StaleAfter: seconds(t, 1, 7200, "stale after"),
		},
		Profile: genProfile(t),
	}
	if rapid.IntRange(0, 19).Draw(t, "never read") > 0 {
		asOf := from.Add(seconds(t, 0, 86400, "as of"))
		in.Schedule = NewSchedule("google/c", from, to, asOf, genReservations(t, from))
	}
	if rapid.IntRange(0, 9).Draw(t, "clock") == 0 {
		in.ClockDoubt = ClockUnsynchronised
	}
	for _, r := range in.Schedule.Reservations {
		in.Actions = append(in.Actions, genActions(t, r)...)
	}
	return in, from
}

func genProfile(t *rapid.T) Profile {
	required := rapid.IntRange(0, 4).Draw(t, "required") > 0
	opens, closes := seconds(t, 0, 1800, "opens"), seconds(t, 0, 1800, "closes")
	return Profile{
		CheckIn:           CheckInSettings{Required: &required, OpensBefore: &opens, ClosesAfter: &closes},
		UnderConstruction: rapid.Bool().Draw(t, "construction"),
	}
}

// genReservations draws meetings that touch, overlap, repeat their bounds, and last nothing, in
// whole minutes so that coincidences are common.
func genReservations(t *rapid.T, from time.Time) []Reservation {
	n := rapid.IntRange(0, 6).Draw(t, "meetings")
	out := make([]Reservation, 0, n)
	start := from
	for i := range n {
		start = start.Add(time.Duration(rapid.IntRange(-1, 6).Draw(t, "gap")) * 10 * time.Minute)
		end := start.Add(time.Duration(rapid.SampledFrom([]int{0, 10, 30, 60, 1440}).Draw(t, "length")) * time.Minute)
		out = append(out, Reservation{ID: fmt.Sprint("r", i), Ref: EventRef{EventID: fmt.Sprint("e", i)}, Start: start, End: end})
		if rapid.Bool().Draw(t, "adjacent") {
			start = end
		}
	}
	return out
}

func genActions(t *rapid.T, r Reservation) []Action {
	states := []ActionState{Held, Queued, Sent, Accepted, Confirmed, Failed, Expired, Undone, Superseded}
	n := rapid.IntRange(0, 2).Draw(t, "actions")
	out := make([]Action, 0, n)
	for i := range n {
		tapped := r.Start.Add(seconds(t, -600, 1200, "tapped"))
		a := Action{
			ID: fmt.Sprint(r.ID, i), Kind: rapid.SampledFrom([]ActionKind{CheckIn, Release}).Draw(t, "kind"),
			Reservation: r.ID, Start: r.Start, End: r.End, TappedAt: tapped, UpdatedAt: tapped,
			State: rapid.SampledFrom(states).Draw(t, "state"), ExpiresAt: r.End,
			DueAt: tapped.Add(seconds(t, 0, 60, "due")),
		}
		if a.Kind == CheckIn && a.State == Held {
			a.State = Queued
		}
		out = append(out, a)
	}
	return out
}

func seconds(t *rapid.T, from, to int, label string) time.Duration {
	return time.Duration(rapid.IntRange(from, to).Draw(t, label)) * time.Second
}
