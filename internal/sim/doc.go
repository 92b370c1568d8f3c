// Package sim has stateful stand-ins for the services that the kiosk talks to: Zoom's token and
// Rooms endpoints, and Google's token endpoint and Calendar API v3. They answer over real HTTP, share
// one [Calendar], and are strict: a request that the real service would refuse is refused, with the
// body that its documentation gives. The demo and the tests run on them.
//
// Two clocks run here. What happens on calendars (a check-out that ends an event, a no-show that is
// released) follows a [rooms.Clock], which a demo may speed up. Tokens live in real time, since the
// clients' token libraries do.
package sim
