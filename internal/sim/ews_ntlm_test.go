package sim

import (
	"encoding/base64"
	"encoding/hex"
	"testing"
	"time"
)

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestMD4 has the vectors of RFC 1320, section A.5.
func TestMD4(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "31d6cfe0d16ae931b73c59d7e0c089c0",
		"a":                          "bde52cb31de33e46245e05fbdbd6fb24",
		"abc":                        "a448017aaf21d8525fc10ae87aa6729d",
		"message digest":             "d9130a8164549fe818874806e1c7014b",
		"abcdefghijklmnopqrstuvwxyz": "d79e1c308aa5bbcdeea8ed63df412da9",
		"12345678901234567890123456789012345678901234567890123456789012345678901234567890": "e33b4ddc9c38f2199c3e7b164fcc0536",
	} {
		if got := md4([]byte(text)); hex.EncodeToString(got[:]) != want {
			t.Errorf("%q: got %x, want %s", text, got, want)
		}
	}
}

// TestNTLMProof has the vectors of MS-NLMP, section 4.2.4.
func TestNTLMProof(t *testing.T) {
	blob := unhex(t, "01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000"+
		"02000c0044006f006d00610069006e0001000c005300650072007600650072000000000000000000")
	got := ntlmProof("Password", "User", "Domain", unhex(t, "0123456789abcdef"), blob)
	if want := "68cd0ab851e51c96aabc927bebef6a1c"; hex.EncodeToString(got) != want {
		t.Errorf("got %x, want %s", got, want)
	}
}

// authenticate is the last message of a handshake, as a client makes it.
func authenticate(t *testing.T, challenge, domain, user, password string) string {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(challenge)
	if err != nil || len(raw) < 56 {
		t.Fatalf("challenge %q: %v", challenge, err)
	}
	target, err := ntlmField(raw, 40)
	if err != nil {
		t.Fatal(err)
	}
	blob := append([]byte{1, 1, 0, 0, 0, 0, 0, 0}, make([]byte, 20)...)
	blob = append(append(blob, target...), 0, 0, 0, 0)
	fields := [][]byte{nil, append(ntlmProof(password, user, domain, raw[24:32], blob), blob...), utf16LE(domain), utf16LE(user), nil}
	b, offset := []byte("NTLMSSP\x00\x03\x00\x00\x00"), 64
	for _, f := range fields {
		b = appendField(b, len(f), offset)
		offset += len(f)
	}
	b = append(b, make([]byte, 12)...)
	for _, f := range fields {
		b = append(b, f...)
	}
	return base64.StdEncoding.EncodeToString(b)
}

func TestNTLMHandshake(t *testing.T) {
	const account, word = `EXAMPLE\kiosk`, "pass"
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	hello := base64.StdEncoding.EncodeToString(append([]byte("NTLMSSP\x00\x01\x00\x00\x00"), 1, 2, 0, 0))
	start := func() (*connection, string) {
		c := &connection{}
		challenge, err := c.negotiate(hello, account, word, now)
		if err != nil || challenge == "" {
			t.Fatalf("got %q, %v", challenge, err)
		}
		return c, challenge
	}
	for name, tt := range map[string]struct {
		domain, user, password string
		good                   bool
	}{
		"right":           {"EXAMPLE", "kiosk", word, true},
		"case of names":   {"example", "Kiosk", word, true},
		"wrong password":  {"EXAMPLE", "kiosk", "Pass", false},
		"wrong user":      {"EXAMPLE", "jane", word, false},
		"wrong domain":    {"OTHER", "kiosk", word, false},
		"without domain":  {"", "kiosk", word, false},
		"nobody, nothing": {"", "", "", false},
	} {
		c, challenge := start()
		answer := authenticate(t, challenge, tt.domain, tt.user, tt.password)
		if _, err := c.negotiate(answer, account, word, now); (err == nil) != tt.good || (c.user() == account) != tt.good {
			t.Errorf("%s: got %v, signed in as %q", name, err, c.user())
		}
		if _, err := c.negotiate(answer, account, word, now); err == nil || c.user() != "" {
			t.Errorf("%s: the same answer was taken twice", name)
		}
	}
	c, challenge := start()
	_, another := start()
	if _, err := c.negotiate(authenticate(t, another, "EXAMPLE", "kiosk", word), account, word, now); err == nil {
		t.Error("an answer to another challenge was taken")
	}
	whole, _ := base64.StdEncoding.DecodeString(authenticate(t, challenge, "EXAMPLE", "kiosk", word))
	for n := range whole {
		c, _ := start()
		if _, err := c.negotiate(base64.StdEncoding.EncodeToString(whole[:n]), account, word, now); err == nil {
			t.Errorf("the first %d bytes were taken", n)
		}
	}
	for _, bad := range []string{"", "***", "TlRMTVNTUAABAAAA", base64.StdEncoding.EncodeToString([]byte("NTLMSSP\x00\x01\x00\x00\x00\x00\x00\x00\x00"))} {
		if _, err := new(connection).negotiate(bad, account, word, now); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
