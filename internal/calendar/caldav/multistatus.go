package caldav

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"roomkiosk/internal/calendar"
)

const (
	maxDepth     = 100    // how deep elements of an answer may be nested
	maxResponses = 50_000 // in one answer; an event needs more than 160 bytes
)

// response is what a multistatus, the answer to PROPFIND and REPORT (RFC 4918, section 13), says
// about one resource. Names are matched by their namespaces: every server has prefixes of its own.
type response struct {
	Href      string     `xml:"DAV: href"`
	Status    string     `xml:"DAV: status"` // of the whole resource, where it has no propstats
	Propstats []propstat `xml:"DAV: propstat"`
}

type propstat struct {
	Prop   prop   `xml:"DAV: prop"`
	Status string `xml:"DAV: status"`
}

// prop is the properties that are asked for (RFC 3744, 4791, 4918, 5397 and 6578; getctag is
// Apple's).
type prop struct {
	ETag        string      `xml:"DAV: getetag"`
	Data        *string     `xml:"urn:ietf:params:xml:ns:caldav calendar-data"`
	Type        *kinds      `xml:"DAV: resourcetype"`
	CTag        string      `xml:"http://calendarserver.org/ns/ getctag"`
	SyncToken   string      `xml:"DAV: sync-token"`
	DisplayName string      `xml:"DAV: displayname"`
	Principal   *hrefs      `xml:"DAV: current-user-principal"`
	HomeSet     *hrefs      `xml:"urn:ietf:params:xml:ns:caldav calendar-home-set"`
	Owner       *hrefs      `xml:"DAV: owner"`
	Addresses   *hrefs      `xml:"urn:ietf:params:xml:ns:caldav calendar-user-address-set"`
	Components  *components `xml:"urn:ietf:params:xml:ns:caldav supported-calendar-component-set"`
	Privileges  *privileges `xml:"DAV: current-user-privilege-set"`
}

type kinds struct {
	Calendar *struct{} `xml:"urn:ietf:params:xml:ns:caldav calendar"`
}

type hrefs struct {
	Href            []string  `xml:"DAV: href"`
	Unauthenticated *struct{} `xml:"DAV: unauthenticated"`
}

type components struct {
	Comp []struct {
		Name string `xml:"name,attr"`
	} `xml:"urn:ietf:params:xml:ns:caldav comp"`
}

type privileges struct {
	Privilege []struct {
		All          *struct{} `xml:"DAV: all"`
		Write        *struct{} `xml:"DAV: write"`
		WriteContent *struct{} `xml:"DAV: write-content"`
	} `xml:"DAV: privilege"`
}

// readMultistatus reads a whole answer. Whatever isn't a complete multistatus is an error, however
// good its XML: it must not pass for an empty calendar.
func readMultistatus(body []byte) ([]response, error) {
	d := xml.NewTokenDecoder(&guard{raw: xml.NewDecoder(bytes.NewReader(printable(body)))})
	root, err := nextStart(d)
	if err != nil {
		return nil, xmlError(err)
	}
	if root == nil || root.Name != (xml.Name{Space: "DAV:", Local: "multistatus"}) {
		return nil, errors.New("XML, but not a multistatus")
	}
	var all []response
	for {
		start, err := nextStart(d)
		if err != nil {
			return nil, xmlError(err)
		}
		if start == nil {
			return all, nil
		}
		if start.Name != (xml.Name{Space: "DAV:", Local: "response"}) {
			err = d.Skip()
		} else {
			var r response
			err = d.DecodeElement(&r, start)
			all = append(all, r)
		}
		if err == nil && len(all) > maxResponses {
			return nil, fmt.Errorf("%w: more than %d responses", calendar.ErrTooLarge, maxResponses)
		}
		if err != nil {
			return nil, xmlError(err)
		}
	}
}

// nextStart returns the next element, nil at the end of the one around it.
func nextStart(d *xml.Decoder) (*xml.StartElement, error) {
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil, io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return &t, nil
		case xml.EndElement:
			return nil, nil //nolint:nilnil // the end is what is looked for
		}
	}
}

// errDTD means that an answer brings definitions of its own, which no calendar needs and XML bombs
// are made of.
var errDTD = errors.New("XML with a document type definition")

// guard refuses what only attacks have: definitions, and elements nested without end.
type guard struct {
	raw   *xml.Decoder
	depth int
}

