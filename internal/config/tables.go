package config

import (
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"roomkiosk/internal/rooms"
)

// zoom reads [zoom]; nil stays nil.
func (l *loader) zoom(t *table) *Zoom {
	if t == nil {
		return nil
	}
	const remedy = "Copy it from the server-to-server OAuth app in Zoom's App Marketplace."
	z := &Zoom{ClientSecret: t.secret("client_secret", true)}
	z.AccountID, _ = t.required("account_id", remedy)
	z.ClientID, _ = t.required("client_id", remedy)
	z.APIURL = t.address("api_url", DefaultZoomAPIURL, "https")
	z.TokenURL = t.address("token_url", DefaultZoomTokenURL, "https")
	z.Body = t.oneOf("body", "json", "multipart")
	z.ExchangeIDs = t.oneOf("exchange_ids", "auto", "ews", "graph")
	z.EventsURL = t.address("events_url", "", "wss")
	z.WebhookSecret = t.secret("webhook_secret", false)
	t.finish()
	return z
}

// calendars reads the [[calendar]] tables into cfg.
func (l *loader) calendars(cfg *Config, tables []*table) {
	lines := map[string]int{}
	for _, t := range tables {
		c := t.calendar()
		if c.Name != "" {
			t.unique("name", c.Name, "Give each calendar its own name.", lines)
		}
		cfg.Calendars = append(cfg.Calendars, c)
	}
}

// calendar reads one [[calendar]].
func (t *table) calendar() Calendar {
	c := Calendar{Poll: DefaultPoll}
	c.Name, _ = t.required("name", `Write a name that rooms refer to, such as name = "google".`)
	if poll := t.duration("poll", time.Second); poll != nil {
		c.Poll = *poll
	}
	if !t.kind(&c) {
		return c
	}
	switch c.Kind {
	case Google:
		c.URL = t.address("url", DefaultGoogleURL, "https")
		c.Credentials = t.serviceAccount("credentials_file")
		c.Delegate = t.text("delegate", "")
	case Graph:
		t.graph(&c)
	case EWS:
		c.URL = t.requiredAddress("url", "https", `Write url = "https://mail.example.com/EWS/Exchange.asmx" with your server's name.`)
		c.User, _ = t.required("user", `Write it as user = 'DOMAIN\kiosk'.`)
		c.Password = t.secret("password", true)
		c.Auth = t.oneOf("auth", "ntlm", "basic")
		c.Impersonate = flagOr(t.flag("impersonate"), true)
	case CalDAV, ICS:
		c.User = t.text("user", "")
		c.Password = t.secret("password", c.User != "")
		if c.User == "" && !c.Password.IsZero() {
			t.fail("", "there is a password, but no user", "Add user, or remove the password.")
		}
	}
	t.finishCalendar(c.Kind)
	return c
}

// kind reads the calendar's kind. Without a known one, only keys that no kind has are a problem
// besides.
func (t *table) kind(c *Calendar) bool {
	var names []string
	for _, k := range kinds() {
		names = append(names, string(k))
	}
	choice := "Write one of: " + strings.Join(names, ", ") + "."
	kind, ok := t.required("kind", choice)
	if ok && !slices.Contains(names, kind) {
		t.fail("kind", fmt.Sprintf("kind %s is not known", brief(kind)), choice)
		ok = false
	}
	if !ok {
		for _, key := range tableKeys()["calendar"] {
			t.claimed[key] = true
		}
		t.finish()
		return false
	}
	c.Kind = Kind(kind)
	return true
}

func (t *table) graph(c *Calendar) {
	const remedy = "Copy it from the app registration in Microsoft Entra."
	c.URL = t.address("url", DefaultGraphURL, "https")
	c.TenantID, _ = t.required("tenant_id", remedy)
	c.ClientID, _ = t.required("client_id", remedy)
	c.ClientSecret = t.secret("client_secret", true)
	c.TokenURL = t.address("token_url", "", "https")
	if c.TokenURL == "" {
		c.TokenURL = fmt.Sprintf(graphTokenURL, url.PathEscape(c.TenantID))
	}
}

// finishCalendar reports keys that belong to other kinds, then those that nobody knows.
func (t *table) finishCalendar(kind Kind) {
	known := tableKeys()["calendar"]
	for _, key := range t.unclaimed() {
		if slices.Contains(known, key) {
			t.claimed[key] = true
			t.fail(key, fmt.Sprintf("%s is not a key of kind %s", key, kind),
				"Remove it. Known here: "+strings.Join(calendarKeys(kind), ", ")+".")
		}
	}
	t.finish()
}

