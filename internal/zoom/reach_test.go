package zoom

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"roomkiosk/internal/rooms"
)

// bubble is a client and a server inside a synctest bubble, over real HTTP on pipes.
type bubble struct {
	*Client
	srv   *server
	pipes *pipes
	reach *reachLog
	log   *lockedBuffer
	start time.Time
	stop  context.CancelFunc
	ended chan error
}

// inBubble runs test with a client whose Run is not running yet.
func inBubble(t *testing.T, test func(t *testing.T, b *bubble), edit ...func(*Config)) {
	synctest.Test(t, func(t *testing.T) {
		b := &bubble{srv: &server{}, pipes: newPipes(), reach: &reachLog{}, log: &lockedBuffer{}, start: time.Now(), ended: make(chan error, 1)}
		transport := Transport()
		transport.Proxy, transport.DialContext = nil, b.pipes.dial
		transport.DisableKeepAlives = true
		cfg := config("http://zoom.test", &http.Client{Transport: transport}, bubbleClock{}, b.log, b.reach)
		for _, e := range edit {
			e(&cfg)
		}
		b.Client = New(cfg)
		b.stream.dialer.Proxy, b.stream.dialer.NetDialContext = nil, b.pipes.dial
		hs := &http.Server{Handler: b.srv, ReadHeaderTimeout: time.Minute, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)}
		go func() { _ = hs.Serve(b.pipes) }()
		test(t, b)
		if b.stop != nil {
			b.stop()
			if err := <-b.ended; err != nil {
				t.Errorf("Run returned %v", err)
			}
		}
		_ = hs.Close()
		synctest.Wait()
	})
}

func (b *bubble) run(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	b.stop = cancel
	go func() { b.ended <- b.Run(ctx) }()
	synctest.Wait()
}

// pass lets time pass in the bubble, with all that happens in it.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// after lets time pass up to d since the start.
func (b *bubble) after(d time.Duration) {
	pass(time.Until(b.start.Add(d)))
}

func (b *bubble) expect(t *testing.T, tokens int, reach string) {
	t.Helper()
	if n := len(b.srv.tokenCalls()); n != tokens {
		t.Errorf("at %v: %d requests for a token, want %d", time.Since(b.start), n, tokens)
	}
	if got := b.reach.String(); got != reach {
		t.Errorf("at %v: reach was told %q, want %q", time.Since(b.start), got, reach)
	}
}

func TestNewStartsNothing(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.after(24 * time.Hour)
		b.expect(t, 0, "")
	})
}

func TestRunRenewsAheadOfTime(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.run(t)
		b.expect(t, 1, "")
		b.after(55*time.Minute - time.Second)
		b.expect(t, 1, "")
		b.after(55 * time.Minute)
		b.expect(t, 2, "")
		b.after(110 * time.Minute)
		b.expect(t, 3, "")
		if n := len(b.srv.calls()); n != 0 {
			t.Errorf("%d requests to the rooms API", n)
		}
	})
}

// A renewal that fails is repeated while the old token still works, and nobody notices.
func TestRenewalThatFails(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.run(t)
		b.srv.answerToken(say(503, ""))
		b.after(56 * time.Minute)
		b.expect(t, 3, "") // at 55:00 and about 30 s later
		if err := b.CheckIn(t.Context(), ada, googleRef); err != nil {
			t.Error(err)
		}
		b.srv.answerToken(nil)
		b.after(58 * time.Minute)
		b.expect(t, 4, "")
	})
}

// A token that ended while Zoom gave none is an outage.
func TestTokenEndsInTrouble(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.run(t)
		b.srv.answerToken(say(503, ""))
		b.after(65 * time.Minute)
		if got := b.reach.String(); got != "trouble" {
			t.Errorf("reach was told %q", got)
		}
	})
}

