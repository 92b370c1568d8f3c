// Package zoom is the kiosk's client of Zoom's REST API: check-in and check-out of a reservation
// (PATCH /rooms/{id}/events), the check-in settings of a room, and the list of rooms for setup.
//
// One [Client] serves every room. All rooms share one server-to-server token, because Zoom counts
// requests per account; [Client.Run] renews it before it ends, so that no tap waits for a token.
// Every error is or wraps a [rooms.Fault]. A request is sent once: the only repetition is after
// Zoom refused the token itself, which proves that nothing was carried out.
//
// Sources: developers.zoom.us/docs/api/rooms, /docs/internal-apps/s2s-oauth, /docs/api/rate-limits
// and /docs/integrations/oauth-error-messages.
package zoom
