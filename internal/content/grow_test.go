package content

import (
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/blob/blobtest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// grow begins an object that ends in a day.
func (w *world) grow(owner account.ID, length int64) (id string, err error) {
	err = w.DB.Tx(context.Background(), func(tx *db.Tx) (err error) {
		id, err = w.Grow(context.Background(), tx, owner, length, w.Now().Add(24*time.Hour))
		return err
	})
	return id, err
}

func (w *world) mustGrow(length int64) string {
	w.t.Helper()
	id, err := w.grow(ada, length)
	if err != nil {
		w.t.Fatal(err)
	}
	return id
}

// append appends bytes of ada's.
func (w *world) append(id string, at int64, p string) (int64, error) {
	return w.Append(context.Background(), ada, id, at, strings.NewReader(p), AppendOptions{})
}

func (w *world) mustAppend(id string, at int64, p string) {
	w.t.Helper()
	if n, err := w.append(id, at, p); err != nil || n != int64(len(p)) {
		w.t.Fatalf("Append at %d = %d, %v, want %d", at, n, err, len(p))
	}
}

// settleGrown settles a grown object as a caller does.
func (w *world) settleGrown(id string) (o Stored, err error) {
	err = w.DB.Tx(context.Background(), func(tx *db.Tx) (err error) {
		o, err = w.SettleGrown(context.Background(), tx, ada, id)
		return err
	})
	return o, err
}

func (w *world) mustSettleGrown(id string) record {
	w.t.Helper()
	o, err := w.settleGrown(id)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.keep(o, "")
}

func (w *world) abandon(id string) {
	w.t.Helper()
	err := w.DB.Tx(context.Background(), func(tx *db.Tx) error { return w.Abandon(context.Background(), tx, ada, id) })
	if err != nil {
		w.t.Fatal(err)
	}
}

// read returns the range of an object that a caller has a record of.
func (w *world) read(o Stored, off, n int64) (string, error) {
	object, err := w.Find(context.Background(), w.DB, ada, o.ID, o.Size)
	if err != nil {
		return "", err
	}
	r, err := object.Open(context.Background(), off, n)
	if err != nil {
		return "", err
	}
	p, err := io.ReadAll(r)
	if err == nil {
		err = r.Close()
	}
	return string(p), err
}

// An object that comes in by parts of every size is the same as one that came in whole: its
// bytes, every range of them, its size and its hash.
func TestGrow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		sizes := []int{1, 70_000, 65_536, 65_537, 0, 200_000, 65_500, 3}
		total := 0
		for _, n := range sizes {
			total += n
		}
		content := string(blobtest.Pattern(total))
		for _, length := range []int64{int64(total), UnknownLength} {
			id, at := w.mustGrow(length), 0
			for _, n := range sizes {
				w.mustAppend(id, int64(at), content[at:at+n])
				at += n
				if g, err := w.Growing(t.Context(), d, ada, id); err != nil || g.Offset != int64(at) || g.Length != length {
					t.Errorf("Growing = %+v, %v, want offset %d", g, err, at)
				}
				w.counted("growing")
			}
			if length == UnknownLength {
				err := d.Tx(t.Context(), func(tx *db.Tx) error { return w.SetLength(t.Context(), tx, ada, id, int64(total)) })
				if err != nil {
					t.Fatal(err)
				}
			}
			o := w.mustSettleGrown(id)
			if o.ID != id || o.Size != int64(total) || o.Stored.Sum != sha256.Sum256([]byte(content)) {
				t.Errorf("settled as %+v", o.Stored)
			}
			w.counted("settled")
			for _, r := range [][2]int64{{0, int64(total)}, {0, 1}, {1, 1}, {0, 2}, {70_000, 1}, {69_999, 70_000}, {70_001, 65_536}, {3, 0}, {int64(total), 0}, {int64(total) - 4, 4}} {
				if got, err := w.read(o.Stored, r[0], r[1]); err != nil || got != content[r[0]:r[0]+r[1]] {
					t.Errorf("bytes %d+%d: %d bytes, %v", r[0], r[1], len(got), err)
				}
			}
			if a := w.call("GET", id); !bytes.Equal(a.body, []byte(content)) {
				t.Errorf("served: %d, %d bytes", a.StatusCode, len(a.body))
			}
		}
		for _, length := range []int64{0, UnknownLength} {
			id := w.mustGrow(length)
			if length == UnknownLength {
				w.abandon(id)
				continue
			}
			o := w.mustSettleGrown(id)
			if a := w.call("GET", o.ID); a.StatusCode != 200 || len(a.body) != 0 {
				t.Errorf("an empty one: %d, %d bytes", a.StatusCode, len(a.body))
			}
		}
		w.below.RunJobs()
		w.left("in the end", 14)
	})
}