// rooms reads the [[room]] tables into cfg, whose calendars have to be there already.
func (l *loader) rooms(cfg *Config, tables []*table, hasZoom bool) {
	ids, doors := map[string]int{}, map[string]int{}
	for _, t := range tables {
		r := t.room(cfg)
		if r.ID != "" {
			t.unique("id", r.ID, "Give each room its own id.", ids)
		}
		if r.ZoomID != "" && !hasZoom {
			t.fail("zoom_room_id", "zoom_room_id is given, but there is no [zoom] table", "Add [zoom], or remove zoom_room_id.")
		}
		door := r.Calendar + "\x00" + r.CalendarID
		if line, taken := doors[door]; taken && r.CalendarID != "" {
			t.warn("calendar_id", fmt.Sprintf("calendar_id is that of line %d, too", line), "Check that both rooms share a calendar.")
		} else {
			doors[door] = t.line("calendar_id")
		}
		cfg.Rooms = append(cfg.Rooms, r)
	}
}

// room reads one [[room]].
func (t *table) room(cfg *Config) rooms.Room {
	r := rooms.Room{Zone: cfg.Zone, UndoWindow: rooms.DefaultUndoWindow, StaleAfter: rooms.DefaultStaleAfter}
	id, ok := t.required("id", `Write one for URLs, such as id = "ada".`)
	if ok && !roomID.MatchString(id) {
		t.fail("id", fmt.Sprintf("id %s cannot be used in URLs", brief(id)), "Write it with a-z, 0-9 and hyphens only.")
	} else {
		r.ID = id
	}
	r.Name = t.text("name", id)
	r.ZoomID = t.text("zoom_room_id", "")
	r.Location = t.text("location", "")
	r.Capacity = t.seats("capacity")
	r.Equipment = t.words("equipment")
	r.Language = t.language("language", cfg.Language)
	if _, said := t.values["time_zone"]; said {
		if zone := t.zone("time_zone"); zone != nil {
			r.Zone = zone
		}
	}
	t.claimed["time_zone"] = true
	t.onCalendar(&r, cfg.Calendars)
	r.CheckIn = checkIn(t.table("check_in", t.subject+"check_in: "))
	t.finish()
	return r
}

// onCalendar reads the room's place on a calendar.
func (t *table) onCalendar(r *rooms.Room, calendars []Calendar) {
	id, idOK := t.required("calendar_id", "Write the room's calendar id, mailbox or URL there.")
	name, ok := t.required("calendar", "Name one of the [[calendar]] tables.")
	if !ok {
		return
	}
	var names []string
	for _, c := range calendars {
		names = append(names, c.Name)
	}
	i := slices.Index(names, name)
	if i < 0 {
		slices.Sort(names)
		names = slices.DeleteFunc(slices.Compact(names), func(s string) bool { return s == "" })
		if len(names) > 0 { // else that is the problem, and reported
			t.fail("calendar", fmt.Sprintf("calendar %s is not configured", brief(name)), "Write one of: "+strings.Join(names, ", ")+".")
		}
		return
	}
	r.Calendar = name
	r.StaleAfter = max(rooms.DefaultStaleAfter, 3*calendars[i].Poll)
	if idOK && t.calendarID(calendars[i].Kind, id) {
		r.CalendarID = id
	}
}

// webcal is how addresses of feeds mostly begin.
var webcal = regexp.MustCompile(`(?i)^webcals?://`)

// calendarID tells whether id can be the room's on a calendar of this kind.
func (t *table) calendarID(kind Kind, id string) bool {
	switch kind {
	case Graph, EWS:
		if !strings.Contains(id, "@") || strings.ContainsAny(id, " /") {
			t.fail("calendar_id", "calendar_id is not a mailbox", "Write the room's e-mail address.")
			return false
		}
	case CalDAV, ICS:
		address := id
		if kind == ICS { // calendars are handed on so; it means https
			address = webcal.ReplaceAllString(id, "https://")
		}
		if reason, remedy := addressProblem(address, "https"); reason != "" {
			t.fail("calendar_id", "calendar_id "+reason, remedy)
			return false
		}
	case Google: // ids have no form that can be relied on
	}
	return true
}

// checkIn reads [room.check_in]; nil says nothing.
func checkIn(t *table) rooms.CheckInSettings {
	if t == nil {
		return rooms.CheckInSettings{}
	}
	s := rooms.CheckInSettings{
		Required:    t.flag("required"),
		OpensBefore: t.duration("opens_before", 0),
		ClosesAfter: t.duration("closes_after", 0),
	}
	t.finish()
	return s
}

func flagOr(said *bool, otherwise bool) bool {
	if said == nil {
		return otherwise
	}
	return *said
}
