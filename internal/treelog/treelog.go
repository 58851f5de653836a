// Package treelog is entries, trees, checkpoints and proofs of a log that its keeper cannot rewrite unnoticed.
//
// # What the pieces are
//
//   - An [Entry] has one form in bytes, its canonical JSON. These bytes are a leaf.
//   - The tree is that of RFC 6962 §2.1: SHA-256 over 0x00 and the leaf, and over 0x01 and
//     two nodes. Its hashes lie in tiles of [TileWidth].
//   - A [Checkpoint] is a signed note of C2SP tlog-checkpoint: origin, size, root, and an
//     Ed25519 signature of C2SP signed-note.
//   - A proof is a list of hashes, as RFC 6962 §2.1.1 and §2.1.2 order them.
//
// # What a reader can rely on
//
// A signer of two checkpoints that are not consistent has proved the fork: [Audit] names
// both. An entry that was edited, removed, inserted or moved below a checkpoint no longer
// leads to its root. Entries behind the newest checkpoint are not protected yet.
//
// Everything here is pure: no clock, no store, no network. Parsers accept one form only and
// are bounded, because strangers send what they read.
package treelog

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Hash is a SHA-256 hash of the tree.
type Hash = tlog.Hash

// HashSize is the length of a hash in bytes.
const HashSize = tlog.HashSize

// LeafHash returns the hash of a leaf (RFC 6962 §2.1).
func LeafHash(leaf []byte) Hash { return tlog.RecordHash(leaf) }

// Frontier is a tree of which only the largest whole subtrees are kept: it grows and tells
// its root, in memory that is logarithmic in its size. The zero value is the empty tree.
type Frontier struct {
	size  int64
	nodes []Hash // of the whole subtrees, the largest first
}

// Add adds a leaf by its hash.
func (f *Frontier) Add(leaf Hash) {
	for n := f.size; n&1 == 1; n >>= 1 {
		last := len(f.nodes) - 1
		leaf = tlog.NodeHash(f.nodes[last], leaf)
		f.nodes = f.nodes[:last]
	}
	f.nodes = append(f.nodes, leaf)
	f.size++
}

// Size returns the number of leaves.
func (f *Frontier) Size() int64 { return f.size }

// Root returns the root; that of the empty tree is the hash of nothing.
func (f *Frontier) Root() Hash {
	if f.size == 0 {
		return sha256.Sum256(nil)
	}
	last := len(f.nodes) - 1
	root := f.nodes[last]
	for i := last - 1; i >= 0; i-- {
		root = tlog.NodeHash(f.nodes[i], root)
	}
	return root
}

// clone returns a tree that grows apart from f.
func (f *Frontier) clone() *Frontier {
	return &Frontier{f.size, append([]Hash(nil), f.nodes...)}
}

// ErrProof says that a proof does not show what it should.
var ErrProof = errors.New("treelog: the proof does not hold")

// CheckConsistency returns nil when proof shows that the tree of size to begins with the
// tree of size from.
func CheckConsistency(proof []Hash, to int64, root Hash, from int64, old Hash) error {
	if from < 1 || from > to {
		return fmt.Errorf("%w: a tree of %d does not grow to %d", ErrProof, from, to)
	}
	if err := tlog.CheckTree(proof, to, root, from, old); err != nil {
		return fmt.Errorf("%w: %w", ErrProof, err)
	}
	return nil
}
