package web

import (
	"bytes"
	"container/list"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"golang.org/x/time/rate"

	"roomkiosk/internal/live"
	"roomkiosk/static"
	"roomkiosk/views"
)

// What requests cost, in tenths of a plain one. What makes no sense is charged for afterwards.
const (
	costAsset   = 1
	costPlain   = 10
	costRubbish = 40 // on top
	costTap     = 10 // of an allowance of its own: a flood from the same address leaves it alone
)

// slowly is how long a refusal takes. Whoever floods waits for answers on few connections, and so gets
// no more than a few requests a second through each, whatever the machine could do.
const slowly = 250 * time.Millisecond

// maxCallers is how many askers are remembered. One that is forgotten starts anew, which costs less
// than refusing people whom nobody knows.
const maxCallers = 4096

// allowance is a bucket of tokens: so many a second, and so many at once.
type allowance struct {
	perSecond rate.Limit
	burst     int
}

// asker is who a request is counted for. On this machine, the panel has buckets of its own: a proxy there
// stands for everybody behind it.
type asker struct {
	addr  netip.Addr // see [live.Source]
	panel bool
}

func askerOf(r *http.Request) asker { return asker{live.SourceOf(r.RemoteAddr), isPanel(r)} }

// What an asker may do. The panel's browser loads a page every few days; a proxy may have many behind it.
func (a asker) asks() allowance {
	if live.IsLocal(a.addr) {
		return allowance{1000 * costPlain, 4000 * costPlain}
	}
	return allowance{50 * costPlain, 300 * costPlain}.of(a.addr)
}

// taps leaves two people who tap as fast as they can at one panel in peace.
func (a asker) taps() allowance {
	if live.IsLocal(a.addr) {
		return allowance{20 * costTap, 100 * costTap}
	}
	return allowance{2 * costTap, 10 * costTap}.of(a.addr)
}

func (a allowance) of(addr netip.Addr) allowance {
	share := live.Share(addr)
	return allowance{rate.Limit(share) * a.perSecond, share * a.burst}
}

func (a allowance) bucket() *rate.Limiter { return rate.NewLimiter(a.perSecond, a.burst) }

// limiter keeps the allowances of those who asked last. Its methods may be called from any goroutine.
type limiter struct {
	now     func() time.Time
	pause   func(context.Context) // before a refusal
	refused atomic.Uint64

	mu      sync.Mutex
	callers map[asker]*list.Element // of *caller
	recent  *list.List              // who asked last is in front
}

type caller struct {
	who  asker
	asks *rate.Limiter
	taps *rate.Limiter // nil: no tap yet
}

func newLimiter(now func() time.Time) *limiter {
	if now == nil {
		now = time.Now //nolint:forbidigo // the default of an argument; buckets fill by the machine's time
	}
	return &limiter{now: now, pause: pause, callers: map[asker]*list.Element{}, recent: list.New()}
}

// pause waits, unless the asker leaves.
func pause(ctx context.Context) {
	timer := time.NewTimer(slowly)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// take takes what the request costs from the asker's allowance. When there isn't so much, it takes
// nothing and returns after which time there will be.
func (l *limiter) take(who asker, cost int, tap bool) time.Duration {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.bucket(who, tap).ReserveN(now, cost)
	wait := r.DelayFrom(now)
	if wait > 0 {
		r.CancelAt(now)
		l.refused.Add(1)
	}
	return wait
}

// fine takes what rubbish costs on top, also when there isn't so much: the debt has to be waited for.
func (l *limiter) fine(who asker) {
	now := l.now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket(who, false).ReserveN(now, costRubbish)
}

// bucket finds or makes an asker's. The limiter must be locked.
func (l *limiter) bucket(who asker, tap bool) *rate.Limiter {
	e, known := l.callers[who]
	if known {
		l.recent.MoveToFront(e)
	} else {
		if l.recent.Len() == maxCallers {
			idlest := l.recent.Back()
			delete(l.callers, l.recent.Remove(idlest).(*caller).who)
		}
		e = l.recent.PushFront(&caller{who: who, asks: who.asks().bucket()})
		l.callers[who] = e
	}
	c := e.Value.(*caller)
	if !tap {
		return c.asks
	}
	if c.taps == nil {
		c.taps = who.taps().bucket()
	}
	return c.taps
}

// isTap tells whether a request wants to tap, without looking whether there is such a room.
func isTap(r *http.Request) bool {
	return r.Method == http.MethodPost &&
		(strings.HasPrefix(r.URL.Path, "/rooms/") || strings.HasPrefix(r.URL.Path, "/api/v1/rooms/"))
}

func costOf(r *http.Request, tap bool) int {
	switch {
	case tap:
		return costTap
	case strings.HasPrefix(r.URL.Path, static.Prefix):
		return costAsset
	default:
		return costPlain
	}
}

// isRubbish tells from an answer whether the request made no sense: unknown pages and names, forms that
// can't be read, what isn't the asker's business. A tap that comes too late does.
func isRubbish(status int) bool {
	return status >= 400 && status < 500 && status != http.StatusConflict && status != http.StatusTooManyRequests
}

// limitRate refuses what an address asks too much. It stands in front of everything, and what it says is
// made beforehand: a flood is refused at the price of finding its bucket.
func (s *Server) limitRate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		who, tap := askerOf(r), isTap(r)
		if wait := s.limits.take(who, costOf(r, tap), tap); wait > 0 {
			s.limits.pause(r.Context())
			s.refusal.send(c.Response(), r, wait)
			return nil
		}
		if err := next(c); err != nil {
			c.Error(err) // here, because the answer tells rubbish
		}
		if !tap && isRubbish(c.Response().Status) {
			s.limits.fine(who)
		}
		return nil
	}
}

// Refused is how many requests were refused since the start because their address asked too much.
func (s *Server) Refused() uint64 { return s.limits.refused.Load() }

// refusal is the answer to too many requests.
type refusal struct{ page, problem []byte }

func newRefusal(build string, assets *static.Assets) refusal {
	var page bytes.Buffer
	shown := views.ErrorPage(views.NewProblem(errTooMany.Title, errTooMany.Detail, "", build, assets))
	if err := shown.Render(context.Background(), &page); err != nil {
		panic("web: rendering to memory: " + err.Error())
	}
	text, err := json.Marshal(errTooMany)
	if err != nil {
		panic("web: encoding a problem: " + err.Error()) // strings and numbers always encode
	}
	return refusal{page: page.Bytes(), problem: text}
}

// send answers. A page that was refused comes back by itself: nobody can reload one on a wall.
func (a refusal) send(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	h := w.Header()
	setSecure(h)
	seconds := strconv.Itoa(max(1, int(math.Ceil(wait.Seconds()))))
	h.Set("Retry-After", seconds)
	body := a.problem
	if wantsJSON(r) {
		h.Set("Content-Type", "application/problem+json")
	} else {
		h.Set("Content-Type", "text/html; charset=utf-8")
		if r.Method == http.MethodGet {
			h.Set("Refresh", seconds)
		}
		body = a.page
	}
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write(body) // a peer that is gone needs no answer
}
