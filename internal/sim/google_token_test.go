package sim_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/url"
	"strings"
	"testing"
	"time"

	"roomkiosk/internal/sim"
)

type claims map[string]any

func goodClaim(b *bench) claims {
	now := b.real.Now()
	return claims{
		"iss": b.robot.Email, "aud": b.GoogleTokenURL(), "scope": "https://www.googleapis.com/auth/calendar.events.readonly",
		"iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

// sign makes the assertion that a client library would make of the key file.
func (b *bench) sign(c claims, alg string) string {
	b.t.Helper()
	var file struct {
		Key string `json:"private_key"`
		ID  string `json:"private_key_id"`
	}
	if err := json.Unmarshal(b.robot.JSON, &file); err != nil {
		b.t.Fatal(err)
	}
	block, _ := pem.Decode([]byte(file.Key))
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		b.t.Fatal(err)
	}
	head, _ := json.Marshal(map[string]string{"alg": alg, "typ": "JWT", "kid": file.ID})
	body, _ := json.Marshal(c)
	text := base64.RawURLEncoding.EncodeToString(head) + "." + base64.RawURLEncoding.EncodeToString(body)
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		b.t.Fatal(err)
	}
	return text + "." + base64.RawURLEncoding.EncodeToString(signature)
}

func (b *bench) askGoogle(assertion string) reply {
	b.t.Helper()
	form := url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion}}
	return b.must("POST", b.GoogleTokenURL(), form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
}

func (b *bench) googleToken(c claims) string {
	b.t.Helper()
	r := b.askGoogle(b.sign(c, "RS256"))
	if r.status != 200 {
		b.t.Fatalf("no token: %d %s", r.status, r.body)
	}
	return r.json(b.t)["access_token"].(string)
}

func TestGoogleTokenRefusals(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	with := func(name string, value any) string {
		c := goodClaim(b)
		c[name] = value
		return b.sign(c, "RS256")
	}
	good := b.sign(goodClaim(b), "RS256")
	cases := []struct {
		name, assertion string
		status          int
		kind            string
	}{
		{"signature of another text", good[:strings.LastIndex(good, ".")] + "." + strings.Repeat("A", 342), 400, "invalid_grant"},
		{"another algorithm", b.sign(goodClaim(b), "none"), 400, "invalid_grant"},
		{"not a JWT", "hello", 400, "invalid_request"},
		{"unknown account", with("iss", "nobody@example.com"), 400, "invalid_grant"},
		{"another audience", with("aud", "https://example.com/token"), 400, "invalid_grant"},
		{"no scope", with("scope", ""), 400, "invalid_scope"},
		{"unknown scope", with("scope", "calendar"), 400, "invalid_scope"},
		{"expired", with("exp", b.real.Now().Unix()), 400, "invalid_grant"},
		{"too long", with("exp", b.real.Now().Add(3*time.Hour).Unix()), 400, "invalid_grant"},
		{"issued in the future", with("iat", b.real.Now().Add(20*time.Minute).Unix()), 400, "invalid_grant"},
		{"user without delegation", with("sub", "ceo@example.com"), 401, "unauthorized_client"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := b.askGoogle(c.assertion)
			if r.status != c.status || r.json(t)["error"] != c.kind {
				t.Errorf("got %d %s, want %d %s", r.status, r.body, c.status, c.kind)
			}
		})
	}
}

func TestGoogleTokenActsForDelegate(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{})
	c := goodClaim(b)
	c["sub"] = "boss@example.com"
	b.google = b.googleToken(c)
	if r := b.list(""); r.status != 404 {
		t.Errorf("calendar not shared with the user: got %d %s", r.status, r.body)
	}
	b.Google.Share(adaCal, "boss@example.com", sim.Reader)
	if r := b.list(""); r.status != 200 {
		t.Errorf("calendar shared with the user: got %d %s", r.status, r.body)
	}
}

func TestGoogleTokenExpires(t *testing.T) {
	b := newBench(t, account, sim.GoogleConfig{}).signIn()
	if r := b.list(""); r.status != 200 {
		t.Fatalf("fresh token: %d %s", r.status, r.body)
	}
	b.real.move(time.Hour)
	r := b.list("")
	if r.status != 401 || !strings.Contains(r.body, `"reason":"authError"`) {
		t.Errorf("expired token: %d %s", r.status, r.body)
	}
}
