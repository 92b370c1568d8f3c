package sim

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// entraError is a refusal of Entra ID's token endpoint
// (learn.microsoft.com/entra/identity-platform/reference-error-codes).
type entraError struct {
	status  int
	kind    string
	code    int // of AADSTS
	message string
}

func (e entraError) write(w http.ResponseWriter) {
	trace, correlation := newUUID(), newUUID()
	writeJSON(w, e.status, map[string]any{
		"error": e.kind,
		"error_description": fmt.Sprintf("AADSTS%d: %s Trace ID: %s Correlation ID: %s",
			e.code, e.message, trace, correlation),
		"error_codes": []int{e.code}, "trace_id": trace, "correlation_id": correlation,
		"error_uri": fmt.Sprintf("https://login.microsoftonline.com/error?code=%d", e.code),
	})
}

// issueToken answers the client credentials grant.
func (g *Graph) issueToken(w http.ResponseWriter, r *http.Request) {
	if refusal := g.judge(r); refusal != nil {
		refusal.write(w)
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for old, expires := range g.tokens {
		if expires.Before(g.now()) {
			delete(g.tokens, old)
		}
	}
	token := g.newToken()
	g.tokens[token] = g.now().Add(g.cfg.TokenLife)
	seconds := int(g.cfg.TokenLife.Seconds()) - 1
	writeJSON(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds, "access_token": token,
	})
}

// newToken is a JWT by its form. Its claims are for the curious: what counts is that it was issued.
func (g *Graph) newToken() string {
	claims := map[string]any{"aud": "https://graph.microsoft.com", "appid": g.cfg.ClientID, "tid": g.cfg.TenantID, "idtyp": "app"}
	if len(g.roles) > 0 {
		claims["roles"] = g.roles
	}
	payload, _ := json.Marshal(claims) // strings only
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"typ":"JWT","alg":"RS256"}`)) + "." + encode(payload) + "." + encode([]byte(rand.Text()))
}

// rolesOf reads the roles out of a token that was issued here.
func rolesOf(token string) []string {
	parts := strings.Split(token, ".")
	var claims struct{ Roles []string }
	if len(parts) != 3 || decodePart(parts[1], &claims) != nil {
		return nil
	}
	return claims.Roles
}

// judge checks a token request.
func (g *Graph) judge(r *http.Request) *entraError {
	if !strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") || r.ParseForm() != nil {
		return &entraError{400, "invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'."}
	}
	if r.PathValue("tenant") != g.cfg.TenantID {
		return &entraError{400, "invalid_request", 90002, "Tenant '" + r.PathValue("tenant") + "' not found. " +
			"Check to make sure you have the correct tenant ID and are signing into the correct cloud."}
	}
	if kind := r.PostForm.Get("grant_type"); kind != "client_credentials" {
		return &entraError{400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type '" + kind + "'."}
	}
	return g.judgeClient(r)
}

func (g *Graph) judgeClient(r *http.Request) *entraError {
	g.mu.Lock()
	expired := g.expired
	g.mu.Unlock()
	id, secret, scope := r.PostForm.Get("client_id"), r.PostForm.Get("client_secret"), r.PostForm.Get("scope")
	switch {
	case id != g.cfg.ClientID:
		return &entraError{400, "unauthorized_client", 700016, "Application with identifier '" + id + "' was not found in the directory 'Example'."}
	case secret == "":
		return &entraError{401, "invalid_client", 7000216, "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type."}
	case secret != g.cfg.ClientSecret:
		return &entraError{401, "invalid_client", 7000215, "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, " +
			"not the client secret ID, for a secret added to app '" + id + "'."}
	case expired:
		return &entraError{401, "invalid_client", 7000222, "The provided client secret keys for app '" + id + "' are expired."}
	case !strings.HasSuffix(scope, "/.default"):
		return &entraError{400, "invalid_scope", 1002012, "The provided value for scope " + scope + " is not valid. " +
			"Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."}
	case scope != "https://graph.microsoft.com/.default" && scope != "http://"+r.Host+"/.default":
		return &entraError{400, "invalid_resource", 500011, "The resource principal named " + strings.TrimSuffix(scope, "/.default") + " was not found in the tenant named Example."}
	default:
		return nil
	}
}
