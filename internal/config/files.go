package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// maxSecret bounds the size of a secret file; a service account's key has 2.4 kB.
const maxSecret = 1 << 20

// secret reads key or key_file, exactly one of which has to be there when it is required. The text
// is one line.
func (t *table) secret(key string, required bool) Secret {
	plain, inFile := key, key+"_file"
	_, hasPlain := t.values[plain]
	_, hasFile := t.values[inFile]
	t.claimed[plain], t.claimed[inFile] = true, true
	switch {
	case hasPlain && hasFile:
		t.fail(plain, fmt.Sprintf("%s and %s are both given", plain, inFile), "Remove one of them.")
	case hasPlain:
		return t.plainSecret(plain)
	case hasFile:
		s := t.secretFile(inFile)
		if strings.Contains(s.Reveal(), "\n") {
			t.fail(inFile, inFile+" has more than one line", "Put the secret alone into it.")
			return Secret{}
		}
		return s
	case required:
		t.fail("", fmt.Sprintf("%s is missing", inFile), "Name a file that holds nothing but the secret.")
	}
	return Secret{}
}

// plainSecret reads a secret that stands in the configuration itself.
func (t *table) plainSecret(key string) Secret {
	s, ok := t.raw(key)
	switch {
	case !ok:
		return Secret{}
	case strings.TrimSpace(s) == "":
		t.fail(key, key+" is empty", "Write the secret.")
	case !t.l.private:
		t.fail(key, fmt.Sprintf("%s stands in a file that others than its owner can read", key),
			fmt.Sprintf("Run chmod 600 on the file, or name a file of its own with %s_file.", key))
	}
	return NewSecret(s)
}

// secretFile reads the file that the key names, without the line ends at its end. The name itself
// is not repeated unless there is such a file: people paste the secret in its place.
func (t *table) secretFile(key string) Secret {
	name, ok := t.required(key, "Name the file.")
	if !ok {
		return Secret{}
	}
	dir := t.l.getenv("CREDENTIALS_DIRECTORY")
	for _, file := range t.l.places(name, dir) {
		text, mode, err := readFile(file, maxSecret)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.fail(key, fmt.Sprintf("%s: %s cannot be read: %v", key, file, err), "Let the kiosk's user read it.")
			return Secret{}
		}
		s := strings.TrimRight(string(text), "\r\n")
		if strings.TrimSpace(s) == "" {
			t.fail(key, fmt.Sprintf("%s: %s is empty", key, file), "Put the secret into it.")
			return Secret{}
		}
		// systemd opens its directory to one user by an access list, which shows as group rights.
		if mode.Perm()&0o077 != 0 && (dir == "" || filepath.Dir(file) != filepath.Clean(dir)) {
			t.warn(key, fmt.Sprintf("%s: %s can be read by others than its owner", key, file), "Run chmod 600 on it.")
		}
		return NewSecret(s)
	}
	t.fail(key, key+": there is no such file "+t.l.searched(name, dir), "Put the secret into a file of this name.")
	return Secret{}
}

// places lists where a secret file may be, best first.
func (l *loader) places(name, credentials string) []string {
	if filepath.IsAbs(name) {
		return []string{filepath.Clean(name)}
	}
	if credentials == "" {
		return []string{l.beside(name)}
	}
	return []string{filepath.Join(credentials, name), l.beside(name)}
}

// searched names the places for people.
func (l *loader) searched(name, credentials string) string {
	switch beside := filepath.Dir(l.file); {
	case filepath.IsAbs(name):
		return "at this absolute path"
	case credentials == "":
		return fmt.Sprintf("in %s ($CREDENTIALS_DIRECTORY is not set)", beside)
	default:
		return fmt.Sprintf("in %s ($CREDENTIALS_DIRECTORY) or %s", credentials, beside)
	}
}

// serviceAccount reads the file with a Google service account's key.
func (t *table) serviceAccount(key string) Secret {
	if _, said := t.values[key]; !said {
		t.claimed[key] = true
		t.fail("", key+" is missing", "Name the JSON file with the service account's key.")
		return Secret{}
	}
	s := t.secretFile(key)
	if s.IsZero() {
		return s
	}
	var account struct {
		Type        string `json:"type"`
		ClientEmail string `json:"client_email"`
		PrivateKey  string `json:"private_key"`
	}
	const remedy = "Download a JSON key of the service account from Google Cloud and use that file."
	switch err := json.Unmarshal([]byte(s.Reveal()), &account); {
	case err != nil: // not repeated: it quotes the file
		t.fail(key, key+": the file is not JSON", remedy)
	case account.Type != "service_account" || account.ClientEmail == "" || account.PrivateKey == "":
		t.fail(key, key+": the file is not a service account's key", remedy)
	}
	return s
}
