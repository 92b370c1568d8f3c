package sim

import (
	"encoding/hex"
	"testing"
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
