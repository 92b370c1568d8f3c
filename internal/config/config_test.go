package config

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"roomkiosk/internal/rooms"
)

// design is the sample of the design, section 5, with nothing left out.
const design = `listen    = ":8080"
data_dir  = "/var/lib/kiosk"
time_zone = "Europe/Berlin"            # IANA; a room may override it
language  = "en"
clock     = "auto"                     # auto: watch for evidence | trusted: it is right
hosts     = []                         # further Host names

[zoom]
account_id         = "acc"
client_id          = "cli"
client_secret_file = "zoom-client-secret"
api_url            = "https://api.zoom.us/v2"
token_url          = "https://zoom.us/oauth/token"
body               = "json"
exchange_ids       = "auto"
events_url         = ""

[[calendar]]
name = "google"
kind = "google"
credentials_file = "google-service-account.json"
delegate = ""
url = "https://www.googleapis.com/calendar/v3"
poll = "15s"

[[calendar]]
name = "exchange"
kind = "graph"
tenant_id = "ten"
client_id = "app"
client_secret_file = "graph-client-secret"
url = "https://graph.microsoft.com/v1.0"
token_url = ""

[[calendar]]
name = "onprem"
kind = "ews"
url = "https://mail.example.com/EWS/Exchange.asmx"
user = 'DOMAIN\kiosk'
password_file = "ews-password"
auth = "ntlm"
impersonate = true

[[calendar]]
name = "dav"
kind = "caldav"
user = "kiosk"
password_file = "dav-password"

[[room]]
id           = "ada"
name         = "Ada Lovelace"
zoom_room_id = "qMOLddnySIGGVycz8aX_JQ"
calendar     = "google"
calendar_id  = "c_188@resource.calendar.google.com"
capacity     = 8
equipment    = ["display", "whiteboard"]
location     = "Building A / Floor 2"
[room.check_in]
required     = true
opens_before = "10m"
closes_after = "10m"
`

const account = `{"type":"service_account","client_email":"k@p.iam.gserviceaccount.com","private_key":"PEM-CANARY"}`

// secretFiles are the files that the samples name.
var secretFiles = map[string]string{
	"zoom-client-secret":          "zoom-canary\n",
	"google-service-account.json": account + "\n",
	"graph-client-secret":         "graph-canary",
	"ews-password":                "ews-canary\r\n",
	"dav-password":                "dav-canary\n",
}

// place writes the text as kiosk.toml beside the secret files and returns its path.
func place(t testing.TB, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, secret := range secretFiles {
		write(t, filepath.Join(dir, name), secret, 0o600)
	}
	file := filepath.Join(dir, "kiosk.toml")
	write(t, file, text, 0o644)
	return file
}

func write(t testing.TB, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil { // whatever the umask
		t.Fatal(err)
	}
}

func noEnv(string) string { return "" }

func mustLoad(t *testing.T, file string) *Config {
	t.Helper()
	cfg, err := LoadEnv(file, noEnv)
	if err != nil {
		t.Fatalf("loading a sound file:\n%v", err)
	}
	return cfg
}

func ptr[T any](v T) *T { return &v }