// Token implements [xml.TokenReader].
func (g *guard) Token() (xml.Token, error) {
	t, err := g.raw.RawToken()
	switch t.(type) {
	case xml.Directive:
		return nil, errDTD
	case xml.StartElement:
		g.depth++
	case xml.EndElement:
		g.depth--
	}
	if g.depth > maxDepth {
		return nil, fmt.Errorf("XML with more than %d levels", maxDepth)
	}
	return t, err
}

// xmlError tells what is wrong with XML without quoting it.
func xmlError(err error) error {
	var syntax *xml.SyntaxError
	switch {
	case errors.Is(err, errDTD):
		return errDTD
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("XML that is cut off")
	case errors.As(err, &syntax):
		return fmt.Errorf("broken XML in line %d", syntax.Line)
	default:
		return errors.New("broken XML")
	}
}

var reference = regexp.MustCompile(`&#(x[0-9a-fA-F]{1,6}|[0-9]{1,7});`)

// printable replaces what XML may not contain by spaces. Texts that were pasted into an event bring
// it along, and it would make the whole answer unreadable.
func printable(body []byte) []byte {
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte(" "))
	}
	if bytes.ContainsFunc(body, unprintable) {
		body = bytes.Map(func(r rune) rune {
			if unprintable(r) {
				return ' '
			}
			return r
		}, body)
	}
	if !bytes.Contains(body, []byte("&#")) {
		return body
	}
	return reference.ReplaceAllFunc(body, func(ref []byte) []byte {
		digits, base := string(ref[2:len(ref)-1]), 10
		if digits[0] == 'x' {
			digits, base = digits[1:], 16
		}
		if n, err := strconv.ParseInt(digits, base, 32); err != nil || unprintable(rune(n)) || !utf8.ValidRune(rune(n)) {
			return []byte(" ")
		}
		return ref
	})
}

// unprintable is what no XML 1.0 document may contain (section 2.2).
func unprintable(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == '\ufffe' || r == '\uffff'
}

// found joins the properties that the server has; the others come with a status of 404.
func (r *response) found() prop {
	var p prop
	for _, s := range r.Propstats {
		if code := statusCode(s.Status); code == 0 || code/100 == 2 {
			p.add(s.Prop)
		}
	}
	return p
}

// add takes over what other has.
func (p *prop) add(other prop) {
	set(&p.ETag, other.ETag)
	set(&p.CTag, other.CTag)
	set(&p.SyncToken, other.SyncToken)
	set(&p.DisplayName, other.DisplayName)
	set(&p.Data, other.Data)
	set(&p.Type, other.Type)
	set(&p.Principal, other.Principal)
	set(&p.HomeSet, other.HomeSet)
	set(&p.Owner, other.Owner)
	set(&p.Addresses, other.Addresses)
	set(&p.Components, other.Components)
	set(&p.Privileges, other.Privileges)
}

func set[T comparable](to *T, from T) {
	var nothing T
	if from != nothing {
		*to = from
	}
}

// code is the status of the whole resource; 0: it has none, its properties do.
func (r *response) code() int { return statusCode(r.Status) }

// statusCode reads "HTTP/1.1 404 Not Found"; 0: there is no status in it.
func statusCode(line string) int {
	fields := strings.Fields(line)
	for _, field := range fields[:min(len(fields), 2)] {
		if n, err := strconv.Atoi(field); err == nil && n >= 100 && n < 1000 {
			return n
		}
	}
	return 0
}

// calendar tells whether the resource is a calendar.
func (p *prop) calendar() bool { return p.Type != nil && p.Type.Calendar != nil }

// events tells whether a calendar holds events; one that doesn't say holds everything.
func (p *prop) events() bool {
	if p.Components == nil || len(p.Components.Comp) == 0 {
		return true
	}
	for _, c := range p.Components.Comp {
		if strings.EqualFold(c.Name, "VEVENT") {
			return true
		}
	}
	return false
}

// token names the state of a collection; empty: the server doesn't tell.
func (p *prop) token() string {
	if p.CTag == "" && p.SyncToken == "" {
		return ""
	}
	return p.CTag + "\x00" + p.SyncToken
}

// writable tells whether members may be changed; known: whether the server says so at all.
func (p *prop) writable() (yes, known bool) {
	if p.Privileges == nil {
		return false, false
	}
	for _, g := range p.Privileges.Privilege {
		if g.All != nil || g.Write != nil || g.WriteContent != nil {
			return true, true
		}
	}
	return false, true
}
