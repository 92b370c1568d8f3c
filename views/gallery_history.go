package views

import (
	"time"

	"roomkiosk/internal/rooms"
)

// HistorySample is a day on which much went wrong, as the page for IT tells it.
func HistorySample() (rooms.Screen, Past) {
	detail := func(in *rooms.Inputs, _ *time.Time) {
		in.CalendarFault = &rooms.Fault{Service: "Google Calendar", Kind: rooms.FaultPermission, Detail: "403 insufficientPermissions"}
		last := &in.Actions[len(in.Actions)-1]
		last.Attempts, last.DueAt, last.Origin = 3, instant("14:12:40"), rooms.OriginPanel
	}
	s := sample("history", at("14:12"), asOf("14:05"), zoomDown(),
		with(append(sampleMeetings()[:3], meeting("lunch", "13:45", "14:45", "Lunch", ""))...),
		tapped(rooms.CheckIn, "lunch", "13:46", rooms.Queued, rooms.Reason(rooms.FaultUnreachable)), detail).Screen
	return s, Past{
		Happenings: pastSample(), Counts: countSample(), Older: "/rooms/ada/history?before=2026-11-20T08%3A00%3A00Z",
		Troubles: []Trouble{{Since: instant("09:12"), Text: "The disk is full. Taps still go in, because a reserve was given up for them. Free some space."}},
	}
}

// pastSample has one of everything that can happen.
func pastSample() []rooms.Happening {
	flag := func(at, detail string) rooms.Happening {
		return rooms.Happening{At: instant(at), What: rooms.HappenedFlag, Cause: rooms.ByKiosk, Detail: detail}
	}
	status := func(at string, s rooms.Status, by rooms.Cause) rooms.Happening {
		return rooms.Happening{At: instant(at), What: rooms.HappenedStatus, Cause: by, Status: s}
	}
	about := func(at string, what rooms.What, by rooms.Cause, from, to string, spent time.Duration, detail string) rooms.Happening {
		return rooms.Happening{At: instant(at), What: what, Cause: by, Start: instant(from), End: instant(to), Spent: spent, Detail: detail}
	}
	all := []rooms.Happening{
		flag("14:06:30", "stale"), flag("14:05:15", "offline"),
		status("13:46:02", rooms.InUse, rooms.ByPanel),
		about("13:46:02", rooms.HappenedCheckedIn, rooms.ByPanel, "13:45", "14:45", 0, ""),
		status("13:45", rooms.AwaitingCheckIn, rooms.ByTime), status("13:35", rooms.StartingSoon, rooms.ByTime),
		about("12:58:10", rooms.HappenedCancelled, rooms.ByOrganizer, "13:00", "14:00", 0, ""),
		status("11:30", rooms.Available, rooms.ByTime),
		about("11:30", rooms.HappenedEnded, rooms.ByTime, "10:30", "11:30", time.Hour, ""),
		flag("11:05:40", "-zoom_room_offline"), flag("10:41:12", "zoom_room_offline"),
		about("10:33", rooms.HappenedUndone, rooms.ByPanel, "10:30", "11:30", 0, ""),
		about("10:31:20", rooms.HappenedCheckedIn, rooms.ByZoom, "10:30", "11:30", 0, ""),
		about("10:12:05", rooms.HappenedFailed, rooms.ByPanel, "10:00", "10:30", 0, "check_in:gone"),
		status("10:10:04", rooms.Available, rooms.ByNoShow),
		about("10:10:04", rooms.HappenedReleased, rooms.ByNoShow, "10:00", "10:30", 20*time.Minute, ""),
		about("09:15", rooms.HappenedMissed, rooms.ByTime, "09:00", "09:15", 15*time.Minute, ""),
		flag("08:01:30", "-clock_untrusted"), flag("08:00", "clock_untrusted"),
		status("08:00", rooms.Unknown, rooms.ByKiosk),
	}
	for _, h := range all[2:8] {
		h.At, h.Start, h.End = h.At.AddDate(0, 0, -1), yesterday(h.Start), yesterday(h.End)
		all = append(all, h)
	}
	return all
}

func yesterday(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.AddDate(0, 0, -1)
}

func countSample() []rooms.Count {
	var counts []rooms.Count
	for _, day := range []string{"2026-10-29", "2026-10-30", "2026-11-09"} {
		counts = append(counts,
			rooms.Count{Day: day, What: rooms.HappenedEnded, Cause: rooms.ByTime, Times: 5, Spent: 4*time.Hour + 10*time.Minute},
			rooms.Count{Day: day, What: rooms.HappenedReleased, Cause: rooms.ByPanel, Times: 1, Spent: 25 * time.Minute},
			rooms.Count{Day: day, What: rooms.HappenedMissed, Cause: rooms.ByTime, Times: 2, Spent: time.Hour},
			rooms.Count{Day: day, What: rooms.HappenedCancelled, Cause: rooms.ByOrganizer, Times: 1})
	}
	return counts
}