var zonesByName = cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestLoadOfTheDesignsSample(t *testing.T) {
	file := place(t, design)
	want := &Config{
		File: file, Listen: ":8080", DataDir: "/var/lib/kiosk", Zone: berlin(t), Language: "en", ClockMode: ClockAuto,
		Hosts: []string{},
		Zoom: &Zoom{
			AccountID: "acc", ClientID: "cli", ClientSecret: NewSecret("zoom-canary"),
			APIURL: "https://api.zoom.us/v2", TokenURL: "https://zoom.us/oauth/token", Body: "json", ExchangeIDs: "auto",
		},
		Calendars: []Calendar{
			{Name: "google", Kind: Google, Poll: 15 * time.Second, URL: "https://www.googleapis.com/calendar/v3", Credentials: NewSecret(account)},
			{
				Name: "exchange", Kind: Graph, Poll: 15 * time.Second, URL: "https://graph.microsoft.com/v1.0",
				TenantID: "ten", ClientID: "app", ClientSecret: NewSecret("graph-canary"),
				TokenURL: "https://login.microsoftonline.com/ten/oauth2/v2.0/token",
			},
			{
				Name: "onprem", Kind: EWS, Poll: 15 * time.Second, URL: "https://mail.example.com/EWS/Exchange.asmx",
				User: `DOMAIN\kiosk`, Password: NewSecret("ews-canary"), Auth: "ntlm", Impersonate: true,
			},
			{Name: "dav", Kind: CalDAV, Poll: 15 * time.Second, User: "kiosk", Password: NewSecret("dav-canary")},
		},
		Rooms: []rooms.Room{{
			ID: "ada", Name: "Ada Lovelace", Location: "Building A / Floor 2", Capacity: 8,
			Equipment: []string{"display", "whiteboard"}, Zone: berlin(t), Language: "en",
			ZoomID: "qMOLddnySIGGVycz8aX_JQ", Calendar: "google", CalendarID: "c_188@resource.calendar.google.com",
			CheckIn:    rooms.CheckInSettings{Required: ptr(true), OpensBefore: ptr(10 * time.Minute), ClosesAfter: ptr(10 * time.Minute)},
			StaleAfter: 90 * time.Second, UndoWindow: 7 * time.Second,
		}},
	}
	if diff := cmp.Diff(want, mustLoad(t, file), zonesByName); diff != "" {
		t.Errorf("loaded differently (-want +got):\n%s", diff)
	}
}

// The least that can be written gives the same as the sample, key by key.
func TestLoadDefaults(t *testing.T) {
	file := place(t, `
time_zone = "Europe/Berlin"
zoom = {account_id = "acc", client_id = "cli", client_secret_file = "zoom-client-secret"}
[[calendar]]
name = "g"
kind = "google"
credentials_file = "google-service-account.json"
[[calendar]]
name = "m"
kind = "graph"
tenant_id = "a/b"
client_id = "app"
client_secret_file = "graph-client-secret"
[[calendar]]
name = "e"
kind = "ews"
url = "https://mail.example.com/EWS/"
user = "u"
password_file = "ews-password"
[[calendar]]
name = "i"
kind = "ics"
[[room]]
id = "r1"
calendar = "i"
calendar_id = "https://example.com/r1.ics"
`)
	cfg := mustLoad(t, file)
	want := Config{
		File: file, Listen: ":8080", DataDir: "/var/lib/kiosk", Zone: berlin(t), Language: "en", ClockMode: ClockAuto,
		Zoom: &Zoom{
			AccountID: "acc", ClientID: "cli", ClientSecret: NewSecret("zoom-canary"),
			APIURL: "https://api.zoom.us/v2", TokenURL: "https://zoom.us/oauth/token", Body: "json", ExchangeIDs: "auto",
		},
		Calendars: []Calendar{
			{Name: "g", Kind: Google, Poll: 15 * time.Second, URL: "https://www.googleapis.com/calendar/v3", Credentials: NewSecret(account)},
			{
				Name: "m", Kind: Graph, Poll: 15 * time.Second, URL: "https://graph.microsoft.com/v1.0", TenantID: "a/b", ClientID: "app",
				ClientSecret: NewSecret("graph-canary"), TokenURL: "https://login.microsoftonline.com/a%2Fb/oauth2/v2.0/token",
			},
			{
				Name: "e", Kind: EWS, Poll: 15 * time.Second, URL: "https://mail.example.com/EWS", User: "u",
				Password: NewSecret("ews-canary"), Auth: "ntlm", Impersonate: true,
			},
			{Name: "i", Kind: ICS, Poll: 15 * time.Second},
		},
		Rooms: []rooms.Room{{
			ID: "r1", Name: "r1", Zone: berlin(t), Language: "en", Calendar: "i", CalendarID: "https://example.com/r1.ics",
			StaleAfter: 90 * time.Second, UndoWindow: 7 * time.Second,
		}},
	}
	if diff := cmp.Diff(want, *cfg, zonesByName); diff != "" {
		t.Errorf("loaded differently (-want +got):\n%s", diff)
	}
}

