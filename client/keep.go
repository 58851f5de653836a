package client

import (
	"cmp"
	"context"
	"crypto/ecdh"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// ErrSignedOut says that there is no session, or that the server ended it. Sign in again.
var ErrSignedOut = errors.New("client: not signed in")

// Credentials let a program resume a session. They are secret: a program with them acts as
// the person. Without tokens there is no session; a device token may outlive it.
type Credentials struct {
	SessionID      string    `json:"session_id"`
	AccountID      string    `json:"account_id"`
	AccessToken    string    `json:"access_token"`
	AccessExpires  time.Time `json:"access_expires"`
	RefreshToken   string    `json:"refresh_token"`
	RefreshExpires time.Time `json:"refresh_expires"`
	PrivateKey     []byte    `json:"private_key"`  // PKCS #8
	ProofKey       []byte    `json:"proof_key"`    // signs requests; nil when the session wants no proofs
	Origin         string    `json:"origin"`       // that proofs name
	DeviceToken    string    `json:"device_token"` // of a sign-in with Remember, or of an unlock
}

// Credentials returns the client's current credentials.
func (c *Client) Credentials() Credentials {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.creds
}

// Session returns the server's last answer about the session, or [ErrSignedOut] before the
// first.
func (c *Client) Session() (*Session, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		return nil, ErrSignedOut
	}
	s := *c.last
	return &s, nil
}

// adopt takes over the server's answer and saves it. replaces is the refresh token of a
// refresh. If another session has begun meanwhile, adopt drops the answer.
func (c *Client) adopt(ctx context.Context, s *Session, key *ecdh.PrivateKey, replaces string) error {
	c.saving.Lock()
	defer c.saving.Unlock()
	c.mu.Lock()
	if replaces != "" && c.creds.RefreshToken != replaces {
		c.mu.Unlock()
		return nil
	}
	now := c.now()
	next := Credentials{
		SessionID: s.ID, AccountID: s.Account.ID, AccessToken: s.AccessToken, AccessExpires: now.Add(seconds(s.ExpiresIn)),
		RefreshToken: s.RefreshToken, RefreshExpires: now.Add(seconds(s.RefreshExpiresIn)),
		DeviceToken: cmp.Or(s.DeviceToken, c.creds.DeviceToken),
	}
	if s.RefreshToken == "" && s.ID == c.creds.SessionID { // a fresh proof keeps the refresh token
		next.RefreshToken, next.RefreshExpires = c.creds.RefreshToken, c.creds.RefreshExpires
	}
	if key == nil {
		next.PrivateKey = c.creds.PrivateKey
	} else {
		var err error
		if next.PrivateKey, err = marshalKey(key); err != nil {
			c.mu.Unlock()
			return err
		}
	}
	if s.Binding == bindingProof {
		if err := c.proveIn(&next, s); err != nil {
			c.mu.Unlock()
			return err
		}
	}
	c.creds, c.last = next, s
	c.mu.Unlock()
	return c.saveNow(ctx, next)
}

// proveIn gives credentials the key for the proofs of their session. The caller holds c.mu.
func (c *Client) proveIn(next *Credentials, s *Session) error {
	if s.ID == c.creds.SessionID && c.creds.ProofKey != nil {
		next.ProofKey, next.Origin = c.creds.ProofKey, c.creds.Origin
		return nil
	}
	key, err := next.Key()
	if err != nil {
		return err
	}
	if key == nil {
		return errors.New("client: the session wants proofs, but its key is not here")
	}
	by, err := c.newSigner(s, key)
	next.ProofKey, next.Origin = by.key, by.origin
	return err
}

// know takes over the token of a device that is known from now on, and saves it.
func (c *Client) know(ctx context.Context, device string) error {
	c.saving.Lock()
	defer c.saving.Unlock()
	c.mu.Lock()
	c.creds.DeviceToken = device
	next := c.creds
	c.mu.Unlock()
	return c.saveNow(ctx, next)
}

