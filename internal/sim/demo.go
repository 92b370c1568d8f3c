package sim

// DemoRoom is a room of the demo, with what a configuration needs to know of it.
type DemoRoom struct {
	ID         string
	Name       string
	Location   string
	Capacity   int
	Equipment  []string
	ZoomID     string
	CalendarID string
}
