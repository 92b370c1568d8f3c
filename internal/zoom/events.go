package zoom

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"

	"roomkiosk/internal/rooms"
)

// The methods of PATCH /rooms/{id}/events that the kiosk uses.
const (
	methodCheckIn  = "zoomroom.check_in"
	methodCheckOut = "zoomroom.check_out"
)

// control is the body of PATCH /rooms/{id}/events.
type control struct {
	Method string        `json:"method"`
	Params controlParams `json:"params"`
}

// controlParams holds what names the event: id and calendar for Google, id, change key and mailbox
// for Exchange. What the kind of calendar doesn't have is left out.
type controlParams struct {
	EventID       string `json:"event_id"`
	ChangeKey     string `json:"change_key,omitempty"`
	ResourceEmail string `json:"resource_email,omitempty"`
	CalendarID    string `json:"calendar_id,omitempty"`
}

// CheckIn implements [rooms.Events].
func (c *Client) CheckIn(ctx context.Context, room rooms.Room, ref rooms.EventRef) error {
	if err := c.control(ctx, room, methodCheckIn, ref); err != nil {
		return fmt.Errorf("checking in at %s: %w", room.ID, err)
	}
	return nil
}

// Release implements [rooms.Events].
func (c *Client) Release(ctx context.Context, room rooms.Room, ref rooms.EventRef) error {
	if err := c.control(ctx, room, methodCheckOut, ref); err != nil {
		return fmt.Errorf("releasing %s: %w", room.ID, err)
	}
	return nil
}

// control sends one method with its event to a room.
func (c *Client) control(ctx context.Context, room rooms.Room, method string, ref rooms.EventRef) error {
	if ref.EventID == "" {
		return newFault(rooms.FaultInvalid, "the reservation has no event id")
	}
	if isExchange(ref) {
		return c.controlExchange(ctx, room, method, ref)
	}
	return c.command(ctx, room, method, ref)
}

// command sends one method with its event, as it is, to a room.
func (c *Client) command(ctx context.Context, room rooms.Room, method string, ref rooms.EventRef) error {
	path, fault := roomPath(room)
	if fault != nil {
		return fault
	}
	body, contentType, err := c.encode(control{Method: method, Params: controlParams(ref)})
	if err != nil {
		return newFault(rooms.FaultInvalid, "the request can't be written: "+err.Error())
	}
	_, err = c.call(ctx, request{
		method:      http.MethodPatch,
		path:        path + "/events",
		contentType: contentType,
		body:        body,
		scope:       scopeControl,
		effect:      true,
	})
	return err
}

// encode writes the body in the configured form and names its content type.
func (c *Client) encode(ctl control) (body []byte, contentType string, err error) {
	if !c.multipart {
		body, err = json.Marshal(ctl)
		return body, "application/json", err
	}
	params, err := json.Marshal(ctl.Params)
	if err != nil {
		return nil, "", err
	}
	var buf bytes.Buffer
	form := multipart.NewWriter(&buf)
	if err := form.WriteField("method", ctl.Method); err != nil {
		return nil, "", err
	}
	if err := form.WriteField("params", string(params)); err != nil {
		return nil, "", err
	}
	if err := form.Close(); err != nil {
		return nil, "", err
	}
	return buf.Bytes(), form.FormDataContentType(), nil
}

// roomPath is the path of a room under the API's URL.
func roomPath(room rooms.Room) (string, *rooms.Fault) {
	if room.ZoomID == "" {
		return "", newFault(rooms.FaultInvalid, "the room has no zoom_room_id")
	}
	return "/rooms/" + url.PathEscape(room.ZoomID), nil
}
