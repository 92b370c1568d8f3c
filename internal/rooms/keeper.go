package rooms

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// retryRecord is how long the keeper waits before it tries again to write what the journal could
// not take.
const retryRecord = 5 * time.Second

// lookAgain bounds the keeper's sleep: timers don't follow a wall clock that is set.
const lookAgain = time.Minute

// KeeperConfig is what a [Keeper] works with. Everything is needed but Events: without it, or
// without the room's ZoomID, check-ins are kept here, and releases go to the calendar if it is an
// [Ender].
type KeeperConfig struct {
	Room      Room
	Calendar  Calendar
	Events    Events // nil: Zoom isn't told
	Journal   Journal
	Cache     Cache
	History   History // nil: nobody keeps it
	Publisher Publisher
	Clock     Clock
	Log       *slog.Logger

	Poll        time.Duration        // how often the calendar is read; > 0
	StartSpread time.Duration        // the first reads happen at random within this time after start
	ClockDoubt  ClockDoubt           // what is thought of the clock at start; see [Keeper.Clock]
	Steady      func() time.Duration // time that passed, by a clock that nobody can set; nil: there is none
	NewID       func() string        // makes ids of actions: random, 128 bits, safe in a URL
	Random      func() float64       // in [0, 1): jitter
}

// Keeper owns a room's state. It reads the calendar, takes taps, brings them to Zoom, and publishes
// the screen whenever that changes. One goroutine, that of Run, decides; everything else sends it
// inputs.
type Keeper struct {
	cfg      KeeperConfig
	log      *slog.Logger
	shot     atomic.Pointer[Inputs] // what readers see
	clockSet atomic.Int64           // how often it was judged anew

	inputs  chan func(now time.Time) // carried out by Run's goroutine, in order
	wake    chan struct{}            // asks the poller to read now
	jobs    chan Action              // at most one: the action in flight
	stopped chan struct{}            // closed when Run returns

	// The rest belongs to Run's goroutine.
	in           Inputs
	cause        Cause  // of what is being done
	listening    bool   // Zoom's events arrive
	unknown      []News // of reservations that the schedule doesn't have yet
	inFlight     bool
	unwritten    []Action    // changes that the journal could not take yet
	readAt       []time.Time // when the calendar is to be read out of turn
	published    *Screen
	uncached     bool          // schedules can't be cached; that was logged
	profileFault FaultKind     // why Zoom's settings can't be read; that was logged
	reading      reading       // of the clock, last
	suspect      time.Duration // until when, by Steady, the keeper doubts the clock by itself; 0: it does not
}

// NewKeeper makes a keeper and loads what the stores remember of its room. It starts nothing. A
// cache that can't be read costs the cached schedule; a journal that can't be read is an error,
// because taps could be lost.
func NewKeeper(ctx context.Context, cfg KeeperConfig) (*Keeper, error) {
	k := &Keeper{
		cfg: cfg, log: cfg.Log.With("room", cfg.Room.ID),
		inputs: make(chan func(time.Time)), wake: make(chan struct{}, 1),
		jobs: make(chan Action, 1), stopped: make(chan struct{}),
	}
	if cfg.Events == nil {
		k.cfg.Room.ZoomID = "" // nobody would hear of it
	}
	_, ends := cfg.Calendar.(Ender)
	k.in = Inputs{Room: k.cfg.Room, ClockDoubt: cfg.ClockDoubt, CalendarEnds: ends}
	k.cause = ByKiosk
	if err := k.load(ctx); err != nil {
		return nil, fmt.Errorf("loading room %s: %w", cfg.Room.ID, err)
	}
	k.snapshot()
	return k, nil
}