// Probes come after 30 s, growing to 5 min, spread by a tenth; the API is asked when there is a token.
func TestProbes(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.pipes.cut(syscall.ENETUNREACH)
		b.run(t)
		b.expect(t, 0, "unreachable")
		at, seen := time.Now(), b.pipes.dialed()
		for _, want := range []time.Duration{30, 60, 120, 240, 300, 300} {
			for b.pipes.dialed() == seen {
				pass(100 * time.Millisecond)
			}
			seen = b.pipes.dialed()
			want *= time.Second
			if got := time.Since(at); got < want*9/10-time.Second || got > want*11/10+time.Second {
				t.Errorf("probed after %v, want about %v", got, want)
			}
			at = time.Now()
		}
		b.expect(t, 0, "unreachable")
		b.pipes.cut(nil)
		pass(331 * time.Second)
		b.expect(t, 1, "unreachable back")
		if n := len(b.srv.calls()); n != 1 {
			t.Errorf("%d requests to the rooms API", n)
		}
	})
}

// An outage that a tap finds wakes Run out of its long sleep.
func TestTapFindsOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.run(t)
		b.after(10 * time.Minute)
		b.pipes.cut(syscall.ECONNREFUSED)
		for range 3 {
			if got := rooms.FaultOf(b.CheckIn(t.Context(), ada, googleRef)); got.Kind != rooms.FaultUnreachable {
				t.Fatal(got)
			}
		}
		b.expect(t, 1, "unreachable")
		b.pipes.cut(nil)
		b.after(10*time.Minute + 34*time.Second)
		b.expect(t, 2, "unreachable back")
		b.after(10*time.Minute + 34*time.Second + 54*time.Minute)
		b.expect(t, 2, "unreachable back")
		b.after(10*time.Minute + 34*time.Second + 56*time.Minute)
		b.expect(t, 3, "unreachable back")
	})
}

// A tap that gets through ends the outage before the next probe.
func TestTapFindsZoomBack(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.run(t)
		b.pipes.cut(syscall.ECONNREFUSED)
		_ = b.CheckIn(t.Context(), ada, googleRef)
		b.pipes.cut(nil)
		b.srv.answerAPI(say(400, saysOfflineText)) // a definite no is an answer
		if got := rooms.FaultOf(b.CheckIn(t.Context(), ada, googleRef)); got.Kind != rooms.FaultRoomOffline {
			t.Fatal(got)
		}
		b.after(50 * time.Minute)
		b.expect(t, 1, "unreachable back")
	})
}

// That there are tokens doesn't say that the API is in reach: nothing alternates, and what asks the API
// in the end is Run, by a request that may be refused.
func TestTokensAloneAreNoReach(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.run(t)
		b.srv.answerAPI(hangUp)
		_ = b.CheckIn(t.Context(), ada, googleRef)
		b.after(2 * time.Hour)
		if lines := strings.Count(b.log.String(), "msg=\"zoom "); b.reach.String() != "unreachable" || lines != 1 {
			t.Errorf("reach was told %q, %d lines", b.reach, lines)
		}
		calls := b.srv.calls()
		for i, a := range calls[1:] {
			if gap := a.at.Sub(calls[i].at); gap < firstPause || gap > lastProbe*11/10+time.Second || a.path != "/v2/rooms?page_size=1" {
				t.Errorf("%s %s after %v", a.method, a.path, gap)
			}
		}
		b.srv.answerAPI(say(400, saysNoScope))
		pass(331 * time.Second)
		if b.reach.String() != "unreachable back" {
			t.Errorf("reach was told %q", b.reach)
		}
	})
}

// As long as a token works, the token endpoint may be away: the API tells whether Zoom is in reach.
func TestOutageOfTheTokenEndpointAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.run(t)
		b.srv.answerToken(hangUp)
		b.srv.answerAPI(say(400, saysNoScope))
		b.after(59 * time.Minute)
		if b.reach.String() != "" {
			t.Errorf("reach was told %q", b.reach)
		}
		if n := len(b.srv.calls()); n < 2 || n > 5 {
			t.Errorf("%d requests to the API", n)
		}
		b.after(70 * time.Minute)
		if b.reach.String() != "unreachable" {
			t.Errorf("reach was told %q", b.reach)
		}
		b.srv.answerToken(nil)
		pass(331 * time.Second)
		if b.reach.String() != "unreachable back" {
			t.Errorf("reach was told %q", b.reach)
		}
	})
}

// The renewal of the token finds out that the network is away, although a token is at hand.
func TestRenewalFindsOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.run(t)
		b.pipes.cut(syscall.ENETUNREACH)
		b.after(55 * time.Minute)
		b.expect(t, 1, "unreachable")
	})
}

