package zoom_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/sim"
	"roomkiosk/internal/zoom"
)

// next waits for the next news.
func next(t *testing.T, heard <-chan rooms.News) rooms.News {
	t.Helper()
	select {
	case n := <-heard:
		return n
	case <-time.After(10 * time.Second):
		t.Fatal("nothing heard")
		return rooms.News{}
	}
}

// The stand-in's stream tells of what the client did, and of what happened in the room.
func TestStreamOfTheStandIn(t *testing.T) {
	heard, up := make(chan rooms.News, 100), make(chan bool, 100)
	w := newWorld(t)
	w.Zoom.AddRoom(sim.ZoomRoom{ID: ada.ZoomID, Name: "Ada", Kind: sim.OnGoogle, CalendarID: calendarID, CheckIn: sim.ZoomCheckIn{Enabled: true}})
	client := zoom.New(zoom.Config{
		AccountID: "acc", ClientID: "id", ClientSecret: "s3cr:et+/", Clock: stillClock{}, HTTP: &http.Client{Transport: w.transport},
		APIURL: w.ZoomURL(), TokenURL: w.ZoomTokenURL(), EventsURL: w.ZoomEventsURL(),
		Hear: func(n rooms.News) { heard <- n }, Listening: func(on bool) { up <- on },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- client.Listen(ctx) }()
	defer func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	if !<-up {
		t.Fatal("not up")
	}
	if err := client.CheckIn(ctx, ada, w.googleRef()); err != nil {
		t.Fatal(err)
	}
	if n := next(t, heard); n.Kind != rooms.NewsCheckedIn || n.ZoomRoomID != ada.ZoomID || len(n.EventIDs) != 1 || n.EventIDs[0] != w.weekly.ID || !n.At.Equal(nine) {
		t.Errorf("heard %+v", n)
	}
	w.Zoom.SetOffline(ada.ZoomID, true)
	if n := next(t, heard); n.Kind != rooms.NewsRoomOffline || n.ZoomRoomID != ada.ZoomID {
		t.Errorf("heard %+v", n)
	}
	w.Zoom.DropStream()
	if <-up || !<-up {
		t.Error("not up again")
	}
	w.Zoom.SetOffline(ada.ZoomID, false)
	if n := next(t, heard); n.Kind != rooms.NewsRoomOnline {
		t.Errorf("heard %+v", n)
	}
}

// The stand-in's webhook takes the handler for one, and is heard.
func TestWebhookOfTheStandIn(t *testing.T) {
	heard := make(chan rooms.News, 100)
	w := newWorld(t)
	w.Zoom.AddRoom(sim.ZoomRoom{ID: grace.ZoomID, Name: "Grace", Kind: sim.OnExchange, CalendarID: mailbox, CheckIn: sim.ZoomCheckIn{Enabled: true}})
	client := zoom.New(zoom.Config{AccountID: "acc", Clock: stillClock{}, Hear: func(n rooms.News) { heard <- n }})
	srv := httptest.NewServer(client.Webhook("h00k"))
	defer srv.Close()
	w.Zoom.SetWebhook(srv.URL, "h00k")
	if err := w.Zoom.ValidateWebhook(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.client.CheckIn(t.Context(), grace, w.exchangeRef()); err != nil {
		t.Fatal(err)
	}
	want := w.exchangeRef().EventID
	if n := next(t, heard); n.Kind != rooms.NewsCheckedIn || n.EventIDs[0] != want || len(n.EventIDs) != 2 || n.EventIDs[1] != w.daily.ID {
		t.Errorf("heard %+v, want %s", n, want)
	}
	w.Zoom.SetWebhook("", "")
}
