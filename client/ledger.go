package client

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// LedgerEntry is an entry of the server's ledger of pins.
type LedgerEntry struct {
	N          int64  `json:"n"`    // place, from 0
	Time       string `json:"time"` // RFC 3339 in UTC with milliseconds, as it was signed
	Kind       string `json:"kind"` // pin, unpin or fail
	CID        string `json:"cid"`
	Size       int64  `json:"size"`
	Digest     string `json:"digest"`     // SHA-256 in hexadecimal
	Commitment string `json:"commitment"` // ties the entry to its account, for the server alone
}

// OwnLedgerEntry is an entry about the caller's account.
type OwnLedgerEntry struct {
	LedgerEntry
	InCheckpoint bool `json:"in_checkpoint"` // its proof can be had
}

// LedgerKey is a key that verifies checkpoints.
type LedgerKey struct {
	Key   string     `json:"key"` // C2SP signed-note verifier key
	Since time.Time  `json:"since"`
	Until *time.Time `json:"until"` // nil for the one that signs now
}

// LedgerProof shows that an entry is in a checkpoint. Nothing here checks it.
type LedgerProof struct {
	N          int64    `json:"n"`
	Size       int64    `json:"size"`
	Entry      string   `json:"entry"` // canonical JSON: the leaf
	LeafHash   string   `json:"leaf_hash"`
	Hashes     []string `json:"hashes"`
	Checkpoint string   `json:"checkpoint"` // signed note
}

// LedgerGrowth shows that the tree of size To begins with that of size From.
type LedgerGrowth struct {
	From   int64    `json:"from"`
	To     int64    `json:"to"`
	Hashes []string `json:"hashes"`
}

// Ledger iterates over the entries from a place on, the oldest first. It needs no session. It
// fetches two pages while the caller works on the one before: the second begins where the first
// should end.
func (c *Client) Ledger(ctx context.Context, from int64) iter.Seq2[LedgerEntry, error] {
	return func(yield func(LedgerEntry, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		var guess *ledgerFetch
		for coming := c.fetchLedger(ctx, from); coming != nil; {
			page := <-coming.page
			next, err := page.next()
			if coming = nil; next > 0 {
				if guess != nil && guess.from != next { // a server must not have many of them open
					guess.stop()
					guess = nil
				}
				if coming = guess; coming == nil {
					coming = c.fetchLedger(ctx, next)
				}
				guess = c.fetchLedger(ctx, next+(next-page.from))
			}
			for _, e := range page.Items {
				if !yield(e, nil) {
					return
				}
			}
			if err != nil {
				yield(LedgerEntry{}, err)
			}
		}
	}
}

// mostOnPage is how many entries a page has at most.
const mostOnPage = 1000

type ledgerPage struct {
	Items      []LedgerEntry `json:"items"`
	NextCursor string        `json:"next_cursor"`
	from       int64
	err        error
}

// ledgerFetch is a page that is asked for.
type ledgerFetch struct {
	from int64
	page <-chan ledgerPage
	stop context.CancelFunc
}

// fetchLedger asks for the page from a place on.
func (c *Client) fetchLedger(ctx context.Context, from int64) *ledgerFetch {
	ctx, stop := context.WithCancel(ctx)
	page := make(chan ledgerPage, 1)
	go func() {
		defer stop()
		p := ledgerPage{from: from}
		query := url.Values{"from": {strconv.FormatInt(from, 10)}, "limit": {strconv.Itoa(mostOnPage)}}
		_, p.err = c.call(ctx, request{method: http.MethodGet, path: "/v1/ledger", query: query}, &p)
		page <- p
	}()
	return &ledgerFetch{from, page, stop}
}

// next returns the place where the next page begins, 0 if there is none. A cursor is the place
// behind the page's last entry: a server cannot send a reader in circles, or over entries that it
// does not show.
func (p ledgerPage) next() (int64, error) {
	if p.err != nil || p.NextCursor == "" {
		return 0, p.err
	}
	next, err := strconv.ParseInt(p.NextCursor, 10, 64)
	if err != nil || len(p.Items) == 0 || len(p.Items) > mostOnPage || next <= p.from || next != p.Items[len(p.Items)-1].N+1 {
		return 0, fmt.Errorf("client: the ledger goes on at %q behind %d", p.NextCursor, p.from)
	}
	return next, nil
}

// LedgerCheckpoint returns the newest checkpoint, a signed note. Code no_checkpoint means that
// there is none yet.
func (c *Client) LedgerCheckpoint(ctx context.Context) ([]byte, error) {
	res, err := c.send(ctx, request{method: http.MethodGet, path: "/v1/ledger/checkpoint"})
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	return readAtMost(res.Body, maxJSON)
}

// LedgerKeys returns the verifier keys of the ledger, the newest first.
func (c *Client) LedgerKeys(ctx context.Context) ([]LedgerKey, error) {
	var page struct {
		Items []LedgerKey `json:"items"`
	}
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/ledger/keys"}, &page)
	return page.Items, err
}

// LedgerProof returns the proof that an entry is in the checkpoint of a size; 0 is the newest.
// Code not_yet_in_checkpoint means that the checkpoint is older than the entry.
func (c *Client) LedgerProof(ctx context.Context, n, size int64) (LedgerProof, error) {
	query := url.Values{}
	if size > 0 {
		query.Set("size", strconv.FormatInt(size, 10))
	}
	var p LedgerProof
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/ledger/entries/" + strconv.FormatInt(n, 10) + "/proof", query: query}, &p)
	return p, err
}

// LedgerGrowth returns the proof that a later tree begins with an earlier one.
func (c *Client) LedgerGrowth(ctx context.Context, from, to int64) (LedgerGrowth, error) {
	query := url.Values{"from": {strconv.FormatInt(from, 10)}, "to": {strconv.FormatInt(to, 10)}}
	var g LedgerGrowth
	_, err := c.call(ctx, request{method: http.MethodGet, path: "/v1/ledger/consistency", query: query}, &g)
	return g, err
}

// OwnLedger iterates over the entries about the caller's account; the newest comes first.
func (c *Client) OwnLedger(ctx context.Context) iter.Seq2[OwnLedgerEntry, error] {
	return pages[OwnLedgerEntry](ctx, c, "/v1/account/ledger", url.Values{})
}
