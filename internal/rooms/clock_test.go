package rooms

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// watched is a watch that has looked once, with what the machine says.
func watched(stored time.Time, sync TimeSync) *ClockWatch {
	w := NewClockWatch(false, stored)
	w.Look(noon, 0, sync)
	return w
}

func TestClockWatch(t *testing.T) {
	var (
		nobody  = TimeSync{}
		waiting = TimeSync{Watched: true}
		synced  = TimeSync{Watched: true, At: noon.Add(-time.Hour)}
	)
	type step struct {
		service string        // an answer came, whose Date was
		ahead   time.Duration // so much ahead of the clock
		jump    time.Duration // or a second passed, and the clock was set by so much
		sync    TimeSync
	}
	for name, c := range map[string]struct {
		stored time.Duration // before noon
		start  TimeSync
		then   []step
		want   ClockDoubt
	}{
		"no evidence at all":                          {start: nobody, want: ClockTrusted},
		"synchronised":                                {start: synced, want: ClockTrusted},
		"synchronised, and the stores are ahead":      {stored: -time.Hour, start: synced, want: ClockTrusted},
		"waiting for the time":                        {start: waiting, want: ClockUnsynchronised},
		"waiting, and a service agrees":               {start: waiting, then: []step{{service: "a", ahead: time.Second, sync: waiting}}, want: ClockTrusted},
		"waiting, and a service disagrees":            {start: waiting, then: []step{{service: "a", ahead: time.Hour, sync: waiting}}, want: ClockDisagrees},
		"synchronised meanwhile":                      {start: waiting, then: []step{{sync: synced}}, want: ClockTrusted},
		"synchronised by a jump":                      {start: waiting, then: []step{{jump: 8 * time.Hour, sync: synced}}, want: ClockTrusted},
		"before the stores":                           {stored: -time.Hour, start: nobody, want: ClockBehind},
		"a little before the stores":                  {stored: -time.Minute, start: nobody, want: ClockTrusted},
		"before the stores, whose clock was wrong":    {stored: -time.Hour, start: nobody, then: []step{{service: "a", sync: nobody}}, want: ClockTrusted},
		"a service disagrees":                         {start: nobody, then: []step{{service: "a", ahead: -3 * time.Minute, sync: nobody}}, want: ClockDisagrees},
		"one of two disagrees":                        {start: nobody, then: []step{{service: "a", ahead: time.Hour, sync: nobody}, {service: "b", sync: nobody}}, want: ClockTrusted},
		"a service disagreed, and agrees now":         {start: nobody, then: []step{{service: "a", ahead: time.Hour, sync: nobody}, {service: "a", sync: nobody}}, want: ClockTrusted},
		"a service disagrees with a synchronised one": {start: synced, then: []step{{service: "a", ahead: time.Hour, sync: synced}}, want: ClockTrusted},
		"jumped ahead":                                {start: nobody, then: []step{{jump: time.Hour, sync: nobody}}, want: ClockJumped},
		"jumped back":                                 {start: nobody, then: []step{{jump: -time.Hour, sync: nobody}}, want: ClockJumped},
		"jumped although synchronised":                {start: synced, then: []step{{jump: time.Hour, sync: synced}}, want: ClockJumped},
		"jumped, and synchronised again":              {start: synced, then: []step{{jump: time.Hour, sync: synced}, {sync: TimeSync{Watched: true, At: noon}}}, want: ClockTrusted},
		"jumped, and a service agrees":                {start: nobody, then: []step{{jump: time.Hour, sync: nobody}, {service: "a", sync: nobody}}, want: ClockTrusted},
		"an agreement from before the jump":           {start: nobody, then: []step{{service: "a", sync: nobody}, {jump: time.Hour, sync: nobody}}, want: ClockJumped},
		"corrected by a little":                       {start: nobody, then: []step{{service: "a", sync: nobody}, {jump: time.Minute, sync: nobody}}, want: ClockTrusted},
	} {
		t.Run(name, func(t *testing.T) {
			var stored time.Time
			if c.stored != 0 {
				stored = noon.Add(-c.stored)
			}
			w := NewClockWatch(false, stored)
			got, _ := w.Look(noon, 0, c.start)
			now := noon
			for _, s := range c.then {
				if s.service != "" {
					w.Answered(s.service, now.Add(s.ahead), now)
				}
				now = now.Add(time.Second + s.jump)
				var stepped bool
				got, stepped = w.Look(now, time.Second, s.sync)
				if stepped != (s.jump != 0) {
					t.Errorf("a clock set by %v: stepped %v", s.jump, stepped)
				}
			}
			if got != c.want {
				t.Errorf("doubt %q, want %q", got, c.want)
			}
			declared := NewClockWatch(true, stored)
			for _, s := range c.then {
				if got, _ := declared.Look(now.Add(s.jump), 0, s.sync); got != ClockTrusted {
					t.Errorf("said to be right, and doubted: %q", got)
				}
			}
		})
	}
}

// The word of a service that says nothing any more holds for a while against another's, and as long as
// it is the only one.
func TestOldOpinions(t *testing.T) {
	for _, c := range []struct {
		other bool // a service that says another time
		later time.Duration
		want  ClockDoubt
	}{
		{false, 24 * time.Hour, ClockTrusted},
		{true, opinionHolds, ClockTrusted},
		{true, opinionHolds + time.Second, ClockDisagrees},
	} {
		w := watched(time.Time{}, TimeSync{})
		w.Answered("a", noon, noon)
		now := noon.Add(c.later)
		w.Look(now, c.later, TimeSync{})
		if c.other {
			w.Answered("b", now.Add(time.Hour), now)
		}
		if got, _ := w.Look(now, 0, TimeSync{}); got != c.want {
			t.Errorf("another opinion (%v) %v later: %q, want %q", c.other, c.later, got, c.want)
		}
	}
}

// However often the clock is corrected by less than the slack, what a service said is not forgotten,
// and when the corrections add up to a wrong clock, that is noticed.
func TestSmallStepsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := watched(time.Time{}, TimeSync{})
		w.Answered("a", noon, noon)
		now, off := noon, time.Duration(0)
		for _, s := range rapid.SliceOfN(rapid.IntRange(-110, 110), 1, 20).Draw(t, "steps") {
			off += time.Duration(s) * time.Second
			now = now.Add(time.Second + time.Duration(s)*time.Second)
			got, _ := w.Look(now, time.Second, TimeSync{})
			want := ClockTrusted
			if off.Abs() > clockSlack {
				want = ClockDisagrees
			}
			if got != want {
				t.Fatalf("off by %v: %q, want %q", off, got, want)
			}
		}
	})
}