func (k *Keeper) load(ctx context.Context) error {
	actions, err := k.cfg.Journal.ActionsOf(ctx, k.cfg.Room.ID, k.cfg.Clock.Now().Add(-shownFor))
	if err != nil {
		return err
	}
	for i := range actions {
		actions[i] = resumed(actions[i])
	}
	k.in.Actions = actions
	s, err := k.cfg.Cache.Schedule(ctx, k.cfg.Room.ID)
	switch {
	case err == nil && s.Source == k.source():
		k.in.Schedule = s
	case err != nil && !errors.Is(err, ErrNotFound):
		k.log.Warn("cached schedule not read", "error", err)
	}
	p, err := k.cfg.Cache.Profile(ctx, k.cfg.Room.ID)
	switch {
	case err == nil:
		k.in.Profile = p
	case !errors.Is(err, ErrNotFound):
		k.log.Warn("cached profile not read", "error", err)
	}
	return nil
}

// source names where the schedule comes from, so that a schedule cached from another calendar, or
// another of its rooms, is not taken for this one's. The room's id there is not told: that of a feed
// is a URL that opens it.
func (k *Keeper) source() string {
	return k.cfg.Room.Calendar + "/" + ReservationID(k.cfg.Room.CalendarID, "")
}

// resumed is an action as it goes on after a restart. Of one that was sent the answer was lost with the
// process: look again, then send again.
func resumed(a Action) Action {
	if a.State == Sent {
		a.State, a.Reason = Queued, Reason(FaultUnreachable)
	}
	return a
}

// Room returns the room as configured.
func (k *Keeper) Room() Room { return k.cfg.Room }

// Screen returns the room's screen as of now. It can be called from anywhere, before, during and
// after Run.
func (k *Keeper) Screen() Screen { return ScreenOf(*k.shot.Load(), k.cfg.Clock.Now()) }

// Run keeps the room until the context ends. A request to Zoom that is on its way is given the time
// to finish; what it answered is journalled.
func (k *Keeper) Run(ctx context.Context) error {
	defer close(k.stopped)
	var wg sync.WaitGroup
	loops, stop := context.WithCancel(ctx)
	wg.Go(func() { k.poll(loops) })
	wg.Go(func() { k.deliver(loops) })
	wg.Go(func() { k.learn(loops) })
	k.decide(ctx)
	stop()
	k.drain(&wg)
	k.write(nil) // the last chance for what the journal could not take
	return ctx.Err()
}

// decide is the owner's loop.
func (k *Keeper) decide(ctx context.Context) {
	for {
		now := k.now()
		timer := k.cfg.Clock.Timer(k.advance(now).Sub(now))
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		case input := <-k.inputs:
			input(k.now())
		}
		timer.Stop()
	}
}

// drain takes what the loops still have to say until they have stopped.
func (k *Keeper) drain(wg *sync.WaitGroup) {
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for {
		select {
		case input := <-k.inputs:
			input(k.cfg.Clock.Now())
		case <-done:
			return
		}
	}
}

// tell hands an input to the owner and waits until it is taken up, or the keeper has stopped.
func (k *Keeper) tell(input func(now time.Time)) {
	select {
	case k.inputs <- input:
	case <-k.stopped:
	}
}

// advance does what is due at an instant and returns when something will be due next.
func (k *Keeper) advance(now time.Time) time.Time {
	k.change(now, settle(k.in.Actions, now, k.clockTrusted()))
	k.dispatch(now)
	k.pollDue(now)
	s := k.publish(now)
	k.cause = ByTime // what is done next by nobody

	at := append([]time.Time{s.Change, now.Add(lookAgain)}, k.readAt...)
	if len(k.unwritten) > 0 {
		at = append(at, now.Add(retryRecord))
	}
	if a := k.nextDue(); a != nil && k.clockTrusted() {
		at = append(at, a.DueAt)
	}
	if k.suspect > 0 {
		at = append(at, now.Add(suspectFor))
	}
	at = slices.DeleteFunc(at, time.Time.IsZero)
	return slices.MinFunc(at, time.Time.Compare)
}

