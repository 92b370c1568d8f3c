package views

import (
	"fmt"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

// Sample is a screen worth looking at. Golden tests, screenshots and the gallery show all of them.
type Sample struct {
	Name     string // for file names
	Screen   rooms.Screen
	ReadOnly bool // as seen at a panel's address by somebody who isn't the panel
}

// sampleDay is the day that all samples are on: a Tuesday.
const sampleDay = "2026-11-24"

// Samples returns every state that a room's screen can be in. They are what the domain says about
// made-up rooms at fixed instants.
func Samples() []Sample {
	var samples []Sample
	for _, family := range [][]Sample{freeSamples(), bookedSamples(), tapSamples(), doubtSamples(), oddSamples()} {
		samples = append(samples, family...)
	}
	return samples
}

func freeSamples() []Sample {
	return []Sample{
		sample("available", at("09:35")),
		sample("available-rest-of-day", at("17:40")),
		sample("available-empty-day", at("11:20"), with()),
		sample("starting-soon", at("09:54")),
		sample("checked-in-early", at("09:54"), tapped(rooms.CheckIn, "weekly", "09:53", rooms.Confirmed, "")),
	}
}

func bookedSamples() []Sample {
	return []Sample{
		sample("awaiting-check-in", at("10:03")),
		sample("overdue", at("10:14")),
		sample("in-use", at("10:12"), checkedIn("weekly")),
		sample("in-use-next-opens", at("10:23"), checkedIn("weekly")),
		sample("private", at("13:20"), checkedIn("private")),
		sample("untitled", at("14:41"), checkedIn("untitled")),
		sample("no-check-in", at("10:12"), func(in *rooms.Inputs, _ *time.Time) { in.Room.CheckIn.Required = new(bool) }),
		sample("overlapping", at("10:12"), checkedIn("weekly"), with(
			meeting("weekly", "10:00", "11:00", "Weekly", "Jane Doe"),
			meeting("clash", "10:00", "10:45", "Interview", "Sam Okafor"),
			meeting("late", "10:30", "11:30", "Design review", "Amir Haddad"),
		)),
	}
}

func tapSamples() []Sample {
	return []Sample{
		sample("check-in-queued", at("10:03"), tapped(rooms.CheckIn, "weekly", "10:03", rooms.Queued, "")),
		sample("check-in-accepted", at("10:03"), tapped(rooms.CheckIn, "weekly", "10:03", rooms.Accepted, "")),
		sample("check-in-offline", at("10:04"), zoomDown(),
			tapped(rooms.CheckIn, "weekly", "10:03", rooms.Queued, rooms.Reason(rooms.FaultUnreachable))),
		sample("check-in-failed", at("10:04"), tapped(rooms.CheckIn, "weekly", "10:03", rooms.Failed, rooms.ReasonGone)),
		sample("release-held", at("10:15:02"), checkedIn("weekly"), held("weekly", "10:15", 7*time.Second)),
		sample("release-accepted", at("10:16"), checkedIn("weekly"), tapped(rooms.Release, "weekly", "10:15", rooms.Accepted, "")),
		sample("release-undone", at("10:15:05"), checkedIn("weekly"), tapped(rooms.Release, "weekly", "10:15", rooms.Undone, "")),
		sample("release-unseen", at("10:18"), checkedIn("weekly"), tapped(rooms.Release, "weekly", "10:15", rooms.Accepted, rooms.ReasonUnseen)),
		sample("check-in-refused", at("10:04"),
			tapped(rooms.CheckIn, "weekly", "10:03", rooms.Queued, rooms.Reason(rooms.FaultCredentials))),
		sample("release-failed", at("10:16"), checkedIn("weekly"),
			tapped(rooms.Release, "weekly", "10:15", rooms.Failed, rooms.Reason(rooms.FaultPermission))),
	}
}

func doubtSamples() []Sample {
	calendarDown := func(in *rooms.Inputs, _ *time.Time) {
		in.CalendarFault = &rooms.Fault{Service: "Google Calendar", Kind: rooms.FaultUnreachable}
	}
	unread := func(in *rooms.Inputs, _ *time.Time) { in.Schedule = rooms.Schedule{} }
	return []Sample{
		sample("stale", at("14:12"), asOf("14:05")),
		sample("stale-in-use", at("13:20"), asOf("13:05"), checkedIn("private")),
		sample("offline", at("14:12"), asOf("14:05"), calendarDown),
		sample("zoom-unreachable", at("10:12"), zoomDown(), checkedIn("weekly")),
		sample("zoom-room-offline", at("10:04"),
			tapped(rooms.CheckIn, "weekly", "10:03", rooms.Queued, rooms.Reason(rooms.FaultRoomOffline))),
		sample("clock-untrusted", at("10:12"), func(in *rooms.Inputs, _ *time.Time) { in.ClockDoubt = rooms.ClockUnsynchronised }),
		sample("under-construction", at("10:12"), func(in *rooms.Inputs, _ *time.Time) { in.Profile.UnderConstruction = true }),
		sample("unknown", at("08:00"), unread, calendarDown),
		sample("outdated", at("08:00"), calendarDown, func(in *rooms.Inputs, _ *time.Time) {
			from := in.Schedule.From.AddDate(0, 0, -4)
			in.Schedule = rooms.Schedule{Source: "google", From: from, To: from.AddDate(0, 0, 2), AsOf: from.Add(14 * time.Hour)}
		}),
	}
}

func oddSamples() []Sample {
	long := "Quarterly alignment of the regional steering committee with guests from finance, procurement and legal: " +
		"review of open points, decisions of the last round, budget for the coming year and a few words of thanks"
	readOnly := sample("read-only", at("10:03"))
	readOnly.ReadOnly = true
	return []Sample{
		sample("twelve-meetings", at("08:35"), with(twelve()...)),
		sample("all-day", at("10:12"), with(allDay())),
		sample("all-day-checked-in", at("10:12"), with(allDay(), meeting("weekly", "15:00", "16:00", "Weekly", "Jane Doe")), checkedIn("offsite")),
		sample("long-title", at("10:03"), with(meeting("next", "11:00", "11:30", long, "Amir Haddad"), meeting("weekly", "10:00", "10:30", long, "Maximiliane-Charlotte von Hohenstein-Oberwaldau, Head of Regional Coordination"))),
		sample("one-word-title", at("10:03"), with(meeting("weekly", "10:00", "10:30", strings.Repeat("Donaudampfschifffahrt", 12), ""))),
		sample("right-to-left", at("10:12"), checkedIn("weekly"), with(
			meeting("weekly", "10:00", "10:30", "اجتماع الفريق الأسبوعي – Q4", "ليلى حداد"),
			meeting("later", "11:00", "12:00", "פגישת תכנון", "דנה לוי"))),
		sample("markup", at("10:03"), with(meeting("weekly", "10:00", "10:30", `<b onclick="x()">R&D</b> 🚀 "sync" </main>`, "<script>"))),
		readOnly,
	}
}

// build is an option of a sample.
type build func(in *rooms.Inputs, now *time.Time)

func sample(name string, options ...build) Sample {
	in := rooms.Inputs{Room: sampleRoom()}
	from := rooms.DayStart(instant("12:00"), in.Room.Zone, 0)
	in.Schedule = rooms.NewSchedule("google", from, from.AddDate(0, 0, 2), time.Time{}, sampleMeetings())
	now := time.Time{}
	for _, o := range options {
		o(&in, &now)
	}
	if !in.Schedule.From.IsZero() && in.Schedule.AsOf.IsZero() {
		in.Schedule.AsOf = now.Add(-7 * time.Second)
	}
	return Sample{Name: name, Screen: rooms.ScreenOf(in, now)}
}

func sampleRoom() rooms.Room {
	return rooms.Room{
		ID: "ada", Name: "Ada Lovelace", Location: "Building A / Floor 2", Capacity: 8,
		Equipment: []string{"Display", "Whiteboard"}, Zone: sampleZone(), Language: "en",
		ZoomID: "qMOLddnySIGGVycz8aX_JQ", Calendar: "google", CalendarID: "ada@example.com",
		StaleAfter: rooms.DefaultStaleAfter, UndoWindow: rooms.DefaultUndoWindow,
	}
}

func sampleZone() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil { // a machine without time zones shows the samples all the same
		return time.FixedZone("Europe/Berlin", 3600)
	}
	return zone
}

