package account

import (
	"strings"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"coffer/internal/fault"
	"coffer/internal/text"
)

// maxEmail is the longest address in bytes: RFC 5321 §4.5.3.1.3 less the brackets.
const maxEmail = 254

// address is an e-mail address in its two forms.
type address struct {
	Canonical string // what two spellings of one mailbox have in common: blind indexes are made of it
	Stored    string // where mail goes: the local part as its owner wrote it
}

// domains maps a domain to its lower-case A-labels (UTS 46, not transitional) and refuses
// what no host name may hold.
var domains = idna.New(idna.MapForLookup(), idna.BidiRule(), idna.Transitional(false),
	idna.StrictDomainName(true), idna.VerifyDNSLength(true), idna.CheckHyphens(true), idna.CheckJoiners(true))

// parseEmail reads an address by the rules of protocols.md §4: NFC, no control or bidi
// characters, one unquoted @, at most 254 bytes, local part case-folded, domain in
// A-labels and lower case without a trailing dot. Parsing a canonical form gives the
// same canonical form.
func parseEmail(s string) (address, bool) {
	if len(s) > 4*maxEmail || !utf8.ValidString(s) {
		return address{}, false
	}
	local, domain, ok := strings.Cut(norm.NFC.String(strings.Trim(s, " ")), "@")
	if !ok || !localPart(local) {
		return address{}, false
	}
	domain, err := domains.ToASCII(strings.TrimSuffix(norm.NFC.String(domain), "."))
	if err != nil || domain == "" || strings.HasSuffix(domain, ".") {
		return address{}, false
	}
	folded, ok := foldLocal(local)
	a := address{Canonical: folded + "@" + domain, Stored: local + "@" + domain}
	if !ok || len(a.Canonical) > maxEmail || len(a.Stored) > maxEmail {
		return address{}, false
	}
	return a, true
}

// localPart accepts the dot-atoms of RFC 5321 and RFC 6531. Quoted local parts are
// refused: hardly any mailbox has one, and each rule of quoting allows two readings.
func localPart(s string) bool {
	if s == "" || strings.HasPrefix(s, ".") || strings.HasSuffix(s, ".") || strings.Contains(s, "..") {
		return false
	}
	for _, r := range s {
		if r <= ' ' || strings.ContainsRune(`"(),:;<>@[\]`, r) || !text.Printable(r) || isSpace(r) {
			return false
		}
	}
	return true
}

// foldLocal folds case until nothing changes: some characters fold into others that
// compose again, and a blind index must not depend on how often it was done.
func foldLocal(s string) (string, bool) {
	for range 4 {
		next := norm.NFC.String(cases.Fold().String(s))
		if next == s {
			return s, localPart(s)
		}
		s = next
	}
	return "", false
}

// checkEmail is parseEmail for a value of a request.
func checkEmail(pointer, s string) (address, *fault.Field) {
	a, ok := parseEmail(s)
	if !ok {
		return a, &fault.Field{Pointer: pointer, Code: "invalid_email", Detail: "That is not an e-mail address such as ada@example.org."}
	}
	return a, nil
}

// NormalEmail returns the form of an address in which mail goes out; code "validation_failed"
// for a value, at the place pointer of a request, that is no address.
func NormalEmail(pointer, s string) (string, error) {
	a, f := checkEmail(pointer, s)
	if f != nil {
		return "", fault.InvalidFields(*f)
	}
	return a.Stored, nil
}

// localOf returns the local part, a context word of passwords.
func localOf(a address) string {
	local, _, _ := strings.Cut(a.Canonical, "@")
	return local
}

// MaskEmail shows enough of an address for its owner to know it by: the first character
// before the @, and the domain.
func MaskEmail(email string) string {
	at := strings.LastIndexByte(email, '@')
	if at < 0 {
		return ""
	}
	_, first := utf8.DecodeRuneInString(email)
	return email[:min(first, at)] + "…" + email[at:]
}
