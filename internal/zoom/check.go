package zoom

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"roomkiosk/internal/rooms"
)

// maxPages bounds the list of rooms, at 300 a page.
const maxPages = 200

// RoomInfo is a room in Zoom's list.
type RoomInfo struct {
	ID     string `json:"id"` // what the configuration calls zoom_room_id
	Name   string `json:"name"`
	Status string `json:"status"` // Offline, Available, InMeeting or UnderConstruction
}

// Rooms lists the Zoom Rooms of the account, by GET /rooms. It is for setup: it needs the scope
// zoom_rooms:read:list_rooms:admin, which the kiosk doesn't need otherwise.
func (c *Client) Rooms(ctx context.Context) ([]RoomInfo, error) {
	all, err := c.list(ctx, "/rooms?page_size=300")
	if err != nil {
		return nil, fmt.Errorf("listing zoom rooms: %w", err)
	}
	return all, nil
}

// list reads all pages of a list of rooms.
func (c *Client) list(ctx context.Context, query string) ([]RoomInfo, error) {
	var all []RoomInfo
	next := ""
	for range maxPages {
		path := query
		if next != "" {
			path += "&next_page_token=" + url.QueryEscape(next)
		}
		var page struct {
			Next  string     `json:"next_page_token"`
			Rooms []RoomInfo `json:"rooms"`
		}
		if err := c.read200(ctx, path, scopeList, &page); err != nil {
			return nil, err
		}
		if page.Rooms == nil { // an empty account has an empty list, not none
			return nil, newFault(rooms.FaultBadAnswer, "the answer has no list of rooms")
		}
		all = append(all, page.Rooms...)
		if page.Next == "" {
			return all, nil
		}
		if page.Next == next {
			break
		}
		next = page.Next
	}
	return nil, newFault(rooms.FaultBadAnswer, "the list of rooms doesn't end")
}

// CheckToken gets a new token. If Zoom says which scopes it has, the one for check-in and release
// must be among them: that scope can't be tried without an effect on a room.
func (c *Client) CheckToken(ctx context.Context) error {
	tok, err := c.tokens.renew(ctx)
	if err != nil {
		return fmt.Errorf("getting a zoom token: %w", err)
	}
	if len(tok.scopes) > 0 && !slices.ContainsFunc(tok.scopes, allowsControl) {
		return fmt.Errorf("checking scopes of the zoom token: %w",
			newFault(rooms.FaultPermission, scopeRemedy("", scopeControl)))
	}
	return nil
}

// allowsControl knows the scope of PATCH /rooms/{id}/events by its granular and classic names.
func allowsControl(scope string) bool {
	switch scope {
	case scopeControl, "zoom_rooms:update:room_control:master", "room:write:admin", "room:write:master":
		return true
	default:
		return false
	}
}
