package client

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"
)

// A refresh has its own time, because it is nobody's alone: a caller that gives up does
// not take it away from the others.
const refreshTime = 30 * time.Second

// flight is a refresh that is under way. err is set before done closes.
type flight struct {
	done chan struct{}
	err  error
}

// token returns an access token that has some life left.
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
		// A server that cannot refresh just now still takes a token that has not ended.
		if !now.Before(creds.AccessExpires) || errors.Is(err, ErrSignedOut) || ctx.Err() != nil {
			return "", err
		}
	}
	if creds = c.Credentials(); creds.isZero() {
		return "", ErrSignedOut
	}
	return creds.AccessToken, nil
}

// margin is how long before its end a token is replaced: a request on its way must not
// meet the end.
func (c *Client) margin() time.Duration {
	const most = 30 * time.Second
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last == nil {
		return most
	}
	return min(most, seconds(c.last.ExpiresIn)/10)
}

// Refresh fetches a new access token now. Other calls do so by themselves when it is
// time. [ErrSignedOut] says that the session has ended.
func (c *Client) Refresh(ctx context.Context) (*Session, error) {
	if err := c.refresh(ctx, c.Credentials().AccessToken); err != nil {
		return nil, err
	}
	return c.Session()
}

// refresh replaces the access token stale. Whoever comes while it is being replaced
// waits for the same answer; whoever comes after finds it done.
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

// rotate trades the refresh token for the next one. Each is good once, but the server
// answers a repetition alike for some seconds: so a lost answer is asked for once more.
func (c *Client) rotate(ctx context.Context, creds Credentials) error {
	r := request{method: http.MethodPost, path: "/v1/auth/refresh", in: map[string]string{"refresh_token": creds.RefreshToken}}
	var s Session
	_, err := c.call(ctx, r, &s)
	if err != nil && Status(err) == 0 && ctx.Err() == nil {
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
