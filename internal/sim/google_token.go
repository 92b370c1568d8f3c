package sim

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ServiceAccount is a throwaway account of this Google.
type ServiceAccount struct {
	Email string
	JSON  []byte // the key file, as the cloud console gives it out
}

// NewServiceAccount makes a service account whose key file names the given token endpoint. It may
// act for the given users (domain-wide delegation).
func (g *Google) NewServiceAccount(tokenURL string, delegates ...string) (ServiceAccount, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return ServiceAccount{}, fmt.Errorf("making service account: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return ServiceAccount{}, fmt.Errorf("making service account: %w", err)
	}
	sum := sha256.Sum256(key.N.Bytes())
	keyID := hex.EncodeToString(sum[:20])
	email := "kiosk-" + keyID[:8] + "@example-rooms.iam.gserviceaccount.com"
	file, err := json.MarshalIndent(map[string]string{
		"type":           "service_account",
		"project_id":     "example-rooms",
		"private_key_id": keyID,
		"private_key":    string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"client_email":   email,
		"client_id":      "100000000000000000001",
		"auth_uri":       "https://accounts.google.com/o/oauth2/auth",
		"token_uri":      tokenURL,
	}, "", "  ")
	if err != nil {
		return ServiceAccount{}, fmt.Errorf("making service account: %w", err)
	}
	a := account{key: &key.PublicKey, keyID: keyID, delegates: map[string]bool{}}
	for _, user := range delegates {
		a.delegates[user] = true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.accounts[email] = a
	return ServiceAccount{email, file}, nil
}

// assertion is the signed claim of a token request (RFC 7523).
type assertion struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	Scope    string `json:"scope"`
	Subject  string `json:"sub"`
	Prn      string `json:"prn"` // an old name of sub that libraries still send along
	IssuedAt int64  `json:"iat"`
	Expires  int64  `json:"exp"`
}

// oauthError is a refusal of the token endpoint.
type oauthError struct {
	status  int
	kind    string
	message string
}

func (e *oauthError) Error() string { return e.kind + ": " + e.message }

func invalidGrant(message string) *oauthError { return &oauthError{400, "invalid_grant", message} }

// issueToken answers POST /token: the JWT bearer grant of service accounts.
func (g *Google) issueToken(w http.ResponseWriter, r *http.Request) {
	claim, refusal := g.judge(r)
	if refusal != nil {
		writeJSON(w, refusal.status, map[string]string{"error": refusal.kind, "error_description": refusal.message})
		return
	}
	token := "ya29.sim-" + rand.Text()
	principal := claim.Issuer
	if claim.Subject != "" {
		principal = claim.Subject
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for old, t := range g.tokens {
		if t.expires.Before(g.now()) {
			delete(g.tokens, old)
		}
	}
	g.tokens[token] = googleToken{principal, strings.Fields(claim.Scope), g.now().Add(g.cfg.TokenLife)}
	writeJSON(w, http.StatusOK, map[string]any{
		"access_token": token, "expires_in": int(g.cfg.TokenLife.Seconds()) - 1, "token_type": "Bearer",
	})
}

// judge checks a token request and returns its claim.
func (g *Google) judge(r *http.Request) (assertion, *oauthError) {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || r.ParseForm() != nil {
		return assertion{}, &oauthError{400, "invalid_request", "Required parameter is missing: grant_type"}
	}
	if r.PostForm.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		return assertion{}, &oauthError{400, "unsupported_grant_type", "Invalid grant_type: " + r.PostForm.Get("grant_type")}
	}
	claim, err := g.verify(r.PostForm.Get("assertion"))
	if err != nil {
		return assertion{}, err
	}
	return claim, g.judgeClaim(claim, "http://"+r.Host+r.URL.Path)
}

// verify reads the assertion and checks its signature against the account that it names.
func (g *Google) verify(jwt string) (assertion, *oauthError) {
	var header struct{ Alg, Typ, Kid string }
	var claim assertion
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 || decodePart(parts[0], &header) != nil || decodePart(parts[1], &claim) != nil {
		return assertion{}, &oauthError{400, "invalid_request", "Bad Request"}
	}
	signature, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || header.Alg != "RS256" {
		return assertion{}, invalidGrant("Invalid JWT Signature.")
	}
	g.mu.Lock()
	who, known := g.accounts[claim.Issuer]
	g.mu.Unlock()
	if !known {
		return assertion{}, invalidGrant("Invalid grant: account not found")
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if rsa.VerifyPKCS1v15(who.key, crypto.SHA256, sum[:], signature) != nil || header.Kid != "" && header.Kid != who.keyID {
		return assertion{}, invalidGrant("Invalid JWT Signature.")
	}
	return claim, nil
}

// judgeClaim checks what the assertion says.
func (g *Google) judgeClaim(c assertion, audience string) *oauthError {
	now, slack := g.now(), 5*time.Minute
	issued, expires := time.Unix(c.IssuedAt, 0), time.Unix(c.Expires, 0)
	if issued.After(now.Add(slack)) || !expires.After(now) || expires.Sub(issued) > time.Hour+slack {
		return invalidGrant("Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. " +
			"Check your iat and exp values in the JWT claim.")
	}
	if c.Audience != audience {
		return invalidGrant("Invalid JWT: Failed audience check.")
	}
	scopes := strings.Fields(c.Scope)
	if len(scopes) == 0 {
		return &oauthError{400, "invalid_scope", "Empty or missing scope not allowed."}
	}
	if slices.ContainsFunc(scopes, func(s string) bool { return !strings.HasPrefix(s, scopePrefix) }) {
		return &oauthError{400, "invalid_scope", "Invalid OAuth scope or ID token audience provided."}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if c.Subject != "" && c.Subject != c.Issuer && !g.accounts[c.Issuer].delegates[c.Subject] {
		return &oauthError{401, "unauthorized_client", "Client is unauthorized to retrieve access tokens using this method, " +
			"or client not authorized for any of the scopes requested."}
	}
	return nil
}

func decodePart(part string, into any) error {
	raw, err := base64.RawURLEncoding.DecodeString(part)
	if err != nil {
		return fmt.Errorf("decoding part of assertion: %w", err)
	}
	return json.Unmarshal(raw, into)
}
