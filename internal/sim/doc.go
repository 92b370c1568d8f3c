// Package sim has stateful stand-ins for the services that the kiosk talks to: Zoom with its token and
// Rooms endpoints, its event stream and its webhooks, and the calendars: Google, Microsoft Graph, EWS,
// CalDAV and ICS feeds. They answer over real HTTP, share one [Calendar], and are strict: a request that
// the real service would refuse is refused, with the body that its documentation gives. The demo and the
// tests run on them.
//
// What goes wrong is a switch: [Faults] of a service, [StreamFaults] of Zoom's events, [ProxyFaults] of
// the network in between, which [Weather] changes at random. [World.Truth] tells what was so all the
// while, for comparing it with what a screen says.
//
// Two clocks run here. What happens on calendars (a check-out that ends an event, a no-show that is
// released) follows a [rooms.Clock], which a demo may speed up. Tokens and the silence of a listener are
// counted in real time, since the clients' libraries do so.
package sim
