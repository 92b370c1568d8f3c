package web

import (
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"roomkiosk/static"
	"roomkiosk/views"
)

// SetupConfig is what the page works with that stands in for all others while the configuration is
// broken.
type SetupConfig struct {
	File   string
	Faults []views.SetupFault
	Assets *static.Assets
	Build  string
	Hosts  []string // as in [Config]
	Log    *slog.Logger
	NewID  func() string
}

// NewSetup makes a handler that shows what is wrong with the configuration, at every address.
func NewSetup(cfg SetupConfig) http.Handler {
	s := &Server{
		cfg:   Config{Assets: cfg.Assets, Build: cfg.Build, Log: cfg.Log, NewID: cfg.NewID},
		hosts: newHostList(cfg.Hosts),
	}
	s.guard()
	s.echo.GET("/healthz", showHealth)
	s.echo.GET(static.Prefix+"*", echo.WrapHandler(cfg.Assets))
	s.echo.Any("/*", func(c echo.Context) error {
		if wantsJSON(c.Request()) {
			return &problem{
				Status: http.StatusServiceUnavailable, Code: "not_set_up",
				Title: "The kiosk's configuration is broken", Detail: "Open its page, or run kiosk check; both say what to do.",
			}
		}
		page := views.NewSetup(cfg.File, cfg.Faults, cfg.Build, cfg.Assets)
		return render(c, http.StatusServiceUnavailable, views.SetupFaultPage(page))
	})
	return s
}
