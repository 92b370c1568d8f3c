package web

import (
	"bytes"
	"context"
	"log/slog"

	"github.com/a-h/templ"

	"roomkiosk/internal/live"
	"roomkiosk/internal/rooms"
	"roomkiosk/static"
	"roomkiosk/views"
)

// variant is a way of showing a room. Everybody who sees the same variant gets the same bytes.
type variant string

const (
	panel    variant = "panel"    // may tap
	readOnly variant = "readonly" // a panel's layout, whose taps would be refused
	viewer   variant = "viewer"
	card     variant = "card" // on the board
)

func topic(room string, v variant) string { return string(v) + "/" + room }

// Publisher renders screens and hands them to everybody who watches. It implements
// [rooms.Publisher].
type Publisher struct {
	Hub    *live.Hub
	Assets *static.Assets
	Build  string
	Log    *slog.Logger
}

// Publish renders the screen once per variant.
func (p *Publisher) Publish(s rooms.Screen) {
	for _, v := range []variant{panel, readOnly, viewer} {
		p.show(s, v, "screen", views.RoomPart(views.NewRoom(s, optionsFor(v, p.Build, p.Assets))))
	}
	p.show(s, card, "room-"+s.Room.ID, views.BoardCard(views.NewCard(s, optionsFor(card, p.Build, p.Assets))))
}

func (p *Publisher) show(s rooms.Screen, v variant, id string, part templ.Component) {
	var b bytes.Buffer
	if err := part.Render(context.Background(), &b); err != nil {
		p.Log.Error("screen not rendered", "room", s.Room.ID, "variant", v, "error", err)
		return
	}
	p.Hub.Publish(topic(s.Room.ID, v), id, b.Bytes())
}

func optionsFor(v variant, build string, a *static.Assets) views.Options {
	return views.Options{
		Panel:      v == panel || v == readOnly,
		ReadOnly:   v == readOnly,
		ShowTitles: true,
		Build:      build,
		Assets:     a,
	}
}