func sampleMeetings() []rooms.Reservation {
	tomorrow := meeting("tomorrow", "09:30", "10:30", "Sprint planning", "Amir Haddad")
	tomorrow.Start, tomorrow.End = tomorrow.Start.AddDate(0, 0, 1), tomorrow.End.AddDate(0, 0, 1)
	private := meeting("private", "13:00", "14:00", "", "")
	private.Private = true
	return []rooms.Reservation{
		meeting("standup", "09:00", "09:15", "Stand-up", "Jane Doe"),
		meeting("weekly", "10:00", "10:30", "Weekly", "Jane Doe"),
		meeting("review", "10:30", "11:30", "Design review", "Amir Haddad"),
		private,
		meeting("untitled", "14:30", "15:00", "", "Sam Okafor"),
		meeting("workshop", "16:00", "17:30", "Customer workshop", "Lena Fischer"),
		tomorrow,
	}
}

func meeting(id, from, to, title, organizer string) rooms.Reservation {
	return rooms.Reservation{
		ID: id, Ref: rooms.EventRef{EventID: id, CalendarID: "ada@example.com"},
		Start: instant(from), End: instant(to), Title: title, Organizer: organizer,
	}
}

func allDay() rooms.Reservation {
	zone := sampleZone()
	r := meeting("offsite", "12:00", "12:00", "Job fair", "People team")
	r.Start, r.End, r.AllDay = rooms.DayStart(r.Start, zone, 0), rooms.DayStart(r.Start, zone, 1), true
	return r
}

