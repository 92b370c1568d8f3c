// Package zoom is the kiosk's client of Zoom: check-in and check-out of a reservation
// (PATCH /rooms/{id}/events), the check-in settings of a room, the list of rooms, and the events that
// Zoom tells by its websocket subscription ([Client.Listen]) or posts to a webhook ([Client.Webhook]).
//
// One [Client] serves every room. All rooms share one server-to-server token, because Zoom counts
// requests per account; [Client.Run] renews it before it ends, so that no tap waits for a token.
// They also share one line, as Zoom limits the requests of an account, and one breaker: while Zoom as
// a whole is down nothing is sent, except one request now and then that finds out for all.
//
// Every error is or wraps a [rooms.Fault]. A request is sent once: the only repetition is after
// Zoom refused the token itself, which proves that nothing was carried out.
//
// Sources: developers.zoom.us/docs/api/rooms, /docs/internal-apps/s2s-oauth, /docs/api/rate-limits,
// /docs/api/websockets, /docs/api/webhooks and /docs/integrations/oauth-error-messages.
package zoom
