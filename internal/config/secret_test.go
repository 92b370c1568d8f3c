package config

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// showAll prints v in every way that could reach a log, a page or a terminal.
func showAll(t *testing.T, v any) string {
	t.Helper()
	var b strings.Builder
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%t", "%10v"} {
		fmt.Fprintf(&b, verb+"\n", v)
	}
	fmt.Fprintln(&b, v)
	_ = json.NewEncoder(&b).Encode(v) // what can't be encoded shows nothing
	_ = toml.NewEncoder(&b).Encode(v)
	slog.New(slog.NewTextHandler(&b, nil)).Info("shown", "v", v)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("shown", "v", v)
	return b.String()
}

func TestSecretsAreNotShown(t *testing.T) {
	cfg := mustLoad(t, place(t, design))
	type wrapped struct{ hidden Secret }
	for name, v := range map[string]any{
		"secret": NewSecret("x-canary"), "pointer": ptr(NewSecret("x-canary")), "unexported": wrapped{NewSecret("x-canary")},
		"list": []Secret{NewSecret("x-canary")}, "map": map[string]Secret{"k": NewSecret("x-canary")},
		"config": cfg, "value": *cfg, "zoom": *cfg.Zoom, "calendars": cfg.Calendars,
	} {
		shown := showAll(t, v)
		for _, hexed := range []string{"canary", "CANARY", fmt.Sprintf("%x", "canary"), fmt.Sprintf("%X", "canary")} {
			if strings.Contains(shown, hexed) {
				t.Errorf("%s shows a secret:\n%s", name, shown)
			}
		}
	}
	if got := fmt.Sprintf("%v/%q/%v", NewSecret("x"), NewSecret("x"), Secret{}); got != "[redacted]/[redacted]/" {
		t.Errorf("shown as %s", got)
	}
}

func TestWebhookSecret(t *testing.T) {
	for text, want := range map[string]string{
		"": "", `webhook_secret_file = "zoom-client-secret"`: "zoom-canary", `webhook_secret = "plain-canary"`: "plain-canary",
	} {
		file := place(t, strings.Replace(design, `events_url         = ""`, text, 1))
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg := mustLoad(t, file)
		if got := cfg.Zoom.WebhookSecret.Reveal(); got != want || cfg.Zoom.WebhookSecret.IsZero() != (want == "") {
			t.Errorf("%q: the secret is %q", text, got)
		}
		if shown := showAll(t, cfg); strings.Contains(shown, "canary") {
			t.Errorf("%q shows a secret:\n%s", text, shown)
		}
	}
}

// Secrets at wrong places and in broken lines are not repeated either.
func TestProblemsDontRepeatSecrets(t *testing.T) {
	const canary = "hunter2canary"
	for _, text := range []string{
		"[zoom]\nclient_secret = " + canary, "[zoom]\nclient_secret = \"" + canary, "[zoom]\nclient_secret = \"a\"" + canary,
		"[zoom]\nclient_secret = [\"" + canary + "\"]", "[zoom]\nclient_secret = {" + canary + "=1}", "[zoom]\nclient_secret = '" + canary + "'",
		"[zoom]\nclient_secret = \"\\k" + canary + "\"", "[zoom]\nclient_secret = \n" + canary, "[zoom]\nclient_secret_file = \"" + canary + "\"",
		"[zoom]\nclient_secret_file = \"/" + canary + "\"", "[zoom]\nclient_secret_file = \"" + canary + "\\u0000\"",
		"[zoom]\nclient_secret = \"" + canary + "\"\nclient_secret_file = \"" + canary + "\"", "[zoom]\nclient_secret = 0x" + canary,
		"[zoom]\nwebhook_secret = \"" + canary + "\"", "[zoom]\nwebhook_secret_file = \"" + canary + "\"", "[zoom]\nwebhook_secret = " + canary,
		"[zoom]\napi_url = \"https://u:" + canary + "@example.com\"", "[zoom]\napi_url = \"http://example.com/" + canary + "\"",
		"[zoom]\nevents_url = \"https://example.com/?t=" + canary + "\"", "[zoom]\napi_url = \"https://u:" + canary + "@exa mple.com\"",
		"[[calendar]]\nkind=\"ics\"\nname=\"i\"\n[[room]]\ncalendar=\"i\"\nid=\"r\"\ncalendar_id=\"http://example.com/private-" + canary + "\"",
	} {
		_, err := LoadEnv(place(t, text+"\n"), noEnv)
		if err == nil {
			t.Errorf("%q loads", text)
		} else if shown := showAll(t, err); strings.Contains(shown, canary) {
			t.Errorf("%q shows its secret:\n%v", text, err)
		}
	}
}

