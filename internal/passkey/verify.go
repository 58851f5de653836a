package passkey

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"
	"github.com/google/uuid"
	"golang.org/x/net/idna"
)

// This file is the relying party's part of WebAuthn Level 3: §7.1 for a registration, §7.2
// for an assertion. The library decodes, and checks signatures. What a step asks of the
// relying party's own knowledge stands here.

// algorithms are those that a passkey may sign with, the preferred first (COSE, RFC 9053).
var algorithms = []webauthncose.COSEAlgorithmIdentifier{
	webauthncose.AlgES256, webauthncose.AlgEdDSA, webauthncose.AlgES384, webauthncose.AlgES512, webauthncose.AlgRS256,
}

// The sizes of an RSA modulus. Less is weak (NIST SP 800-57 part 1 §5.6), and more would make
// each check dear.
const (
	minModulus = 2048 / 8 // bytes
	maxModulus = 4096 / 8
)

// maxKey is the length of a public key in COSE: that of the longest RSA key, and some room.
const maxKey = 1024

// maxCredential is the length of a credential's JSON. Ids have up to 1023 bytes, and a
// statement holds a few certificates.
const maxCredential = 48 << 10

// party is this server, as authenticators know it: the host is the relying party's id.
type party struct{ id, origin string }

// newParty returns the party of a base URL. It is false where browsers allow no passkeys: at
// an IP address, which is no valid domain (§5.1.3 step 8), and where the page is no secure
// context.
func newParty(base string) (party, bool) {
	u, err := url.Parse(base)
	if err != nil {
		return party{}, false
	}
	host, err := idna.Lookup.ToASCII(strings.ToLower(strings.TrimSuffix(u.Hostname(), ".")))
	if err != nil || host == "" || isAddress(host) {
		return party{}, false
	}
	scheme, port := strings.ToLower(u.Scheme), u.Port()
	if scheme != "https" && host != "localhost" && !strings.HasSuffix(host, ".localhost") {
		return party{}, false
	}
	origin := scheme + "://" + host
	if port != "" && (scheme != "https" || port != "443") && (scheme != "http" || port != "80") {
		origin += ":" + port // the default port is left out (HTML, serialization of an origin)
	}
	return party{host, origin}, true
}

// isAddress reports whether a browser reads a host as an IP address. It does so when the last
// label is a number, whatever the others are (URL standard, "ends in a number").
func isAddress(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	last := host[strings.LastIndexByte(host, '.')+1:]
	return strings.Trim(last, "0123456789") == "" || strings.HasPrefix(last, "0x")
}

// clientData is what a browser says about its call (§5.8.1). Other members are allowed.
type clientData struct {
	Type        string  `json:"type"`
	Challenge   string  `json:"challenge"`
	Origin      string  `json:"origin"`
	CrossOrigin bool    `json:"crossOrigin"`
	TopOrigin   *string `json:"topOrigin"`
}

// The types of client data.
const (
	created = "webauthn.create"
	gotten  = "webauthn.get"
)

// readClientData refuses what two parsers might read in two ways: duplicate names, and names
// in another case.
func readClientData(raw []byte) (clientData, error) {
	var c clientData
	if err := json.Unmarshal(raw, &c); err != nil {
		return c, fmt.Errorf("client data: %w", err)
	}
	return c, nil
}

// check is §7.1 steps 7 to 11, and §7.2 steps 10 to 14: type, challenge, and the page that
// asked. A page in a frame of another site is refused.
func (p party) check(c clientData, kind, challenge string) error {
	switch {
	case c.Type != kind:
		return fmt.Errorf("client data of type %q", c.Type)
	case c.Challenge != challenge:
		return errors.New("another challenge")
	case c.Origin != p.origin:
		return fmt.Errorf("origin %q", c.Origin)
	case c.CrossOrigin || c.TopOrigin != nil:
		return errors.New("a page in a frame of another origin")
	}
	return nil
}