// One reason after another: what the API says replaces what was said of the token, and what somebody has
// to change is said also when it began as an outage.
func TestReasonsOfAnOutage(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.srv.answerToken(say(400, `{"error":"invalid_client"}`))
		b.run(t)
		b.srv.answerToken(nil)
		b.srv.answerAPI(say(503, ""))
		b.after(6 * time.Minute)
		b.expect(t, 2, "credentials trouble")
		b.srv.answerAPI(say(401, `{"code":124,"message":"Invalid access token."}`))
		pass(6 * time.Minute)
		if got := b.reach.String(); got != "credentials trouble credentials" {
			t.Errorf("reach was told %q", got)
		}
		b.srv.answerAPI(nil)
		pass(6 * time.Minute)
		if got := b.reach.String(); got != "credentials trouble credentials back" {
			t.Errorf("reach was told %q", got)
		}
	})
}

// When the API is away and the token endpoint is not, probes still become rarer.
func TestOutageOfTheAPIAlone(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.run(t)
		b.srv.answerAPI(hangUp)
		var last, gap time.Time
		for range 5 {
			_ = b.CheckIn(t.Context(), ada, googleRef)
			n := len(b.srv.tokenCalls())
			for len(b.srv.tokenCalls()) == n {
				pass(time.Second)
			}
			gap, last = last, time.Now()
		}
		if d := last.Sub(gap); d < 4*time.Minute {
			t.Errorf("still probes every %v", d)
		}
	})
}

func TestCredentialsAreProbedSeldom(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.srv.answerToken(say(400, `{"error":"invalid_client"}`))
		b.run(t)
		b.after(4 * time.Minute)
		b.expect(t, 1, "credentials")
		b.after(6 * time.Minute)
		b.expect(t, 2, "credentials")
		b.srv.answerToken(nil)
		b.after(12 * time.Minute)
		b.expect(t, 3, "credentials back")
	})
}

func TestThrottledProbeWaits(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.srv.answerToken(say(429, "", "Retry-After", "1200"))
		b.run(t)
		b.after(1199 * time.Second)
		b.expect(t, 1, "throttled")
		b.after(1201 * time.Second)
		b.expect(t, 2, "throttled")
	})
}

// Tokens that end at once don't make Run spin.
func TestShortTokens(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.srv.answerToken(giveToken("short-token", 1))
		b.run(t)
		b.after(time.Minute + time.Second)
		b.expect(t, 7, "")
	})
}

// A server that never answers costs 8 s.
func TestRequestTimeout(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.srv.answerAPI(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		err := b.CheckIn(t.Context(), ada, googleRef)
		if got := rooms.FaultOf(err); got.Kind != rooms.FaultUnreachable || !got.Ambiguous {
			t.Error(err)
		}
		if d := time.Since(b.start); d != requestTimeout {
			t.Errorf("took %v", d)
		}
	})
}

// One who gives up doesn't take the token away from the others; when all have, the request ends.
func TestWaitingForTokenCanBeGivenUp(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		gone := false
		b.srv.answerToken(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done(); gone = true })
		first, cancelFirst := context.WithCancel(t.Context())
		second, cancelSecond := context.WithCancel(t.Context())
		done := make(chan error, 2)
		go func() { done <- b.CheckIn(first, ada, googleRef) }()
		go func() { done <- b.CheckIn(second, ada, googleRef) }()
		synctest.Wait()
		cancelFirst()
		if err := <-done; rooms.FaultOf(err).Ambiguous || !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if gone {
			t.Error("the request ended with the first of two")
		}
		cancelSecond()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if !gone {
			t.Error("the request goes on for nobody")
		}
		b.expect(t, 1, "")
		b.srv.answerToken(nil)
		if err := b.CheckIn(t.Context(), ada, googleRef); err != nil {
			t.Error(err)
		}
	})
}

// The end of Run takes its request with it.
func TestRunEndsAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bubble) {
		b.srv.answerToken(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		b.run(t)
		b.stop()
		synctest.Wait()
		if err := <-b.ended; err != nil {
			t.Error(err)
		}
		b.stop = nil
		if time.Since(b.start) != 0 || b.reach.String() != "" {
			t.Errorf("took %v, reach was told %q", time.Since(b.start), b.reach)
		}
	})
}
