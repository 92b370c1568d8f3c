package views

import (
	_ "embed"

	"roomkiosk/internal/rooms"
	"roomkiosk/static"
)

// sprite is the drawings of all icons. It stands in every page, which saves a request.
//
//go:embed icons.svg
var sprite string

// Favicon as a data: URL, which saves a request.
const favicon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E" +
	"%3Crect width='16' height='16' rx='4' fill='%2306231a'/%3E%3Cpath d='M4.5 8.5 7 11l4.5-5.5' fill='none' " +
	"stroke='%232cc590' stroke-width='2' stroke-linecap='round' stroke-linejoin='round'/%3E%3C/svg%3E"

// View is the kind of a page: it decides the layout.
type View string

// The views.
const (
	ViewPanel  View = "panel"  // fills the glass and never scrolls
	ViewViewer View = "viewer" // a room in any browser
	ViewBoard  View = "board"
	ViewPlain  View = "plain" // errors
	ViewAdmin  View = "admin" // for IT
)

// Page is what every page has around its content.
type Page struct {
	Lang, Dir string
	Title     string
	View      View
	Live      string // path of the websocket; empty: the page isn't live
	Build     string
	Refresh   string   // seconds after which a browser without scripts asks again; empty: never
	Styles    []string // URLs
	Scripts   []string
}

func newPage(title string, v View, live, build string, a *static.Assets) Page {
	p := Page{Lang: "en", Dir: "ltr", Title: title, View: v, Live: live, Build: build, Styles: []string{a.URL("kiosk.css")}}
	if live != "" {
		p.Refresh = "30"
		p.Scripts = []string{a.URL("idiomorph.js"), a.URL("live.js")}
	}
	return p
}

func roomPage(s rooms.Screen, o Options) Page {
	v := ViewViewer
	if o.Panel {
		v = ViewPanel
	}
	return newPage(s.Room.Name, v, "/rooms/"+s.Room.ID+"/live?view="+string(v), o.Build, o.Assets)
}
