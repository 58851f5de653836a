package ledger

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"

	"coffer/internal/db"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/treelog"
)

// The policy. A checkpoint is signed when [Settings.Every] entries were appended and when
// [Settings.Interval] has passed, if there is anything new. Before that the server looks at
// the past:
//
//   - always: a known key has signed the newest checkpoint, and the stored tree leads to it
//     and continues it. The tree also continues what the server knows without the database
//     (anchor.go);
//   - on time, and while the ledger has few entries always: every entry leads to it.
//
// The second costs about two seconds of a core for a million entries. A ledger in which one of
// these fails is damaged. The server signs no more until all entries lead to the newest
// checkpoint again. It goes on to serve and to append: what people do with their files does
// not depend on the ledger, and the entries since then are not lost.

const (
	// auditAlways is the size up to which all entries are hashed before each checkpoint.
	auditAlways = 50_000
	// batch is how many entries are read, or hashed in one transaction: 16 tiles.
	batch = 16 * treelog.TileWidth
)

// errDamaged says that the server must not sign.
var errDamaged = errors.New("the ledger is damaged: no checkpoint is signed")

// damage is what a look at the past found.
type damage struct{ why string }

// Error implements error.
func (d *damage) Error() string { return "ledger: " + d.why }

// onTime is the periodic work: it audits, signs, and reminds places of what they lack.
func (s *Service) onTime(ctx context.Context) error {
	_, err := s.Checkpoint(ctx, true)
	if errors.Is(err, errNoCheckpoint) { // the ledger is empty
		err = nil
	}
	return errors.Join(err, s.remind(ctx))
}

// Checkpoint hashes the new entries and signs a checkpoint over them, if there are any. With
// audit it hashes all others too. It returns the newest checkpoint; code no_checkpoint
// without one.
func (s *Service) Checkpoint(ctx context.Context, audit bool) ([]byte, error) {
	err := s.checkpoint(ctx, audit)
	var found *damage
	if errors.As(err, &found) {
		s.signing.With("refused").Inc()
		s.Log.ErrorContext(ctx, "ledger: the stored ledger is not the one that was signed: no checkpoint is signed until it is; compare it with a checkpoint that lies outside", "found", found.why)
		return nil, errors.Join(errDamaged, found, setDamaged(ctx, s.DB, found.why))
	}
	if err != nil {
		return nil, err
	}
	c, err := newestCheckpoint(ctx, s.DB)
	return c.Note, err
}

func (s *Service) checkpoint(ctx context.Context, audit bool) error {
	anchors, err := s.outside(ctx)
	if err != nil {
		return err
	}
	st, err := readState(ctx, s.DB)
	if err != nil {
		return err
	}
	before, err := s.past(ctx, st)
	if err != nil {
		return err
	}
	for _, a := range anchors {
		if err := s.continues(ctx, before, a); err != nil {
			return err
		}
	}
	if audit || st.Signed <= auditAlways || st.Damaged != "" {
		if err := s.audit(ctx, before); err != nil {
			return err
		}
		if err := setAudited(ctx, s.DB, s.Now().UnixMilli()); err != nil {
			return err
		}
		s.meet(before)
	}
	if err := s.sameOrigin(ctx, before); err != nil {
		return err
	}
	if st.Size == st.Signed {
		return nil
	}
	if mine, err := s.hash(ctx, st.Hashed, st.Size); err != nil || !mine {
		return err
	}
	return s.sign(ctx, before, st.Size)
}