func TestPlainSecretNeedsAPrivateFile(t *testing.T) {
	text := strings.Replace(design, `client_secret_file = "zoom-client-secret"`, `client_secret = "plain"`, 1)
	file := place(t, text)
	for mode, ok := range map[os.FileMode]bool{0o600: true, 0o400: true, 0o640: false, 0o604: false, 0o644: false, 0o620: false} {
		if err := os.Chmod(file, mode); err != nil {
			t.Fatal(err)
		}
		cfg, err := LoadEnv(file, noEnv)
		switch {
		case (err == nil) != ok:
			t.Errorf("mode %o: %v", mode, err)
		case ok && cfg.Zoom.ClientSecret.Reveal() != "plain":
			t.Errorf("mode %o: the secret is %q", mode, cfg.Zoom.ClientSecret.Reveal())
		}
	}
}

func TestSecretFilesAreLookedFor(t *testing.T) {
	credentials := t.TempDir()
	env := func(key string) string { return map[string]string{"CREDENTIALS_DIRECTORY": credentials}[key] }
	file := place(t, design)
	secretOf := func() string {
		t.Helper()
		cfg, err := LoadEnv(file, env)
		if err != nil {
			t.Fatal(err)
		}
		if len(cfg.Warnings) > 0 {
			t.Errorf("warnings: %+v", cfg.Warnings)
		}
		return cfg.Zoom.ClientSecret.Reveal()
	}
	if got := secretOf(); got != "zoom-canary" {
		t.Errorf("beside the file: %q", got)
	}
	write(t, filepath.Join(credentials, "zoom-client-secret"), "systemd\n", 0o440) // as an access list shows
	if got := secretOf(); got != "systemd" {
		t.Errorf("in the credentials directory: %q", got)
	}
	absolute := filepath.Join(t.TempDir(), "s")
	write(t, absolute, "absolute\n\r\n", 0o600)
	write(t, file, strings.Replace(design, "zoom-client-secret", absolute, 1), 0o644)
	if got := secretOf(); got != "absolute" {
		t.Errorf("absolute: %q", got)
	}
	write(t, file, strings.Replace(design, "zoom-client-secret", "none", 1), 0o644)
	_, err := LoadEnv(file, env)
	want := fmt.Sprintf("%s:11: zoom: client_secret_file: there is no such file in %s ($CREDENTIALS_DIRECTORY) or %s. "+
		"Put the secret into a file of this name.", file, credentials, filepath.Dir(file))
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

func TestReadableSecretFileIsAWarning(t *testing.T) {
	file := place(t, design)
	secret := filepath.Join(filepath.Dir(file), "ews-password")
	write(t, secret, "s", 0o640)
	cfg := mustLoad(t, file)
	want := []Problem{{
		Line: 40, Key: "calendar.password_file",
		Reason: `calendar "onprem": password_file: ` + secret + " can be read by others than its owner", Remedy: "Run chmod 600 on it.",
	}}
	if len(cfg.Warnings) != 1 || cfg.Warnings[0] != want[0] {
		t.Errorf("got %+v, want %+v", cfg.Warnings, want)
	}
}
