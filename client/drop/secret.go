package drop

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/url"
	"regexp"
	"strings"
)

// linkPrefix begins the fragment of a link.
const linkPrefix = "v1."

var (
	goodName = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	goodCode = regexp.MustCompile(`^[0-9]{6}$`)
)

// NormalName makes a name of what a person types: "Red Fox" is red-fox.
func NormalName(text string) string {
	return strings.Join(strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return r == ' ' || r == '_' || r == '-' || r == '\t' }), "-")
}

// ParseLink reads the link of a drop: the server's address, the name, and the secret for
// [Join], which is empty in a link without one.
func ParseLink(text string) (server, name, secret string, ok bool) {
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return "", "", "", false
	}
	before, name, found := strings.Cut(u.Path, "/d/")
	name = NormalName(strings.TrimSuffix(name, "/"))
	if !found || !validName(name) {
		return "", "", "", false
	}
	if u.Fragment != "" {
		if _, _, err := readSecret(u.Fragment); err != nil {
			return "", "", "", false
		}
	}
	return u.Scheme + "://" + u.Host + before, name, u.Fragment, true
}

func validName(name string) bool {
	return len(name) >= 3 && len(name) <= 40 && goodName.MatchString(name)
}

// readSecret reads six digits, or v1. and the key of a link.
func readSecret(text string) (mode, []byte, error) {
	if key, ok := strings.CutPrefix(text, linkPrefix); ok {
		b, err := fromB64(key, 16)
		if err != nil {
			return "", nil, ErrSecret
		}
		return modeKey, b, nil
	}
	digits := strings.NewReplacer(" ", "", "-", "").Replace(strings.TrimSpace(text))
	if !goodCode.MatchString(digits) {
		return "", nil, ErrSecret
	}
	return modeCode, []byte(digits), nil
}

// newCode draws six digits uniformly.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		panic("drop: internal error: " + err.Error())
	}
	return fmt.Sprintf("%06d", n)
}
