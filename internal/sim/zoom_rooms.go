package sim

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// listRooms answers GET /v2/rooms.
func (z *Zoom) listRooms(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	size, ok := pageSize(q.Get("page_size"), 30, 300)
	from, err := z.decodePage(q.Get("next_page_token"))
	known := []string{"status", "type", "unassigned_rooms", "page_size", "next_page_token", "location_id", "query_name", "tag_ids"}
	if !ok || err != nil || !onlyFields(q, known...) || !isOneOf(q.Get("status"), roomStatuses()) || !isOneOf(q.Get("type"), roomTypes()) {
		zoomError(w, http.StatusBadRequest, 300, "Validation Failed.")
		return
	}
	list := z.matchingRooms(q)
	from = min(from, len(list))
	to := min(from+size, len(list))
	next := ""
	if to < len(list) {
		next = z.encodePage(to)
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"page_size": size, "next_page_token": next, "rooms": list[from:to],
	})
}

// roomStatuses and roomTypes are what GET /v2/rooms can be asked for.
func roomStatuses() []string {
	return []string{"Offline", "Available", "InMeeting", "UnderConstruction"}
}

func roomTypes() []string {
	return []string{
		"Kiosk", "ZoomRoom", "StandaloneWhiteboard", "SchedulingDisplayOnly", "DigitalSignageOnly", "PersonalZoomRoom",
	}
}

// isOneOf tells whether a parameter is left out or has one of the values.
func isOneOf(value string, values []string) bool {
	return value == "" || slices.Contains(values, value)
}

// matchingRooms renders the rooms that the query asks for.
func (z *Zoom) matchingRooms(q url.Values) []map[string]any {
	z.mu.Lock()
	defer z.mu.Unlock()
	list := []map[string]any{}
	for _, r := range z.rooms {
		status := z.statusOf(r)
		if want := q.Get("status"); want != "" && want != status {
			continue
		}
		if want := q.Get("type"); want != "" && want != "ZoomRoom" {
			continue
		}
		if want := q.Get("location_id"); want != "" && want != r.LocationID {
			continue
		}
		if !strings.Contains(strings.ToLower(r.Name), strings.ToLower(q.Get("query_name"))) {
			continue
		}
		list = append(list, map[string]any{
			"id": r.ID, "room_id": r.ID, "name": r.Name, "status": status,
			"location_id": r.LocationID, "activation_code": r.ActivationCode, "tag_ids": []string{},
		})
	}
	return list
}

// statusOf is the room's status as GET /v2/rooms has it. The caller holds the lock.
func (z *Zoom) statusOf(r ZoomRoom) string {
	switch {
	case z.offline[r.ID]:
		return "Offline"
	case r.UnderConstruction:
		return "UnderConstruction"
	default:
		return "Available"
	}
}

// showRoom answers GET /v2/rooms/{id} with the room's profile. The options that are named after
// minutes are in seconds.
func (z *Zoom) showRoom(w http.ResponseWriter, r *http.Request) {
	if !onlyFields(r.URL.Query(), "regenerate_activation_code") {
		zoomError(w, http.StatusBadRequest, 300, "Validation Failed.")
		return
	}
	room, ok := z.room(r.PathValue("id"))
	if !ok {
		zoomNoRoom(w, r)
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{
		"basic": map[string]any{
			"name": room.Name, "display_name": room.Name, "zoom_room_type": "ZoomRoom",
			"room_passcode": room.Passcode, "activation_code": room.ActivationCode,
			"location_id": room.LocationID, "capacity": room.Capacity,
			"support_email": "it@example.com", "support_phone": "",
			"calendar_resource_id":                         base64.RawURLEncoding.EncodeToString([]byte(room.ID)),
			"required_code_to_ext":                         false,
			"hide_room_in_contacts":                        false,
			"use_display_name_on_scheduling_display":       true,
			"show_room_capacity_on_the_scheduling_display": true,
		},
		"setup": map[string]any{
			"under_construction": room.UnderConstruction,
			"checkin_and_checkout": map[string]any{
				"enable": room.CheckIn.Enabled,
				"checkin_and_checkout_options": map[string]any{
					"checkin_minutes_prior_to_meeting_start_time":             seconds(room.CheckIn.OpensBefore),
					"allowed_minutes_before_release_room_after_no_checkout":   seconds(room.CheckIn.ReleaseAfter),
					"enable_new_user_checkin_notification":                    true,
					"enable_remove_recurring":                                 false,
					"allowed_consecutive_missed_checkin_before_removing_room": 4,
				},
			},
		},
	})
}

func zoomNoRoom(w http.ResponseWriter, r *http.Request) {
	zoomError(w, http.StatusNotFound, 1012, "Room does not exist: "+r.PathValue("id")+".")
}

// pageLife is how long a page token is good for.
const pageLife = 15 * time.Minute

// encodePage makes an opaque page token of an offset.
func (z *Zoom) encodePage(offset int) string {
	return base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, "page %d %d", offset, z.now().Add(pageLife).Unix()))
}

func (z *Zoom) decodePage(token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	text, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, err
	}
	var offset int
	var until int64
	if _, err := fmt.Sscanf(string(text), "page %d %d", &offset, &until); err != nil {
		return 0, err
	}
	if z.now().Unix() > until {
		return 0, errors.New("page token has expired")
	}
	return max(offset, 0), nil
}