// forget drops the session, unless another one has begun meanwhile.
func (c *Client) forget(ctx context.Context, sessionID string) error {
	c.saving.Lock()
	defer c.saving.Unlock()
	c.mu.Lock()
	if c.creds.SessionID != sessionID || c.creds.isZero() {
		c.mu.Unlock()
		return nil
	}
	ended := Credentials{DeviceToken: c.creds.DeviceToken}
	c.creds, c.last = ended, nil
	c.mu.Unlock()
	return c.saveNow(ctx, ended)
}

func (c *Client) saveNow(ctx context.Context, creds Credentials) error {
	if c.save == nil {
		return nil
	}
	if err := c.save(context.WithoutCancel(ctx), creds); err != nil {
		return fmt.Errorf("client: save the session: %w", err)
	}
	return nil
}

func (c Credentials) isZero() bool { return c.AccessToken == "" && c.RefreshToken == "" }

func seconds(n int64) time.Duration { return time.Duration(n) * time.Second }

// A refresh has its own timeout, because several callers wait for it. A caller that gives
// up does not end it for the others.
const refreshTime = 30 * time.Second

// flight is a running refresh. err is set before done closes.
type flight struct {
	done chan struct{}
	err  error
}

// token returns an access token that is still valid for a while.
func (c *Client) token(ctx context.Context) (string, error) {
	creds := c.Credentials()
	if creds.isZero() {
		return "", ErrSignedOut
	}
	now := c.now()
	if creds.RefreshToken == "" || now.Before(creds.AccessExpires.Add(-c.margin())) {
		return creds.AccessToken, nil
	}
	if err := c.refresh(ctx, creds.AccessToken); err != nil {
		// If a refresh is not possible now, the current token serves until it expires.
		if !now.Before(creds.AccessExpires) || errors.Is(err, ErrSignedOut) || ctx.Err() != nil {
			return "", err
		}
	}
	if creds = c.Credentials(); creds.isZero() {
		return "", ErrSignedOut
	}
	return creds.AccessToken, nil
}

// margin is how long before its end a token is replaced, so that it does not expire during
// a request.
func (c *Client) margin() time.Duration {
	const most = 30 * time.Second
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		return most
	}
	return min(most, seconds(c.last.ExpiresIn)/10)
}

// Refresh fetches a new access token now. Other calls refresh by themselves in time.
// [ErrSignedOut] means that the session has ended.
func (c *Client) Refresh(ctx context.Context) (*Session, error) {
	if err := c.refresh(ctx, c.Credentials().AccessToken); err != nil {
		return nil, err
	}
	return c.Session()
}

// refresh replaces the access token stale. Calls during a refresh wait for
// its result; calls after it find the new token.
func (c *Client) refresh(ctx context.Context, stale string) error {
	c.mu.Lock()
	creds := c.creds
	if creds.RefreshToken == "" {
		c.mu.Unlock()
		return ErrSignedOut
	}
	if creds.AccessToken != stale {
		c.mu.Unlock()
		return nil
	}
	f := c.flight
	if f == nil {
		f = &flight{done: make(chan struct{})}
		c.flight = f
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), refreshTime)
			defer cancel()
			err := c.rotate(ctx, creds)
			c.mu.Lock()
			f.err, c.flight = err, nil
			c.mu.Unlock()
			close(f.done)
		}()
	}
	c.mu.Unlock()
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rotate trades the refresh token for the next one. Each is valid once, but the server
// repeats its answer for some seconds. So rotate asks once more after a lost answer.
func (c *Client) rotate(ctx context.Context, creds Credentials) error {
	r := request{method: http.MethodPost, path: "/v1/auth/refresh", signed: true, in: map[string]string{"refresh_token": creds.RefreshToken}}
	var s Session
	_, err := c.call(ctx, r, &s)
	if err != nil && (Status(err) == 0 || Code(err) == codeProof) && ctx.Err() == nil {
		_, err = c.call(ctx, r, &s)
	}
	switch {
	case Status(err) == http.StatusUnauthorized:
		return errors.Join(fmt.Errorf("%w: %w", ErrSignedOut, err), c.forget(ctx, creds.SessionID))
	case err != nil:
		return err
	case s.AccessToken == "" || s.RefreshToken == "":
		return fmt.Errorf("%s %s: a session without tokens", r.method, r.path)
	}
	return c.adopt(ctx, &s, nil, creds.RefreshToken)
}
