package main

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"roomkiosk/internal/rooms"
	"roomkiosk/internal/store"
)

// metrics are the kiosk's figures for Prometheus. None has a title, a name or an address in it.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "kiosk_service_requests_total",
			Help: "Requests to Zoom and the calendars by status; status 0 is no answer.",
		}, []string{"service", "status"}),
	}
	m.registry.MustRegister(m.requests, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// count counts the requests that go through a transport.
func (m *metrics) count(service string, next http.RoundTripper) http.RoundTripper {
	return promhttp.RoundTripperFunc(func(r *http.Request) (*http.Response, error) {
		answer, err := next.RoundTrip(r)
		status := 0
		if err == nil {
			status = answer.StatusCode
		}
		m.requests.WithLabelValues(service, strconv.Itoa(status)).Inc()
		return answer, err
	})
}

// countDropped adds the items of a calendar that could not be read.
func (m *metrics) countDropped(name string, c rooms.Calendar) {
	dropping, ok := c.(interface{ Dropped() uint64 })
	if !ok {
		return
	}
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{
		Name: "kiosk_calendar_items_dropped_total", ConstLabels: prometheus.Labels{"calendar": name},
		Help: "Items that the calendar sent and that could not be read; each counts again with every read.",
	}, func() float64 { return float64(dropping.Dropped()) }))
}

// watch adds what the kiosk can say about itself when asked.
func (m *metrics) watch(k *kiosk) { m.registry.MustRegister(&watcher{k}) }

// watcher reads figures off a running kiosk.
type watcher struct{ *kiosk }

// The figures, as Prometheus wants them described.
type figure struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value float64
	label []string
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(name, help, labels, nil)
}

// Describe says nothing: the figures depend on the rooms.
func (w *watcher) Describe(chan<- *prometheus.Desc) {}

// Collect reads the figures.
func (w *watcher) Collect(out chan<- prometheus.Metric) {
	for _, f := range slices.Concat(w.hubFigures(), w.panelFigures(), w.roomFigures(), w.storeFigures(), w.newsFigures()) {
		out <- prometheus.MustNewConstMetric(f.desc, f.kind, f.value, f.label...)
	}
}

func (w *watcher) hubFigures() []figure {
	s := w.hub.Stats()
	gauge, counter := prometheus.GaugeValue, prometheus.CounterValue
	return []figure{
		{desc: describe("kiosk_sockets", "Browsers that watch now."), kind: gauge, value: float64(s.Sockets)},
		{desc: describe("kiosk_frames_published_total", "Changes that were shown."), kind: counter, value: float64(s.Published)},
		{desc: describe("kiosk_sockets_dropped_total", "Browsers that took nothing for too long."), kind: counter, value: float64(s.Dropped)},
		{desc: describe("kiosk_sockets_refused_total", "Browsers that were too many."), kind: counter, value: float64(s.Refused)},
		{desc: describe("kiosk_requests_refused_total", "Requests whose address had asked too much."), kind: counter, value: float64(w.web.Refused())},
	}
}

// panelFigures tell of the rooms that should have a panel.
func (w *watcher) panelFigures() []figure {
	alive := describe("kiosk_panel_alive", "1 while the room's panel says that it paints; 0 after three heartbeats without.", "room")
	last := describe("kiosk_panel_last_alive_seconds", "Since the room's panel last said that it paints.", "room")
	var out []figure
	for _, p := range w.web.Panels() {
		here := 1.0
		if p.Missing {
			here = 0
		}
		out = append(out,
			figure{desc: alive, kind: prometheus.GaugeValue, value: here, label: []string{p.Room.ID}},
			figure{desc: last, kind: prometheus.GaugeValue, value: p.Quiet.Seconds(), label: []string{p.Room.ID}})
	}
	return out
}

// storeFigures tell what is wrong with the stores. Alert on any of the troubles.
func (w *watcher) storeFigures() []figure {
	trouble := describe("kiosk_store_trouble", "1 for each trouble that a store has now.", "store", "trouble")
	dropped := describe("kiosk_history_dropped_total", "Entries of the history that could not be written in time.")
	out := []figure{{desc: dropped, kind: prometheus.CounterValue, value: float64(w.journal.HistoryDropped())}}
	for name, troubles := range map[string][]store.Trouble{"journal": w.journal.Health(), "cache": w.cache.Health()} {
		for _, t := range troubles {
			out = append(out, figure{desc: trouble, kind: prometheus.GaugeValue, value: 1, label: []string{name, string(t.Code)}})
		}
	}
	return out
}

// newsFigures count what Zoom told by itself.
func (w *watcher) newsFigures() []figure {
	if w.zoom == nil {
		return nil
	}
	desc := describe("kiosk_zoom_events_total", "Events that came by Zoom's stream or webhook.", "taken")
	n := w.zoom.EventCounts()
	count := func(what string, value uint64) figure {
		return figure{desc: desc, kind: prometheus.CounterValue, value: float64(value), label: []string{what}}
	}
	out := []figure{
		count("news", n.News), count("ignored", n.Ignored), count("malformed", n.Malformed), count("refused", n.Refused),
	}
	if w.cfg.Zoom.EventsURL == "" {
		return out
	}
	up := figure{desc: describe("kiosk_zoom_stream_up", "1 while Zoom's event stream is connected."), kind: prometheus.GaugeValue}
	if listening, _ := w.zoom.Stream(); listening {
		up.value = 1
	}
	return append(out, up)
}

func (w *watcher) roomFigures() []figure {
	age := describe("kiosk_schedule_age_seconds", "Since the room's calendar was read; -1: never.", "room")
	status := describe("kiosk_room_status", "1 for the status that the door shows.", "room", "status")
	flag := describe("kiosk_room_flag", "1 while the flag is up.", "room", "flag")
	waiting := describe("kiosk_actions_open", "Taps that have still to be brought to Zoom.", "room")
	var out []figure
	add := func(d *prometheus.Desc, v float64, label ...string) {
		out = append(out, figure{desc: d, kind: prometheus.GaugeValue, value: v, label: label})
	}
	for _, k := range w.keepers {
		s := k.Screen()
		id := s.Room.ID
		add(age, ageOf(s), id)
		add(status, 1, id, string(s.Status))
		for _, f := range s.Flags {
			add(flag, 1, id, string(f))
		}
		open := 0
		for _, a := range s.Actions {
			if a.State.Open() {
				open++
			}
		}
		add(waiting, float64(open), id)
	}
	return out
}

func ageOf(s rooms.Screen) float64 {
	if s.AsOf.IsZero() {
		return -1
	}
	return s.Now.Sub(s.AsOf).Seconds()
}