// past opens the newest checkpoint, and checks that the stored tree leads to it. The zero
// value is that of a ledger without one.
func (s *Service) past(ctx context.Context, st state) (treelog.Checkpoint, error) {
	if st.Hashed < st.Signed || st.Size < st.Hashed {
		return treelog.Checkpoint{}, &damage{"the ledger's row in the database has another size than the newest checkpoint"}
	}
	c, err := newestCheckpoint(ctx, s.DB)
	if errors.Is(err, errNoCheckpoint) && st.Signed == 0 {
		return treelog.Checkpoint{}, nil
	}
	if errors.Is(err, errNoCheckpoint) || err == nil && c.Size < st.Signed {
		return treelog.Checkpoint{}, &damage{"the newest checkpoint is gone from the database"}
	}
	if err != nil {
		return treelog.Checkpoint{}, err
	}
	keys, err := s.known(ctx)
	if err != nil {
		return treelog.Checkpoint{}, err
	}
	before, err := treelog.OpenCheckpoint(c.Note, keys)
	if err != nil || before.Size != c.Size {
		return treelog.Checkpoint{}, &damage{"the newest checkpoint is not one that this server signed"}
	}
	root, err := s.tree(ctx, s.DB, before.Size).Root()
	if errors.Is(err, treelog.ErrTile) || err == nil && root != before.Root {
		return treelog.Checkpoint{}, &damage{"the stored hashes do not lead to the newest checkpoint"}
	}
	return before, err
}

// audit hashes every entry that a checkpoint covers.
func (s *Service) audit(ctx context.Context, to treelog.Checkpoint) error {
	if to.Size == 0 {
		return nil
	}
	var tree treelog.Frontier
	tiles := s.tree(ctx, s.DB, to.Size)
	first := int64(-1) // that does not have the hash in its tile
	err := s.each(ctx, 0, to.Size, func(rows []row) error {
		for i := 0; i < len(rows); i += treelog.TileWidth {
			leaves, err := tiles.Leaves(rows[i].N / treelog.TileWidth)
			if err != nil {
				return err
			}
			for j, r := range rows[i:min(i+treelog.TileWidth, len(rows))] {
				leaf := r.entry().Leaf()
				if first < 0 && (j >= len(leaves) || leaves[j] != leaf) {
					first = r.N
				}
				tree.Add(leaf)
			}
		}
		return nil
	})
	switch {
	case err != nil:
		return err
	case first >= 0:
		return &damage{fmt.Sprintf("entry %d was altered in the database, or its hash", first)}
	case tree.Root() != to.Root:
		return &damage{"the entries do not lead to the newest checkpoint"}
	}
	return nil
}

// each reads the entries from ≤ n < to in batches, and finds a hole among them.
func (s *Service) each(ctx context.Context, from, to int64, do func([]row) error) error {
	for from < to {
		rows, err := readEntries(ctx, s.DB, from, int(min(batch, to-from)))
		if err != nil {
			return err
		}
		for i, r := range rows {
			if r.N != from+int64(i) {
				return &damage{fmt.Sprintf("entry %d is missing from the database", from+int64(i))}
			}
		}
		if len(rows) == 0 {
			return &damage{fmt.Sprintf("entry %d is missing from the database", from)}
		}
		if err := do(rows); err != nil {
			return err
		}
		from += int64(len(rows))
	}
	return nil
}

