package ews

import (
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"strconv"
	"strings"
	"time"
)

// message is how one operation went: a response message of Exchange.
type message struct {
	XMLName xml.Name
	Class   string  `xml:"ResponseClass,attr"` // Success, Warning, Error
	Code    string  `xml:"ResponseCode"`
	Values  []value `xml:"MessageXml>Value"`
	Root    *root   `xml:"RootFolder"`                             // of FindItem
	Items   *items  `xml:"Items"`                                  // of GetItem
	Rights  *rights `xml:"Folders>CalendarFolder>EffectiveRights"` // of GetFolder
	size    int     // bytes of the answer
	sum     [sha256.Size]byte
}

type root struct {
	Whole string `xml:"IncludesLastItemInRange,attr"`
	Items *items `xml:"Items"`
}

type items struct {
	All []item `xml:",any"`
}

// rights are what the account may do with a folder. A missing one is a no.
type rights struct {
	Create string `xml:"CreateContents"`
	Modify string `xml:"Modify"`
	Read   string `xml:"Read"`
}

type value struct {
	Name string `xml:"Name,attr"`
	Text string `xml:",chardata"`
}

type envelope struct {
	XMLName xml.Name `xml:"http://schemas.xmlsoap.org/soap/envelope/ Envelope"`
	Body    struct {
		Fault  *soapFault `xml:"http://schemas.xmlsoap.org/soap/envelope/ Fault"`
		Answer *struct {
			XMLName  xml.Name
			Messages *struct {
				All []message `xml:",any"`
			} `xml:"http://schemas.microsoft.com/exchange/services/2006/messages ResponseMessages"`
		} `xml:",any"`
	} `xml:"http://schemas.xmlsoap.org/soap/envelope/ Body"`
}

// soapFault is a refusal of the request as a whole.
type soapFault struct {
	FaultCode string  `xml:"faultcode"`
	Code      string  `xml:"detail>ResponseCode"`
	Values    []value `xml:"detail>MessageXml>Value"`
}

// refusal is what Exchange says when it says no, in its own word.
type refusal struct {
	code    string        // ErrorAccessDenied and the like; empty: none that makes sense
	backOff time.Duration // how long it wants to be left alone; 0: it doesn't say
}

// decode reads the answer to an operation. It refuses whatever isn't one, however good its XML:
// an empty envelope must not pass for an empty calendar.
func decode(body []byte, operation string) (message, error) {
	e, err := decodeEnvelope(body)
	if err != nil {
		return message{}, err
	}
	a := e.Body.Answer
	switch {
	case e.Body.Fault != nil:
		r := e.Body.Fault.refusal()
		return message{Class: "Error", Code: r.code, Values: e.Body.Fault.Values}, nil
	case a == nil || a.XMLName != xml.Name{Space: nsMessages, Local: operation + "Response"}:
		return message{}, errors.New("XML, but not an answer to " + operation)
	case a.Messages == nil || len(a.Messages.All) != 1:
		return message{}, errors.New("not one response message")
	}
	m := a.Messages.All[0]
	if m.XMLName != (xml.Name{Space: nsMessages, Local: operation + "ResponseMessage"}) {
		return message{}, errors.New("not a response message of " + operation)
	}
	return m, nil
}

// decodeFault reads the body of a refusal; false: it isn't one of Exchange's.
func decodeFault(body []byte) (refusal, bool) {
	e, err := decodeEnvelope(body)
	if err != nil || e.Body.Fault == nil {
		return refusal{}, false
	}
	return e.Body.Fault.refusal(), true
}

func decodeEnvelope(body []byte) (envelope, error) {
	body, err := clean(body)
	if err != nil {
		return envelope{}, err
	}
	var e envelope
	if err := xml.Unmarshal(body, &e); err != nil {
		return envelope{}, xmlError(err)
	}
	return e, nil
}

// xmlError tells what is wrong with XML without quoting it.
func xmlError(err error) error {
	var syntax *xml.SyntaxError
	if errors.As(err, &syntax) {
		return errors.New("broken XML in line " + strconv.Itoa(syntax.Line))
	}
	return errors.New("not a SOAP envelope")
}

func (m message) refusal() refusal {
	return refusal{word(m.Code), backOff(m.Values)}
}

// refusal takes the code from the details, else from faultcode, where it has a prefix.
func (f soapFault) refusal() refusal {
	code := word(f.Code)
	if _, local, found := strings.Cut(f.FaultCode, ":"); code == "" && found && strings.HasPrefix(local, "Error") {
		code = word(local)
	}
	return refusal{code, backOff(f.Values)}
}

// word accepts codes only: what is said goes to the log.
func word(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 80 {
		return ""
	}
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') {
			return ""
		}
	}
	return s
}

// backOff is at most an hour: a server that asks for more is asked again all the same.
func backOff(values []value) time.Duration {
	for _, v := range values {
		if v.Name != "BackOffMilliseconds" {
			continue
		}
		ms, err := strconv.ParseInt(strings.TrimSpace(v.Text), 10, 32)
		if err != nil || ms < 0 {
			return 0
		}
		return min(time.Duration(ms)*time.Millisecond, time.Hour)
	}
	return 0
}