// checkFlags is §7.1 steps 14 to 17, and §7.2 steps 15 to 18: the party's id, the person's
// presence and verification, and that only what may be backed up is backed up.
func (p party) checkFlags(a protocol.AuthenticatorData) error {
	id := sha256.Sum256([]byte(p.id))
	if err := a.Verify(id[:], nil, true, true); err != nil {
		return explained(err)
	}
	if a.Flags.HasBackupState() && !a.Flags.HasBackupEligible() {
		return errors.New("backed up, but not eligible for it")
	}
	return nil
}

// record is a credential record (§4), as the row holds it sealed.
type record struct {
	ID         []byte   `json:"id"`
	Key        []byte   `json:"key"` // COSE
	Count      uint32   `json:"count"`
	Eligible   bool     `json:"be,omitempty"`
	BackedUp   bool     `json:"bs,omitempty"`
	Maker      []byte   `json:"aaguid"` // an AAGUID; nobody vouches for it
	Transports []string `json:"transports,omitempty"`
	ToldAt     int64    `json:"told_at,omitempty"` // when the owner was last told of a copy
}

// parseCreation reads a registration and the challenge that it answers.
func parseCreation(raw []byte) (*protocol.ParsedCredentialCreationData, clientData, error) {
	if len(raw) > maxCredential {
		return nil, clientData{}, errors.New("a credential that is too large")
	}
	in, err := protocol.ParseCredentialCreationResponseBytes(raw)
	if err != nil {
		return nil, clientData{}, explained(err)
	}
	c, err := readClientData(in.Raw.AttestationResponse.ClientDataJSON)
	return in, c, err
}

// register checks a registration that answers challenge, and returns the new credential.
func (p party) register(in *protocol.ParsedCredentialCreationData, c clientData, challenge string) (record, error) {
	if err := p.check(c, created, challenge); err != nil {
		return record{}, err
	}
	a := in.Response.AttestationObject
	if err := p.checkFlags(a.AuthData); err != nil {
		return record{}, err
	}
	// Nothing but the statement's signature covers the id that the client reports.
	credential := a.AuthData.AttData
	if len(credential.CredentialID) == 0 || !bytes.Equal(credential.CredentialID, in.RawID) {
		return record{}, errors.New("two ids of one credential")
	}
	if err := checkKey(credential.CredentialPublicKey); err != nil {
		return record{}, err
	}
	hash := sha256.Sum256(in.Raw.AttestationResponse.ClientDataJSON)
	if err := checkStatement(a, hash[:]); err != nil {
		return record{}, err
	}
	if props := in.ClientExtensionResults.CredProps; props != nil && props.RK != nil && !*props.RK {
		return record{}, errors.New("a credential that is not discoverable")
	}
	return record{
		ID: credential.CredentialID, Key: credential.CredentialPublicKey, Maker: credential.AAGUID, Count: a.AuthData.Counter,
		Eligible: a.AuthData.Flags.HasBackupEligible(), BackedUp: a.AuthData.Flags.HasBackupState(), Transports: transports(in.Raw.AttestationResponse.Transports),
	}, nil
}

// checkKey is §7.1 step 20, and refuses a key that no assertion could be checked with.
func checkKey(raw []byte) error {
	if len(raw) > maxKey {
		return fmt.Errorf("a public key of %d bytes", len(raw))
	}
	key, err := webauthncose.ParsePublicKey(raw)
	if err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	var of webauthncose.PublicKeyData
	switch k := key.(type) {
	case webauthncose.EC2PublicKeyData:
		of = k.PublicKeyData
	case webauthncose.OKPPublicKeyData:
		of = k.PublicKeyData
	case webauthncose.RSAPublicKeyData:
		of = k.PublicKeyData
		if n := len(bytes.TrimLeft(k.Modulus, "\x00")); n < minModulus || n > maxModulus {
			return fmt.Errorf("an RSA key of %d bytes", n)
		}
	}
	for _, alg := range algorithms {
		if of.Algorithm == int64(alg) {
			return nil
		}
	}
	return fmt.Errorf("algorithm %d was not offered", of.Algorithm)
}

