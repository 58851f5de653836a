package token

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
)

// signature is an HTTP message signature (RFC 9421) in the one form of a request proof: one
// label, the four components below without parameters, and four parameters. The fields must
// stand as RFC 8941 serialises them. So each signature has one reading, and the text that it
// covers is in the field itself.
type signature struct {
	covered    []string
	created    int64 // unix seconds
	nonce      string
	keyID, alg string
	params     string // the value of @signature-params
	mac        []byte
}

// The components of a request that a proof can cover.
const (
	methodOf    = "@method"
	targetOf    = "@target-uri"
	credentials = "authorization"
	digestOf    = "content-digest"
)

const (
	maxInput = 512 // bytes of Signature-Input
	maxLabel = 32
	maxNonce = 64
)

// parseSignature reads the values of Signature-Input and Signature.
func parseSignature(input, value string) (s signature, ok bool) {
	if len(input) > maxInput {
		return s, false
	}
	label, params, ok := strings.Cut(input, "=")
	if !ok || !isLabel(label) {
		return s, false
	}
	s.params = params
	list, ok := strings.CutPrefix(params, "(")
	if !ok {
		return s, false
	}
	list, params, ok = strings.Cut(list, ")")
	if !ok || !s.parseCovered(list) || !s.parseParams(params) {
		return s, false
	}
	s.mac, ok = bytesItem(value, label)
	return s, ok && len(s.mac) == sha256.Size
}

// isLabel reports whether text is a key of a dictionary (RFC 8941 §3.2).
func isLabel(text string) bool {
	if text == "" || len(text) > maxLabel || (text[0] < 'a' || text[0] > 'z') && text[0] != '*' {
		return false
	}
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && !strings.ContainsRune("_-.*", rune(c)) {
			return false
		}
	}
	return true
}

func (s *signature) parseCovered(list string) bool {
	for quoted := range strings.SplitSeq(list, " ") {
		switch name := strings.TrimSuffix(strings.TrimPrefix(quoted, `"`), `"`); name {
		case methodOf, targetOf, credentials, digestOf:
			if len(quoted) != len(name)+2 || s.covers(name) {
				return false
			}
			s.covered = append(s.covered, name)
		default:
			return false
		}
	}
	return true
}

func (s *signature) covers(name string) bool {
	for _, c := range s.covered {
		if c == name {
			return true
		}
	}
	return false
}

// parseParams reads the parameters: each of the four once, in any order.
func (s *signature) parseParams(params string) bool {
	for params != "" {
		name, value, _ := strings.Cut(params, "=")
		if name == ";created" {
			digits := len(value) - len(strings.TrimLeft(value, "0123456789"))
			n, err := strconv.ParseInt(value[:digits], 10, 64)
			if err != nil || n <= 0 || value[0] == '0' || digits > 12 || s.created != 0 {
				return false
			}
			s.created, params = n, value[digits:]
			continue
		}
		var into *string
		switch name {
		case ";nonce":
			into = &s.nonce
		case ";keyid":
			into = &s.keyID
		case ";alg":
			into = &s.alg
		}
		text, opened := strings.CutPrefix(value, `"`)
		text, after, closed := strings.Cut(text, `"`)
		if into == nil || *into != "" || !opened || !closed || text == "" || len(text) > maxNonce || !visible(text) {
			return false
		}
		*into, params = text, after
	}
	return s.created != 0 && s.nonce != "" && s.keyID != "" && s.alg != ""
}

// visible reports whether text is of visible ASCII and needs no escape in a string.
func visible(text string) bool {
	for i := range len(text) {
		if c := text[i]; c <= ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// bytesItem reads "label=:base64:" (RFC 8941 §3.3.5), in its one spelling.
func bytesItem(text, label string) ([]byte, bool) {
	rest, ok1 := strings.CutPrefix(text, label)
	rest, ok2 := strings.CutPrefix(rest, "=:")
	rest, ok3 := strings.CutSuffix(rest, ":")
	const longest = 4 * (sha256.Size + 2) / 3
	if !ok1 || !ok2 || !ok3 || len(rest) > longest || strings.ContainsAny(rest, "\r\n") {
		return nil, false
	}
	b, err := base64.StdEncoding.Strict().DecodeString(rest)
	return b, err == nil
}

// appendLine appends one component to a signature base (RFC 9421 §2.5).
func appendLine(base []byte, name, value string) []byte {
	base = append(base, '"')
	base = append(base, name...)
	base = append(base, `": `...)
	base = append(base, value...)
	return append(base, '\n')
}

// appendParams ends a signature base.
func appendParams(base []byte, params string) []byte {
	return append(append(base, `"@signature-params": `...), params...)
}