func twelve() []rooms.Reservation {
	titles := []string{"Stand-up", "Interview", "Budget", "Design review", "One to one", "Lunch talk",
		"Roadmap", "Support hand-over", "Weekly", "Retrospective", "Demo", "Yoga"}
	all := make([]rooms.Reservation, len(titles))
	for i, title := range titles {
		id := fmt.Sprintf("m%d", i)
		all[i] = meeting(id, fmt.Sprintf("%02d:%02d", 9+i*3/4, i*45%60), fmt.Sprintf("%02d:%02d", 9+(i*45+30)/60, (i*45+30)%60), title, "Jane Doe")
	}
	return all
}

// instant reads a time of the sample day, "15:04" or "15:04:05", at the sample rooms' door.
func instant(clock string) time.Time {
	if len(clock) == len("15:04") {
		clock += ":00"
	}
	t, err := time.ParseInLocation(time.DateTime, sampleDay+" "+clock, sampleZone())
	if err != nil {
		panic("views: sample at " + clock) // samples are constants of this file
	}
	return t
}

func at(clock string) build {
	return func(_ *rooms.Inputs, now *time.Time) { *now = instant(clock) }
}

func asOf(clock string) build {
	return func(in *rooms.Inputs, _ *time.Time) { in.Schedule.AsOf = instant(clock) }
}

func with(meetings ...rooms.Reservation) build {
	return func(in *rooms.Inputs, _ *time.Time) {
		in.Schedule = rooms.NewSchedule("google", in.Schedule.From, in.Schedule.To, in.Schedule.AsOf, meetings)
	}
}

func zoomDown() build {
	return func(in *rooms.Inputs, _ *time.Time) {
		in.ZoomFault = &rooms.Fault{Service: "Zoom", Kind: rooms.FaultUnreachable}
	}
}

func checkedIn(id string) build {
	return func(in *rooms.Inputs, now *time.Time) {
		tapped(rooms.CheckIn, id, "", rooms.Confirmed, "")(in, now)
	}
}

func held(id, when string, window time.Duration) build {
	return func(in *rooms.Inputs, now *time.Time) {
		tapped(rooms.Release, id, when, rooms.Held, "")(in, now)
		a := &in.Actions[len(in.Actions)-1]
		a.DueAt = a.TappedAt.Add(window)
	}
}

// tapped adds an action on a reservation of the schedule. Without a time it was tapped at the start.
func tapped(kind rooms.ActionKind, id, when string, state rooms.ActionState, reason rooms.Reason) build {
	return func(in *rooms.Inputs, _ *time.Time) {
		for _, r := range in.Schedule.Reservations {
			if r.ID != id {
				continue
			}
			tappedAt := r.Start
			if when != "" {
				tappedAt = instant(when)
			}
			in.Actions = append(in.Actions, rooms.Action{
				ID: fmt.Sprintf("a%d", len(in.Actions)+1), Room: in.Room.ID, Kind: kind, Reservation: id, Ref: r.Ref,
				Start: r.Start, End: r.End, Origin: "panel", TappedAt: tappedAt, UpdatedAt: tappedAt,
				State: state, Reason: reason, DueAt: tappedAt, ExpiresAt: r.End, Attempts: 1,
			})
		}
	}
}
