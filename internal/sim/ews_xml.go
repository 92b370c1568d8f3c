package sim

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// The namespaces of EWS.
const (
	ewsSOAP     = "http://schemas.xmlsoap.org/soap/envelope/"
	ewsTypes    = "http://schemas.microsoft.com/exchange/services/2006/types"
	ewsMessages = "http://schemas.microsoft.com/exchange/services/2006/messages"
	ewsErrors   = "http://schemas.microsoft.com/exchange/services/2006/errors"
)

// node is an element of a request.
type node struct {
	xml.Name
	attrs map[string]string
	kids  []*node
	text  string
}

// readXML reads a document of elements. Document types and instructions are refused.
func readXML(r io.Reader) (*node, error) {
	dec := xml.NewDecoder(r)
	top := &node{}
	open := []*node{top}
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading request: %w", err)
		}
		last := open[len(open)-1]
		switch t := token.(type) {
		case xml.StartElement:
			n := &node{Name: t.Name, attrs: map[string]string{}}
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					n.attrs[a.Name.Local] = a.Value
				}
			}
			last.kids = append(last.kids, n)
			open = append(open, n)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			last.text += strings.TrimSpace(string(t))
		case xml.Directive:
			return nil, errors.New("reading request: a document type")
		}
	}
	if len(top.kids) != 1 {
		return nil, errors.New("reading request: not one element")
	}
	return top.kids[0], nil
}

// kid returns the child of that name, or an empty element.
func (n *node) kid(local string) *node {
	for _, k := range n.kids {
		if k.Local == local {
			return k
		}
	}
	return &node{attrs: map[string]string{}}
}

func (n *node) has(local string) bool {
	return slices.ContainsFunc(n.kids, func(k *node) bool { return k.Local == local })
}

// holds checks the children against the schema: names with prefixes in their order, "?" after one that
// may be missing, "+" after one that may come again. An empty schema is an element with text.
func (n *node) holds(schema ...string) error {
	rest := n.kids
	for _, want := range schema {
		name, most := strings.TrimRight(want, "?+"), 1
		if strings.HasSuffix(want, "+") {
			most = len(rest)
		}
		found := 0
		for len(rest) > 0 && found < most && rest[0].is(name) {
			rest, found = rest[1:], found+1
		}
		if found == 0 && !strings.HasSuffix(want, "?") {
			return errSchema("The element '%s' has incomplete content. Expected: '%s'.", n.Local, name)
		}
	}
	if len(rest) > 0 {
		return errSchema("The element '%s' in namespace '%s' has invalid child element '%s' in namespace '%s'.",
			n.Local, n.Space, rest[0].Local, rest[0].Space)
	}
	if n.text != "" && len(schema) > 0 {
		return errSchema("The element '%s' cannot contain text.", n.Local)
	}
	return nil
}

// is compares with a name such as t:ItemId.
func (n *node) is(name string) bool {
	prefix, local, _ := strings.Cut(name, ":")
	space := map[string]string{"s": ewsSOAP, "t": ewsTypes, "m": ewsMessages}[prefix]
	return n.Name == xml.Name{Space: space, Local: local}
}

// takes checks the attributes: their names, "?" after those that may be missing.
func (n *node) takes(names ...string) error {
	known := map[string]bool{}
	for _, want := range names {
		name, optional := strings.CutSuffix(want, "?")
		known[name] = true
		if _, there := n.attrs[name]; !there && !optional {
			return errSchema("The required attribute '%s' is missing.", name)
		}
	}
	for name := range n.attrs {
		if !known[name] {
			return errSchema("The '%s' attribute is not declared.", name)
		}
	}
	return nil
}

// oneOf checks a value of an enumeration.
func oneOf(value string, values ...string) error {
	if slices.Contains(values, value) {
		return nil
	}
	return errSchema("The value '%s' is invalid according to its datatype.", value)
}

// first returns the first error.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a builder takes everything
	return b.String()
}
