package client

import (
	"context"
	"io"
	"iter"
	"net/http"
	"net/url"
	"time"
)

// The outcomes of a [SignInEvent].
const (
	EventOK      = "ok"      // the owner, or a person with the owner's proofs, did it
	EventFailed  = "failed"  // a person without a right proof tried
	EventHeld    = "held"    // the proof was right, and the server wanted the mailbox too
	EventNoticed = "noticed" // the server found it
)

// SignInEvent is something that happened at the doors of the account.
type SignInEvent struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"` // signed-in, sign-in-failed, stepped-up, or an event such as password-changed
	Outcome   string    `json:"outcome"`
	Address   string    `json:"address"`
	Place     *string   `json:"place"`  // nil where it is not known
	Device    *string   `json:"device"` // nil where it is not known
	Methods   []string  `json:"methods"`
	SessionID *string   `json:"session_id"`
	Here      bool      `json:"here"` // in this session
	Flags     []string  `json:"flags"`
	Findings  []Finding `json:"findings"`
}

// Finding is what a rule of the server's security check found.
type Finding struct {
	Rule        string `json:"rule"`
	Score       int    `json:"score"`
	Consequence string `json:"consequence"` // note, tell, ask_all, hold or block
}

// SignInFilter chooses happenings. The zero value of a field chooses all.
type SignInFilter struct {
	Kind    string
	Outcome string
	Since   time.Time // then or later
	Until   time.Time // before
}

func (f SignInFilter) query() url.Values {
	q := url.Values{}
	for name, value := range map[string]string{"kind": f.Kind, "outcome": f.Outcome} {
		if value != "" {
			q.Set(name, value)
		}
	}
	for name, at := range map[string]time.Time{"since": f.Since, "until": f.Until} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	return q
}

// SignIns iterates over the account's sign-in history; the newest comes first.
func (c *Client) SignIns(ctx context.Context, f SignInFilter) iter.Seq2[SignInEvent, error] {
	return pages[SignInEvent](ctx, c, "/v1/account/sign-ins", f.query())
}

// ExportSignIns opens the history as a CSV table. The caller closes it.
func (c *Client) ExportSignIns(ctx context.Context, f SignInFilter) (io.ReadCloser, error) {
	res, err := c.send(ctx, request{method: http.MethodGet, path: "/v1/account/sign-ins/export", query: f.query(), proof: session})
	if err != nil {
		return nil, err
	}
	return res.Body, nil
}