// change takes over a new list of actions, and journals those that differ from the old one or that
// could not be written before. A journal that fails costs no state: delivery is at least once, so
// an older state on the disk means another look, not a lost tap.
func (k *Keeper) change(now time.Time, actions []Action) {
	var changed []Action
	for i, a := range actions {
		if i >= len(k.in.Actions) || a != k.in.Actions[i] {
			changed = append(changed, a)
			k.log.Info("action changed", "action", a.ID, "kind", a.Kind, "state", a.State,
				"reason", a.Reason, "attempts", a.Attempts)
		}
	}
	k.in.Actions = k.forget(actions, now)
	k.write(changed)
	k.snapshot()
}

// forget leaves out what can't be seen any more; the journal remembers it.
func (k *Keeper) forget(actions []Action, now time.Time) []Action {
	if !k.clockTrusted() {
		return actions
	}
	return slices.DeleteFunc(actions, func(a Action) bool {
		return !a.State.Open() && !now.Before(a.ExpiresAt.Add(shownFor))
	})
}

func (k *Keeper) write(changed []Action) {
	for _, a := range changed {
		k.unwritten = slices.DeleteFunc(k.unwritten, func(o Action) bool { return o.ID == a.ID })
		k.unwritten = append(k.unwritten, a)
	}
	if len(k.unwritten) == 0 {
		return
	}
	if err := k.cfg.Journal.Record(k.unwritten...); err != nil {
		k.log.Error("action not journalled, trying again", "error", err, "actions", len(k.unwritten))
		return
	}
	k.unwritten = nil
}

// update replaces one action.
func (k *Keeper) update(now time.Time, a Action) {
	a.UpdatedAt = now
	actions := slices.Clone(k.in.Actions)
	if i := slices.IndexFunc(actions, func(o Action) bool { return o.ID == a.ID }); i >= 0 {
		actions[i] = a
	}
	k.change(now, actions)
}

func (k *Keeper) snapshot() {
	in := k.in // slices inside are never changed in place
	k.shot.Store(&in)
}

func (k *Keeper) publish(now time.Time) Screen {
	s := ScreenOf(k.in, now)
	if k.published != nil && k.published.Same(s) {
		return s
	}
	k.cfg.Publisher.Publish(s)
	if k.cfg.History != nil {
		k.cfg.History.Note(chronicle(k.published, s, k.cause)...)
	}
	k.published = &s
	return s
}

// ZoomReach tells the keeper that Zoom as a whole went out of reach (why), or is back (nil). What
// waits for Zoom is then tried at once.
func (k *Keeper) ZoomReach(why *Fault) {
	if k.cfg.Room.ZoomID == "" {
		return // the room has nothing to do with it
	}
	k.tell(func(now time.Time) {
		k.cause, k.in.ZoomFault = ByKiosk, why
		k.snapshot()
		if why == nil {
			k.hurry(now, waitsForZoom)
		}
	})
}

// Alive returns nil when the owner of the room takes up inputs; an error when it hasn't before ctx
// ended, or has stopped.
func (k *Keeper) Alive(ctx context.Context) error {
	select {
	case k.inputs <- func(time.Time) {}:
		return nil
	case <-k.stopped:
		return fmt.Errorf("keeper of %s: stopped", k.cfg.Room.ID)
	case <-ctx.Done():
		return fmt.Errorf("keeper of %s: %w", k.cfg.Room.ID, context.Cause(ctx))
	}
}

// hurry makes what waits for a reason due soon: not in all rooms at the same instant.
func (k *Keeper) hurry(now time.Time, waits func(Reason) bool) {
	actions := slices.Clone(k.in.Actions)
	soon := now.Add(k.soon())
	for i := range actions {
		a := &actions[i]
		if a.State == Queued && waits(a.Reason) && a.DueAt.After(soon) {
			a.DueAt = soon
		}
	}
	k.change(now, actions)
}

// soon is a random pause that spreads what all rooms do when the same thing happens to them.
func (k *Keeper) soon() time.Duration {
	return time.Duration(k.cfg.Random() * float64(max(2*time.Second, k.cfg.StartSpread)))
}

// waitsForZoom tells whether an action waits for Zoom as a whole, not for its room.
func waitsForZoom(why Reason) bool {
	return why != Reason(FaultRoomOffline) && why != Reason(FaultThrottled)
}