// checkStatement is §7.1 steps 21 to 24. The server asks for no attestation and has no trust
// anchors, so no maker is trusted, and each credential counts as one with none (step 24). A
// statement that can be judged without a maker's root must be right: none, packed (self
// attestation too) and fido-u2f. The procedures of the other formats need their makers' roots
// or lists. The server does not look at those.
func checkStatement(a protocol.AttestationObject, clientDataHash []byte) error {
	switch protocol.AttestationFormat(a.Format) {
	case protocol.AttestationFormatNone, protocol.AttestationFormatPacked, protocol.AttestationFormatFIDOUniversalSecondFactor:
		return explained(a.VerifyAttestation(clientDataHash, nil, protocol.AttestationPolicy{}, protocol.SignaturePolicy{}))
	}
	return nil
}

var transport = regexp.MustCompile(`^[a-z][a-z-]{0,19}$`)

// transports keeps what looks like a transport: authenticators may know new ones (§5.8.4).
func transports(said []string) (kept []string) {
	for _, t := range said {
		if transport.MatchString(t) && len(kept) < 8 {
			kept = append(kept, t)
		}
	}
	return kept
}

// parseAssertion reads an assertion and the challenge that it answers.
func parseAssertion(raw []byte) (*protocol.ParsedCredentialAssertionData, clientData, error) {
	if len(raw) > maxCredential {
		return nil, clientData{}, errors.New("a credential that is too large")
	}
	in, err := protocol.ParseCredentialRequestResponseBytes(raw)
	if err != nil {
		return nil, clientData{}, explained(err)
	}
	c, err := readClientData(in.Raw.AssertionResponse.ClientDataJSON)
	return in, c, err
}

// assert checks an assertion of the credential r that answers challenge. The sign count and
// the backup flags are judged later, by the statement that replaces them; see [record.next].
func (p party) assert(in *protocol.ParsedCredentialAssertionData, c clientData, challenge string, r record) error {
	if err := p.check(c, gotten, challenge); err != nil {
		return err
	}
	a := in.Response.AuthenticatorData
	if err := p.checkFlags(a); err != nil {
		return err
	}
	if a.Flags.HasAttestedCredentialData() {
		return errors.New("a registration's data") // §6.1: an assertion has none
	}
	// The library checks the signature, and once more what was checked above.
	return explained(in.Verify(challenge, p.id, "", []string{p.origin}, nil, nil, protocol.TopOriginExplicitVerificationMode, false, true, true, r.Key, protocol.SignaturePolicy{}))
}

// errCopied says that the sign count did not grow: two devices have the key, or one was set
// back (§6.1.1). Or the backup eligibility is another one, which never changes (§6.1.3).
var errCopied = errors.New("the sign count did not grow, or the backup eligibility changed")

// next returns the record after a use with a sign count and flags (§7.2 steps 22 and 25).
func (r record) next(a protocol.AuthenticatorData) (record, error) {
	if (a.Counter != 0 || r.Count != 0) && a.Counter <= r.Count || a.Flags.HasBackupEligible() != r.Eligible {
		return r, errCopied
	}
	r.Count, r.BackedUp = a.Counter, a.Flags.HasBackupState()
	return r, nil
}

// explained puts what the library says for developers into the error's text, for the log.
func explained(err error) error {
	if e, ok := errors.AsType[*protocol.Error](err); ok {
		return fmt.Errorf("%s: %s", e.Type, strings.TrimSpace(e.Details+" "+e.DevInfo))
	}
	return err
}

// provider is the product that an AAGUID names; "" for an unknown one.
func provider(maker []byte) string {
	id, err := uuid.FromBytes(maker)
	if err != nil {
		return ""
	}
	return providers[id.String()]
}
