package sim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"sync"
	"time"
	"unicode/utf16"
)

// connectionKey is where a request's context has its connection.
type connectionKey struct{}

// connection is what a server knows of a client's connection: NTLM signs in connections, and not
// requests.
type connection struct {
	mu        sync.Mutex
	challenge []byte // of the handshake that is under way
	target    []byte
	account   string // empty: nobody has signed in
}

// withConnection is for the ConnContext of a server.
func withConnection(ctx context.Context, _ net.Conn) context.Context {
	return context.WithValue(ctx, connectionKey{}, &connection{})
}

func (c *connection) user() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.account
}

var errNTLM = errors.New("not a valid NTLM message")

// The flags of NTLM messages that matter here (MS-NLMP, section 2.2.2.5).
const (
	ntlmUnicode    = 1 << 0
	ntlmTarget     = 1 << 2
	ntlmNTLM       = 1 << 9
	ntlmAlwaysSign = 1 << 15
	ntlmIsDomain   = 1 << 16
	ntlmExtended   = 1 << 19
	ntlmTargetInfo = 1 << 23
	ntlm128        = 1 << 29
)

// negotiate takes one message of a handshake, in base64. It returns the challenge to answer with, or
// nothing once the client is signed in.
func (c *connection) negotiate(data, account, password string, now time.Time) (challenge string, err error) {
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil || len(raw) < 16 || string(raw[:8]) != "NTLMSSP\x00" {
		return "", errNTLM
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.account = ""
	switch kind, flags := binary.LittleEndian.Uint32(raw[8:]), binary.LittleEndian.Uint32(raw[12:]); {
	case kind == 1 && flags&(ntlmUnicode|ntlmNTLM) == ntlmUnicode|ntlmNTLM:
		c.challenge, c.target = make([]byte, 8), targetInfo(now)
		_, _ = rand.Read(c.challenge) // never fails
		return base64.StdEncoding.EncodeToString(challengeMessage(c.challenge, c.target)), nil
	case kind == 3 && c.challenge != nil:
		expected := c.challenge
		c.challenge = nil // good for one answer
		if err := verifyNTLM(raw, expected, c.target, account, password); err != nil {
			return "", err
		}
		c.account = account
		return "", nil
	default:
		return "", errNTLM
	}
}

// targetInfo names the server, in the form of MS-NLMP, section 2.2.2.1.
func targetInfo(now time.Time) []byte {
	var b []byte
	add := func(id uint16, value []byte) {
		b = binary.LittleEndian.AppendUint16(b, id)
		b = binary.LittleEndian.AppendUint16(b, uint16(len(value)))
		b = append(b, value...)
	}
	add(2, utf16LE("EXAMPLE"))
	add(1, utf16LE("EX01"))
	add(4, utf16LE("example.com"))
	add(3, utf16LE("ex01.example.com"))
	add(7, binary.LittleEndian.AppendUint64(nil, uint64(now.UnixNano())/100+116444736000000000))
	add(0, nil)
	return b
}

// challengeMessage is MS-NLMP, section 2.2.1.2.
func challengeMessage(challenge, target []byte) []byte {
	const header = 56
	name := utf16LE("EXAMPLE")
	b := []byte("NTLMSSP\x00\x02\x00\x00\x00")
	b = appendField(b, len(name), header)
	b = binary.LittleEndian.AppendUint32(b, ntlmUnicode|ntlmTarget|ntlmNTLM|ntlmAlwaysSign|ntlmIsDomain|ntlmExtended|ntlmTargetInfo|ntlm128)
	b = append(b, challenge...)
	b = append(b, make([]byte, 8)...)
	b = appendField(b, len(target), header+len(name))
	b = append(b, 10, 0, 0x7c, 0x4f, 0, 0, 0, 15) // version
	return append(append(b, name...), target...)
}

func appendField(b []byte, length, offset int) []byte {
	b = binary.LittleEndian.AppendUint16(b, uint16(length))
	b = binary.LittleEndian.AppendUint16(b, uint16(length))
	return binary.LittleEndian.AppendUint32(b, uint32(offset))
}

// verifyNTLM checks the last message of a handshake (MS-NLMP, section 2.2.1.3): NTLMv2 only.
func verifyNTLM(raw, challenge, target []byte, account, password string) error {
	var fields [4][]byte // NT response, domain, user: fields 1 to 3
	for i := range fields {
		var err error
		if fields[i], err = ntlmField(raw, 12+8*i); err != nil {
			return err
		}
	}
	response, domain, user := fields[1], fromUTF16LE(fields[2]), fromUTF16LE(fields[3])
	name := user
	if domain != "" {
		name = domain + `\` + user
	}
	if !strings.EqualFold(name, account) || len(response) < 16+28 {
		return errNTLM
	}
	proof, blob := response[:16], response[16:]
	if blob[0] != 1 || blob[1] != 1 || !bytes.HasPrefix(blob[28:], target) {
		return errNTLM
	}
	if !hmac.Equal(proof, ntlmProof(password, user, domain, challenge, blob)) {
		return errNTLM
	}
	return nil
}

// ntlmProof is NTProofStr of MS-NLMP, section 3.3.2.
func ntlmProof(password, user, domain string, challenge, blob []byte) []byte {
	hash := md4(utf16LE(password))
	key := hmacMD5(hash[:], utf16LE(strings.ToUpper(user)+domain))
	return hmacMD5(key, append(bytes.Clone(challenge), blob...))
}

func hmacMD5(key, data []byte) []byte {
	mac := hmac.New(md5.New, key)
	mac.Write(data)
	return mac.Sum(nil)
}

// ntlmField returns the bytes that a field of the header at that offset points at.
func ntlmField(raw []byte, at int) ([]byte, error) {
	if len(raw) < at+8 {
		return nil, errNTLM
	}
	length, offset := int(binary.LittleEndian.Uint16(raw[at:])), int(binary.LittleEndian.Uint32(raw[at+4:]))
	if offset > len(raw) || length > len(raw)-offset {
		return nil, errNTLM
	}
	return raw[offset : offset+length], nil
}

func utf16LE(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func fromUTF16LE(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}
