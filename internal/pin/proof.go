package pin

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"strconv"

	"coffer/internal/file"
	"coffer/internal/ipfs"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// A writer of the database can change a column, and cannot make the seal that goes with it. Each
// seal holds the values too: what a damaged pin really was can still be taken from its providers.

// claims are the columns of a pin that its proof repeats.
type claims struct {
	CID       string    `json:"cid,omitempty"`
	Total     int64     `json:"total,omitempty"`
	Framed    int64     `json:"framed,omitempty"`
	Size      int64     `json:"size"`
	Kind      file.Kind `json:"kind"`
	Encrypt   bool      `json:"encrypt"`
	Announced bool      `json:"announced,omitempty"`
	Entries   string    `json:"entries,omitempty"`
	CreatedAt int64     `json:"created_at"`
	Blocks    string    `json:"blocks,omitempty"` // digest of all identifiers; it has no column
}

func (r *row) claims() claims {
	return claims{r.CID, r.Total, r.Framed, r.Size, r.Kind, r.Encrypt, r.Announced, r.Entries, r.CreatedAt, r.Blocks}
}

// prove seals the columns as they stand. Only a row that [row.check] has passed, or a new one, is
// sealed: an altered row never is.
func (r *row) prove(key *keyring.DataKey) error {
	plain, err := json.Marshal(r.claims())
	if err == nil {
		r.Proof = key.Seal("pins", "proof", r.ID, plain)
	}
	return err
}

// check compares the columns with the proof. Afterwards they are what the proof says; without one the
// row names no content and no entries, so that nothing is done in the name of another's. A nil key
// opens nothing.
func (r *row) check(key *keyring.DataKey) error {
	plain, err := []byte(nil), error(seal.ErrOpen)
	if key != nil {
		plain, err = key.Open("pins", "proof", r.ID, r.Proof)
	}
	c := claims{Kind: r.Kind, Encrypt: r.Encrypt, CreatedAt: r.CreatedAt}
	if err == nil {
		err = json.Unmarshal(plain, &c)
	}
	r.Blocks = c.Blocks
	if err == nil && r.claims() != c {
		err = seal.ErrOpen
	}
	r.CID, r.Total, r.Framed, r.Size, r.Kind, r.Encrypt, r.Announced, r.Entries, r.CreatedAt = c.CID, c.Total, c.Framed, c.Size, c.Kind, c.Encrypt, c.Announced, c.Entries, c.CreatedAt
	if r.Damaged = err != nil; r.Damaged {
		return fmt.Errorf("check pin %s: %w", r.ID, err)
	}
	return nil
}

// reached are the columns of a target that its proof repeats. State is the last one that a provider
// has shown: pinned or verified.
type reached struct {
	State      State `json:"state"`
	PinnedAt   int64 `json:"pinned_at,omitempty"`
	VerifiedAt int64 `json:"verified_at,omitempty"`
}

func (t *targetRow) place() string {
	return string(seal.LP([]byte(t.Pin), []byte(t.Target)))
}

func (t *targetRow) reached() reached {
	at := reached{State: t.State}
	if t.PinnedAt != nil {
		at.PinnedAt = *t.PinnedAt
	}
	if t.VerifiedAt != nil {
		at.VerifiedAt = *t.VerifiedAt
	}
	return at
}

// prove seals what a worker has just seen at a target.
func (t *targetRow) prove(key *keyring.DataKey) error {
	plain, err := json.Marshal(t.reached())
	if err == nil {
		t.Proof = key.Seal("pin_targets", "proof", t.place(), plain)
	}
	return err
}

// has reports whether a provider has the pin, as far as its state says.
func (t *targetRow) has() bool { return t.State == Pinned || t.State == Verified }

// proven reports whether the server itself wrote what a row says of its provider. A row that says
// nothing needs no proof, and a state from before outlives a failure.
func (t *targetRow) proven(key *keyring.DataKey) bool {
	says := t.reached()
	if !t.has() && says.PinnedAt == 0 && says.VerifiedAt == 0 {
		return true
	}
	var c reached
	plain, err := key.Open("pin_targets", "proof", t.place(), t.Proof)
	if err != nil || json.Unmarshal(plain, &c) != nil {
		return false
	}
	if !t.has() {
		says.State = c.State
	}
	return says == c
}

// disown takes from a row what it says of its provider without a proof. One that should have the
// pin has failed.
func (t *targetRow) disown() {
	if t.has() {
		t.State, t.Reason = Failed, reasonDamaged
	}
	t.PinnedAt, t.VerifiedAt, t.Proof = nil, nil, nil
}

// blockSum digests identifiers in the order of their digests.
type blockSum struct{ hash.Hash }

func newBlockSum() blockSum { return blockSum{sha256.New()} }

func (s blockSum) add(c ipfs.CID) {
	s.Write(c.Digest[:])
	s.Write(strconv.AppendInt(nil, int64(c.Codec), 10))
}

func (s blockSum) text() string { return hex.EncodeToString(s.Sum(nil)) }

// sumOf is the digest over the blocks of an outline.
func sumOf(blocks []blockRow) string {
	ids := make([]ipfs.CID, len(blocks))
	for i, b := range blocks {
		ids[i] = b.CID
	}
	slices.SortFunc(ids, func(a, b ipfs.CID) int { return slices.Compare(a.Digest[:], b.Digest[:]) })
	sum := newBlockSum()
	for _, c := range ids {
		sum.add(c)
	}
	return sum.text()
}

// place is where the bytes of a block open.
func (b *blockRow) place(pin string) string {
	return string(seal.LP([]byte(pin), b.CID.Digest[:], strconv.AppendInt(nil, int64(b.CID.Codec), 10), strconv.AppendInt(nil, b.Ord, 10)))
}
