package passkey

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"coffer/internal/account"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/seal"
)

// The ceremonies. A challenge of one is good for no other.
const (
	signingIn   = "sign-in"
	passing     = "attempt"
	renewing    = "renew"
	registering = "register"
)

// challengeLife is how long a person has for a ceremony.
const challengeLife = 5 * time.Minute

// ceremony is what a challenge was made for. The key store holds it sealed under the
// challenge's digest, so a writer of the key store makes no challenge good.
type ceremony struct {
	Kind    string     `json:"kind"`
	Account account.ID `json:"account,omitempty"` // none at a sign-in
	Place   string     `json:"place,omitempty"`   // the session, or the attempt
	Begun   int64      `json:"begun"`
}

var b64 = base64.RawURLEncoding

// errChallenge says that a challenge is unknown, used, expired or of another ceremony.
var errChallenge = errors.New("no such challenge")

func challengeAAD(digest []byte) []byte {
	return seal.LP([]byte("passkey"), []byte("challenge"), digest)
}

func challengeKey(digest []byte) string { return "passkey:" + hex.EncodeToString(digest) }

// begin makes the challenge of a ceremony.
func (s *Service) begin(ctx context.Context, c ceremony) (challenge string, err error) {
	raw := make([]byte, 32)
	if _, err := io.ReadFull(s.Rand, raw); err != nil {
		return "", err
	}
	challenge = b64.EncodeToString(raw)
	c.Begun = s.Now().UnixMilli()
	plain, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256([]byte(challenge))
	sealed, err := s.Ring.Seal(ctx, keyring.Session, plain, challengeAAD(digest[:]))
	if err != nil {
		return "", err
	}
	return challenge, s.KV.Put(ctx, challengeKey(digest[:]), sealed, challengeLife)
}

// take uses a challenge up, and refuses one that was made for another ceremony. Of many calls
// at once, the counter lets one pass.
func (s *Service) take(ctx context.Context, challenge string, c ceremony) error {
	digest := sha256.Sum256([]byte(challenge))
	key := challengeKey(digest[:])
	sealed, err := s.KV.Get(ctx, key)
	if errors.Is(err, kv.ErrMissing) {
		return errChallenge
	}
	if err != nil {
		return err
	}
	// The mark outlives the challenge. The deletion after it only saves space.
	nth, err := s.KV.Add(ctx, key+":used", 1, 2*challengeLife)
	if err != nil {
		return err
	}
	if nth != 1 {
		return errChallenge
	}
	if err := s.KV.Delete(context.WithoutCancel(ctx), key); err != nil {
		return err
	}
	plain, err := s.Ring.Open(ctx, keyring.Session, sealed, challengeAAD(digest[:]))
	if altered(err) {
		return fmt.Errorf("%w: altered in the key store", errChallenge)
	}
	if err != nil {
		return err
	}
	var was ceremony
	if err := json.Unmarshal(plain, &was); err != nil {
		return err
	}
	age := s.Now().Sub(time.UnixMilli(was.Begun))
	if was.Begun = 0; was != c || age < -challengeLife || age >= challengeLife {
		return errChallenge
	}
	return nil
}

func altered(err error) bool {
	return errors.Is(err, seal.ErrOpen) || errors.Is(err, keyring.ErrNoKey)
}

// Entity is the relying party, or the person, as an authenticator shows it.
type Entity struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName,omitempty"`
}

// Descriptor names a credential.
type Descriptor struct {
	Type       string   `json:"type" enum:"public-key"`
	ID         string   `json:"id" doc:"base64url."`
	Transports []string `json:"transports,omitempty"`
}

// Parameter is an algorithm that a new credential may sign with.
type Parameter struct {
	Type string `json:"type" enum:"public-key"`
	Alg  int64  `json:"alg" doc:"COSE."`
}

// Selection is what a new credential must be.
type Selection struct {
	ResidentKey        string `json:"residentKey" enum:"required"`
	RequireResidentKey bool   `json:"requireResidentKey"`
	UserVerification   string `json:"userVerification" enum:"required"`
}

// Extensions are those that a registration asks for.
type Extensions struct {
	CredProps bool `json:"credProps"`
}

// CreationOptions is PublicKeyCredentialCreationOptionsJSON (WebAuthn Level 3 §5.1.9).
type CreationOptions struct {
	RP          Entity       `json:"rp"`
	User        Entity       `json:"user"`
	Challenge   string       `json:"challenge" doc:"32 bytes in base64url. It works once, within five minutes."`
	Params      []Parameter  `json:"pubKeyCredParams"`
	Timeout     int64        `json:"timeout" doc:"Milliseconds."`
	Exclude     []Descriptor `json:"excludeCredentials" doc:"The passkeys that the account has: an authenticator that holds one refuses."`
	Selection   Selection    `json:"authenticatorSelection"`
	Attestation string       `json:"attestation" enum:"none"`
	Extensions  Extensions   `json:"extensions"`
}

// RequestOptions is PublicKeyCredentialRequestOptionsJSON (WebAuthn Level 3 §5.1.10).
type RequestOptions struct {
	Challenge        string       `json:"challenge" doc:"32 bytes in base64url. It works once, within five minutes."`
	Timeout          int64        `json:"timeout" doc:"Milliseconds."`
	RPID             string       `json:"rpId"`
	Allow            []Descriptor `json:"allowCredentials" doc:"Empty at a sign-in: the authenticator knows whose the passkey is."`
	UserVerification string       `json:"userVerification" enum:"required"`
}

const (
	required  = "required"
	publicKey = "public-key"
)

func (s *Service) requestOptions(challenge string, allow []Descriptor) *RequestOptions {
	return &RequestOptions{Challenge: challenge, Timeout: challengeLife.Milliseconds(), RPID: s.party.id, Allow: allow, UserVerification: required}
}

func (s *Service) creationOptions(challenge string, user Entity, exclude []Descriptor) *CreationOptions {
	o := &CreationOptions{
		RP: Entity{ID: s.party.id, Name: product}, User: user, Challenge: challenge, Timeout: challengeLife.Milliseconds(), Exclude: exclude,
		Selection: Selection{required, true, required}, Attestation: "none", Extensions: Extensions{CredProps: true},
	}
	for _, alg := range algorithms {
		o.Params = append(o.Params, Parameter{publicKey, int64(alg)})
	}
	return o
}
