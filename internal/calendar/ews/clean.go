package ews

import (
	"bytes"
	"errors"
	"strconv"
	"unicode/utf8"
)

// errDTD means that an answer declares a document type. SOAP forbids it (SOAP 1.1, section 3), and
// it is how XML bombs begin.
var errDTD = errors.New("XML with a document type declaration")

// clean removes what makes an answer invalid XML 1.0 and comes from the texts in it: control
// characters, as such or as references (&#x1F;), and bytes that aren't UTF-8. Exchange passes them
// on from subjects. Everything else stays, byte for byte. Without any, body itself is returned.
func clean(body []byte) ([]byte, error) {
	if hasDTD(body) {
		return nil, errDTD
	}
	if !utf8.Valid(body) {
		body = bytes.ToValidUTF8(body, []byte("\uFFFD"))
	}
	var out []byte
	kept := 0 // up to here, body is in out
	for i := 0; i < len(body); {
		n := invalid(body[i:])
		if n == 0 {
			i++
			continue
		}
		out = append(out, body[kept:i]...)
		i += n
		kept = i
	}
	if kept == 0 {
		return body, nil
	}
	return append(out, body[kept:]...), nil
}

// hasDTD finds declarations. Inside texts and attributes there is no bare "<".
func hasDTD(body []byte) bool {
	for {
		_, rest, found := bytes.Cut(body, []byte("<!"))
		if !found {
			return false
		}
		if !bytes.HasPrefix(rest, []byte("--")) && !bytes.HasPrefix(rest, []byte("[CDATA[")) {
			return true
		}
		body = rest
	}
}

// invalid returns how many bytes at the beginning of b are one character that XML 1.0 doesn't have,
// or a reference to one; 0: none.
func invalid(b []byte) int {
	switch {
	case b[0] == '&':
		return invalidReference(b)
	case b[0] < 0x20 && b[0] != '\t' && b[0] != '\n' && b[0] != '\r':
		return 1
	case b[0] == 0xEF && len(b) > 2 && b[1] == 0xBF && b[2] >= 0xBE: // U+FFFE and U+FFFF
		return 3
	default:
		return 0
	}
}

// invalidReference does the same for &#31; and &#x1F;. References by name are valid, or nothing that
// can be mended.
func invalidReference(b []byte) int {
	const longest = len("&#x0010FFFF;")
	end := bytes.IndexByte(b[:min(len(b), longest)], ';')
	if end < 3 || b[1] != '#' {
		return 0
	}
	digits, base := string(b[2:end]), 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || validXML(n) {
		return 0
	}
	return end + 1
}

// validXML tells whether XML 1.0 has the character (section 2.2).
func validXML(n uint64) bool {
	switch {
	case n == '\t', n == '\n', n == '\r':
		return true
	case n < 0x20, n >= 0xD800 && n <= 0xDFFF, n == 0xFFFE, n == 0xFFFF:
		return false
	default:
		return n <= utf8.MaxRune
	}
}
