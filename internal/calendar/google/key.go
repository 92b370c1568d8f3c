package google

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/oauth2/google"
	"golang.org/x/oauth2/jwt"

	"roomkiosk/internal/calendar"
)

const newKey = "download a new JSON key in the Google Cloud console: IAM & Admin, Service accounts, Keys"

// key is the key of a service account.
type key struct {
	conf    *jwt.Config // with the one scope that is asked for
	project string      // may be empty
}

// readKey checks all of the key that can be checked without Google, so that a wrong file is found
// at start and not at the first read.
func readKey(text []byte, delegate, scope string) (key, error) {
	var file struct {
		Type      string          `json:"type"`
		Project   string          `json:"project_id"`
		Web       json.RawMessage `json:"web"`
		Installed json.RawMessage `json:"installed"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return key{}, errors.New("the file is not JSON; " + newKey)
	}
	if file.Web != nil || file.Installed != nil {
		return key{}, errors.New("the file holds an OAuth client, not a service account; " + newKey)
	}
	if file.Type != "service_account" {
		return key{}, fmt.Errorf("the file's type is %q, not \"service_account\"; %s", calendar.Clip(file.Type, 40), newKey)
	}
	conf, err := google.JWTConfigFromJSON(text, scope)
	if err != nil {
		return key{}, errors.New("the file is not the key of a service account; " + newKey)
	}
	if conf.Email == "" {
		return key{}, errors.New("the file lacks client_email; " + newKey)
	}
	if err := checkPrivateKey(conf.PrivateKey); err != nil {
		return key{}, err
	}
	if _, err := calendar.CheckURL(conf.TokenURL); err != nil {
		return key{}, fmt.Errorf("the file's token_uri is %w", err)
	}
	conf.Subject = delegate
	return key{conf, file.Project}, nil
}

func (k key) scope() string { return strings.Join(k.conf.Scopes, " ") }

// checkPrivateKey accepts what package jwt can sign with.
func checkPrivateKey(text []byte) error {
	block, _ := pem.Decode(text)
	if block == nil {
		return errors.New("the file's private_key is missing or damaged; " + newKey)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	}
	if _, ok := parsed.(*rsa.PrivateKey); err != nil || !ok {
		return errors.New("the file's private_key is not a whole RSA key; " + newKey)
	}
	return nil
}