// hash adds the entries from ≤ n < to to the tree; false when another node does.
func (s *Service) hash(ctx context.Context, from, to int64) (mine bool, err error) {
	if from == to {
		return true, nil // a crash came between this and the signature
	}
	grown, err := treelog.Grow(s.tree(ctx, s.DB, from))
	if errors.Is(err, treelog.ErrTile) {
		return false, &damage{err.Error()}
	}
	if err != nil {
		return false, err
	}
	err = s.each(ctx, from, to, func(rows []row) error {
		before := grown.Size()
		for _, r := range rows {
			grown.Add(r.entry().Leaf())
		}
		tiles := grown.Take()
		return s.DB.Tx(ctx, func(tx *db.Tx) error {
			moved, err := advance(ctx, tx, before, grown.Size())
			if err != nil {
				return err
			}
			if !moved {
				return errOvertaken
			}
			for _, t := range tiles {
				if err := putTile(ctx, tx, t.Level, t.N, t.Hashes); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if errors.Is(err, errOvertaken) {
		return false, nil
	}
	return err == nil, err
}

// errOvertaken says that another node does the work.
var errOvertaken = errors.New("ledger: another node goes on")

// sign signs the tree of a size, which continues the newest checkpoint.
func (s *Service) sign(ctx context.Context, before treelog.Checkpoint, size int64) error {
	if before.Size >= size {
		return nil // another node was faster
	}
	tree := s.tree(ctx, s.DB, size)
	root, err := tree.Root()
	if err == nil && before.Size > 0 {
		var proof []treelog.Hash
		if proof, err = tree.Consistency(before.Size); err == nil {
			err = treelog.CheckConsistency(proof, size, root, before.Size, before.Root)
		}
	}
	if errors.Is(err, treelog.ErrTile) || errors.Is(err, treelog.ErrProof) {
		return &damage{"the stored hashes do not continue the newest checkpoint"}
	}
	if err != nil {
		return err
	}
	c := treelog.Checkpoint{Origin: s.origin, Size: size, Root: root}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		key, err := s.signingKey(ctx, tx, s.origin+"+")
		if err != nil {
			return err
		}
		text, err := c.Sign(key)
		if err != nil {
			return err
		}
		if ok, err := setSigned(ctx, tx, size); err != nil || !ok {
			return errors.Join(err, errOvertaken)
		}
		if err := insertCheckpoint(ctx, tx, signed{size, text}, s.Now().UnixMilli()); err != nil {
			return err
		}
		for _, p := range s.places {
			begin := before.Size
			if p.whole {
				begin = 0
			}
			if err := beginPlace(ctx, tx, p.name, begin); err != nil {
				return err
			}
			if err := s.Jobs.Enqueue(ctx, tx, tellJob, telling{p.name}, jobs.Key(p.name)); err != nil {
				return err
			}
		}
		return nil
	})
	if errors.Is(err, errOvertaken) {
		return nil
	}
	if err == nil {
		s.meet(c)
		s.signing.With("signed").Inc()
		s.Log.InfoContext(ctx, "ledger: a checkpoint was signed", "size", size, "root", root.String())
	}
	return err
}

// errOrigin says that this process is not the server that signed before.
var errOrigin = errors.New("the newest checkpoint has another origin than this process, so nothing is signed: set COFFER_URL as the server has it, or say coffer ledger checkpoint --new-origin once if the server has moved")

// sameOrigin refuses a process with another address than the newest checkpoint names, unless
// the operator has said that the server moved there.
func (s *Service) sameOrigin(ctx context.Context, before treelog.Checkpoint) error {
	if before.Size == 0 || before.Origin == s.origin {
		return nil
	}
	rows, err := readKeys(ctx, s.DB)
	if err != nil || s.signsHere(rows) {
		return err
	}
	return fmt.Errorf("%w (it is of %s, and this process of %s)", errOrigin, before.Origin, s.origin)
}

// signsHere reports whether one of the keys that sign now has this process's origin.
func (s *Service) signsHere(rows []keyRow) bool {
	return slices.ContainsFunc(rows, func(r keyRow) bool { return r.Until == nil && strings.HasPrefix(r.Key, s.origin+"+") })
}

// Move says that the server has the address of this process from now on: its key is the one
// that signs, and those of other origins end.
func (s *Service) Move(ctx context.Context) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		_, err := s.signingKey(ctx, tx, "")
		return err
	})
}

// signingKey returns the key that signs now, and publishes its verifier key. It ends the others
// that begin with a prefix.
func (s *Service) signingKey(ctx context.Context, tx *db.Tx, ends string) (ed25519.PrivateKey, error) {
	k, err := s.Ring.Active(ctx, keyring.Ledger)
	if err != nil {
		return nil, err
	}
	return ed25519.NewKeyFromSeed(k.Secret), insertKey(ctx, tx, keyRow{Key: s.verifier(k), Seq: k.Seq, Since: s.Now().UnixMilli()}, ends)
}

// verifier returns the written form of the verifier key of a key of the ring.
func (s *Service) verifier(k keyring.Key) string {
	return treelog.Key{Name: s.origin, Public: ed25519.NewKeyFromSeed(k.Secret).Public().(ed25519.PublicKey)}.String()
}

// known returns every verifier key of this ledger.
func (s *Service) known(ctx context.Context) (keys []treelog.Key, err error) {
	rows, err := readKeys(ctx, s.DB)
	for _, r := range rows {
		if k, err := treelog.ParseKey(r.Key); err == nil {
			keys = append(keys, k)
		}
	}
	return keys, err
}
