package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// listen reads an address to listen on: host:port, where the host may be empty.
func (t *table) listen(key string) string {
	s := t.text(key, DefaultListen)
	if !validListen(s) {
		t.fail(key, fmt.Sprintf("%s %s is not an address", key, brief(s)),
			`Write it as ":8080" for all networks, or "127.0.0.1:8080" for one.`)
		return DefaultListen
	}
	return s
}

func validListen(s string) bool {
	host, port, err := net.SplitHostPort(s)
	if err != nil || strings.ContainsAny(host, " /") {
		return false
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == port
}

// zone reads an IANA zone name; nil where it is missing or unknown.
func (t *table) zone(key string) *time.Location {
	s, ok := t.required(key, `Write the IANA name of the place's zone, such as time_zone = "Europe/Berlin".`)
	if !ok {
		return nil
	}
	zone, err := time.LoadLocation(s)
	if err != nil || s == "Local" {
		t.fail(key, fmt.Sprintf("%s %s is not known", key, brief(s)),
			`Write an IANA name in its exact spelling, such as "Europe/Berlin" or "America/New_York".`)
		return nil
	}
	return zone
}

var languageTag = regexp.MustCompile(`^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$`)

// language reads a BCP 47 tag.
func (t *table) language(key, fallback string) string {
	s := t.text(key, fallback)
	if !languageTag.MatchString(s) {
		t.fail(key, fmt.Sprintf("%s %s is not a language tag", key, brief(s)), `Write it as "en" or "pt-BR".`)
		return fallback
	}
	return s
}

var hostName = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?$`)

// hosts reads Host names: no scheme, no port, no wildcard.
func (t *table) hosts(key string) []string {
	hosts := t.words(key)
	for i, h := range hosts {
		hosts[i] = strings.ToLower(h)
		if _, err := netip.ParseAddr(h); err != nil && h != "" && !hostName.MatchString(hosts[i]) {
			t.failElement(key, i, fmt.Sprintf("%s: %s is not a host name", key, brief(h)),
				`Write names without scheme and port, such as "rooms.example.com".`)
		}
	}
	return hosts
}

// address reads a URL of the scheme ("https" or "wss"), or of its plain form on loopback. Trailing
// slashes are cut off. URLs are never repeated in a problem: they can hold secrets.
func (t *table) address(key, fallback, scheme string) string {
	s := t.text(key, fallback)
	if s == "" {
		return ""
	}
	if reason, remedy := addressProblem(s, scheme); reason != "" {
		t.fail(key, key+" "+reason, remedy)
		return fallback
	}
	return strings.TrimRight(s, "/")
}

// requiredAddress is address for a key without a default.
func (t *table) requiredAddress(key, scheme, remedy string) string {
	if _, ok := t.required(key, remedy); !ok {
		return ""
	}
	return t.address(key, "", scheme)
}

// addressProblem tells what is wrong with a URL; the empty reason means nothing.
func addressProblem(s, scheme string) (reason, remedy string) {
	plain := strings.TrimSuffix(scheme, "s")
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Scheme == "" || u.Hostname() == "" || u.Opaque != "":
		return "is not a URL", fmt.Sprintf(`Write it in full, beginning with "%s://".`, scheme)
	case u.User != nil:
		return "holds a user name or password", "Take them out: URLs are shown in logs."
	case u.Fragment != "":
		return "has a part after #", "Take it out."
	case u.Scheme == scheme:
		return "", ""
	case u.Scheme == plain && isLoopback(u.Hostname()):
		return "", ""
	default:
		return "is not " + scheme, fmt.Sprintf(`Begin it with "%s://"; plain %s is accepted on loopback only.`, scheme, plain)
	}
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

var roomID = regexp.MustCompile(`^[a-z0-9-]+$`)

// label makes the subject of a table's problems: its kind with its name, or with its number where
// the name can't be used.
func label(kind, key string) func(values map[string]any, number int) string {
	return func(values map[string]any, number int) string {
		if name, ok := values[key].(string); ok && name != "" {
			return fmt.Sprintf("%s %s: ", kind, brief(name))
		}
		return fmt.Sprintf("%s %d: ", kind, number)
	}
}

// unique reports a key whose value another table of the list had before. first remembers the lines.
func (t *table) unique(key, value, remedy string, first map[string]int) {
	if line, taken := first[value]; taken {
		t.fail(key, fmt.Sprintf("%s is taken by line %d", key, line), remedy)
		return
	}
	first[value] = t.line(key)
}
