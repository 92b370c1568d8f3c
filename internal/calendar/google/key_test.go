package google

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"strings"
	"testing"
	"time"
)

// keyWith is a key file with one field changed; nil leaves it out.
func keyWith(t *testing.T, name string, value any) []byte {
	t.Helper()
	var file map[string]any
	if err := json.Unmarshal(credentials("https://oauth2.googleapis.com/token"), &file); err != nil {
		t.Fatal(err)
	}
	file[name] = value
	if value == nil {
		delete(file, name)
	}
	text, err := json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func ellipticKey(t *testing.T) string {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

func TestNewChecksTheKey(t *testing.T) {
	pkcs1 := string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(privateKey())}))
	for name, tt := range map[string]struct {
		key  []byte
		want string // part of the error; empty: accepted
	}{
		"good":             {keyWith(t, "universe_domain", "googleapis.com"), ""},
		"older form":       {keyWith(t, "private_key", pkcs1), ""},
		"no token address": {keyWith(t, "token_uri", nil), ""},
		"no project":       {keyWith(t, "project_id", nil), ""},
		"nothing":          {nil, "not JSON"},
		"not JSON":         {[]byte("-----BEGIN PRIVATE KEY-----"), "not JSON"},
		"a list":           {[]byte("[]"), "not JSON"},
		"an OAuth client":  {[]byte(`{"installed":{"client_id":"x","client_secret":"secret"}}`), "an OAuth client"},
		"a user":           {keyWith(t, "type", "authorized_user"), `"authorized_user"`},
		"no address":       {keyWith(t, "client_email", nil), "client_email"},
		"wrong type":       {keyWith(t, "client_email", 7), "not the key"},
		"no private key":   {keyWith(t, "private_key", nil), "private_key is missing"},
		"cut private key":  {keyWith(t, "private_key", keyPEM()[:200]), "private_key is missing or damaged"},
		"empty PEM":        {keyWith(t, "private_key", "-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n"), "not a whole RSA key"},
		"not RSA":          {keyWith(t, "private_key", ellipticKey(t)), "RSA"},
		"open token URL":   {keyWith(t, "token_uri", "http://oauth2.googleapis.com/token"), "token_uri is not https"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := New(Config{Name: "work", CredentialsJSON: tt.key, URL: "https://www.googleapis.com/calendar/v3", Now: time.Now})
			switch {
			case tt.want == "" && err != nil:
				t.Error(err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
				t.Errorf("got %v, want %q", err, tt.want)
			case err != nil && (strings.Contains(err.Error(), "PRIVATE KEY") || !strings.Contains(err.Error(), "calendar work")):
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestNewChecksTheRest(t *testing.T) {
	good := Config{Name: "work", CredentialsJSON: keyWith(t, "x", "y"), URL: "https://www.googleapis.com/calendar/v3", Now: time.Now}
	if _, err := New(good); err != nil {
		t.Error(err)
	}
	noClock, open := good, good
	noClock.Now, open.URL = nil, "http://www.googleapis.com/calendar/v3"
	for _, cfg := range []Config{noClock, open} {
		if _, err := New(cfg); err == nil {
			t.Errorf("accepted %+v", cfg.URL)
		}
	}
}
