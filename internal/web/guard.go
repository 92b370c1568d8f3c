package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/labstack/echo/v4"
)

// maxBody is the size of the largest request body that is read, in bytes. Ours have one short field.
const maxBody = 4 << 10

// contentPolicy allows what the pages are made of and nothing else: no code or style of their own,
// nothing from elsewhere, no framing.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// secure sets the headers that every answer has.
func secure(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		setSecure(c.Response().Header())
		return next(c)
	}
}

func setSecure(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
	h.Set("Cache-Control", "no-store") // the assets' handler says otherwise for itself
}

// hostList are the Host names that this server answers to. Checks of the origin alone let a page
// through whose DNS name was rebound to this machine: its origin and its host agree.
type hostList map[string]bool

func newHostList(names []string) hostList {
	l := hostList{"localhost": true}
	for _, n := range names {
		l[strings.ToLower(strings.TrimSuffix(n, "."))] = true
	}
	return l
}

// allows tells whether a Host may be answered. An IP address is allowed if it is the one that the
// connection came in on, or loopback: no name had to be resolved for it, so none can be rebound.
func (l hostList) allows(host string, local net.Addr) bool {
	name := hostName(host)
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return l[name] || strings.HasSuffix(name, ".localhost")
	}
	ip = ip.Unmap().WithZone("")
	if ip.IsLoopback() || l[name] {
		return true
	}
	at, err := netip.ParseAddrPort(addrString(local))
	return err == nil && at.Addr().Unmap().WithZone("") == ip
}

// hostName is a Host without its port, in lower case.
func hostName(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
}

func addrString(a net.Addr) string {
	if a == nil {
		return ""
	}
	return a.String()
}

func (s *Server) allowHosts(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		local, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
		if !s.hosts.allows(r.Host, local) {
			s.noteLostEvent(r, "add the name to hosts in kiosk.toml, if it is the one that Zoom was given")
			return errWrongHost
		}
		return next(c)
	}
}

// sameOrigin refuses what a page of another site makes a browser send. Programs send neither Origin
// nor Sec-Fetch-Site and pass.
func (s *Server) sameOrigin(protection *http.CrossOriginProtection) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			if err := protection.Check(c.Request()); err != nil {
				s.noteLostEvent(c.Request(), "have the proxy in between take off the headers Origin and Sec-Fetch-Site")
				return errCrossOrigin
			}
			return next(c)
		}
	}
}

// zoomEventsPath is where Zoom posts its events to. Its handler limits what it reads itself.
const zoomEventsPath = "/webhooks/zoom"

// maxName is the length of the longest name that the DNS has.
const maxName = 253

// noteLostEvent tells IT, now and then, that what looks like an event from Zoom was refused before its
// signature was checked. Zoom shows nobody the answer, and anybody may have sent it.
func (s *Server) noteLostEvent(r *http.Request, remedy string) {
	if s.cfg.ZoomEvents == nil || r.Method != http.MethodPost || r.URL.Path != zoomEventsPath || r.Header.Get("X-Zm-Signature") == "" {
		return
	}
	s.lostEvents.Do(func() {
		name := hostName(r.Host)
		s.cfg.Log.Warn("event for Zoom's webhook refused", "host", name[:min(len(name), maxName)], "remedy", remedy)
	})
}

func limitBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if r.URL.Path == zoomEventsPath {
			return next(c)
		}
		if r.ContentLength > maxBody {
			return errTooLarge
		}
		r.Body = http.MaxBytesReader(c.Response(), r.Body, maxBody)
		return next(c)
	}
}

// isPanel tells whether the request may tap. Until panels are paired, that is the browser on the
// kiosk itself: one that comes from loopback, asks loopback, and was not passed on by a proxy, which
// would make everybody look like that. A proxy that says nothing of itself mostly speaks HTTP/1.0, as
// no browser does.
func isPanel(r *http.Request) bool {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !at.Addr().Unmap().IsLoopback() || !asksLoopback(r.Host) || !r.ProtoAtLeast(1, 1) {
		return false
	}
	for name := range r.Header { // also without a value: a proxy may have added a second one
		if tellsOfProxy(name) {
			return false
		}
	}
	return true
}

func tellsOfProxy(header string) bool {
	switch header {
	case "Forwarded", "Via", "X-Forwarded", "X-Real-Ip", "X-Client-Ip", "Cf-Connecting-Ip", "True-Client-Ip":
		return true
	default:
		return strings.HasPrefix(header, "X-Forwarded-")
	}
}

func asksLoopback(host string) bool {
	name := hostName(host)
	ip, err := netip.ParseAddr(name)
	if err != nil {
		return name == "localhost" || strings.HasSuffix(name, ".localhost")
	}
	return ip.Unmap().IsLoopback()
}

func (s *Server) panelsOnly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !isPanel(c.Request()) {
			return errNotPanel
		}
		return next(c)
	}
}

func (s *Server) adminsOnly(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if !isPanel(c.Request()) {
			return errNotAdmin
		}
		return next(c)
	}
}