func TestLoadOverrides(t *testing.T) {
	text := strings.NewReplacer(
		`poll = "15s"`, `poll = "45s"`,
		`capacity     = 8`, "time_zone = \"Pacific/Auckland\"\nlanguage = \"pt-BR\"",
		`hosts     = []`, `hosts = ["Rooms.Example.com", "192.0.2.7", "2001:db8::1"]`,
		`"/var/lib/kiosk"`, `"data"`,
		`"https://api.zoom.us/v2"`, `"http://127.0.0.1:9/v2/"`,
		`events_url         = ""`, `events_url = "ws://localhost:9/ws?subscriptionId=a"`,
		`required     = true`, `required = false`, `opens_before = "10m"`, `opens_before = "0s"`, `closes_after = "10m"`, ``,
	).Replace(design)
	file := place(t, text)
	cfg := mustLoad(t, file)
	room := cfg.Rooms[0]
	got := []any{
		room.StaleAfter, room.Zone.String(), room.Language, cfg.Hosts, cfg.DataDir, cfg.Zoom.APIURL, cfg.Zoom.EventsURL, room.CheckIn,
	}
	want := []any{
		135 * time.Second, "Pacific/Auckland", "pt-BR", []string{"rooms.example.com", "192.0.2.7", "2001:db8::1"},
		filepath.Join(filepath.Dir(file), "data"), "http://127.0.0.1:9/v2", "ws://localhost:9/ws?subscriptionId=a",
		rooms.CheckInSettings{Required: ptr(false), OpensBefore: ptr(time.Duration(0))},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("loaded differently (-want +got):\n%s", diff)
	}
}

func TestZoomIsNilWithoutItsTable(t *testing.T) {
	text := strings.Replace(design, "zoom_room_id", "#", 1)
	text = text[:strings.Index(text, "[zoom]")] + text[strings.Index(text, "[[calendar]]"):]
	if cfg := mustLoad(t, place(t, text)); cfg.Zoom != nil {
		t.Errorf("Zoom is %+v", cfg.Zoom)
	}
}

func TestExampleLoads(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "examples", "kiosk.toml"))
	if err != nil {
		t.Fatal(err)
	}
	cfg := mustLoad(t, place(t, string(text)))
	if len(cfg.Warnings) > 0 {
		t.Errorf("warnings: %+v", cfg.Warnings)
	}
	for table, keys := range tableKeys() { // each key is shown, set or commented out
		for _, key := range keys {
			if !strings.Contains(string(text), key+" ") && !strings.Contains(string(text), key+"]") {
				t.Errorf("the example doesn't show %s.%s", table, key)
			}
		}
	}
}

func TestListenOf(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"sound":                      {design, ":8080"},
		"other key broken":           {"listen = \"127.0.0.1:9000\"\ntime_zone = nonsense\n", "127.0.0.1:9000"},
		"syntax broken before it":    {"data_dir = \"/x\nlisten = '127.0.0.1:9000' # here\n", "127.0.0.1:9000"},
		"syntax broken in a table":   {"listen = \":9000\"\n[zoom\nbody = 1\n", ":9000"},
		"unknown keys":               {"nonsense = 1\nlisten = \":9000\"\n", ":9000"},
		"byte order mark and CRLF":   {"\ufefflisten = \":9000\"\r\nx = \r\n", ":9000"},
		"is itself broken":           {"listen = 9000\n", ":8080"},
		"is itself an unclosed text": {"listen = \":9000\n", ":8080"},
		"is not an address":          {"listen = \"9000\"\n", ":8080"},
		"is in a table":              {"[zoom]\nlisten = \":9000\"\n", ":8080"},
		"is in a broken table":       {"x = \n[zoom]\nlisten = \":9000\"\n", ":8080"},
		"is in a comment":            {"# listen = \":9000\"\nx = \n", ":8080"},
		"is missing":                 {"", ":8080"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ListenOf(place(t, c.text)); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if got := ListenOf(filepath.Join(t.TempDir(), "none.toml")); got != ":8080" {
		t.Errorf("without a file: %q", got)
	}
}

// Addresses of feeds are handed on as webcal://, and nothing else may be.
func TestWebcal(t *testing.T) {
	const text = `
time_zone = "UTC"
[[calendar]]
name = "c"
kind = %q
[[room]]
id = "ada"
calendar = "c"
calendar_id = "webcal://example.com/feed.ics?key=k"
`
	for kind, fine := range map[Kind]bool{ICS: true, CalDAV: false} {
		path := filepath.Join(t.TempDir(), "kiosk.toml")
		if err := os.WriteFile(path, []byte(strings.Replace(text, "%q", strconv.Quote(string(kind)), 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path); (err == nil) != fine {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
