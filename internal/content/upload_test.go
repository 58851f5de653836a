package content

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle"

	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/seal"
)

// failingStore breaks in the ways a store can.
type failingStore struct {
	blob.Store
	put func(ctx context.Context, id string, r io.Reader) (int64, error)
}

func (f failingStore) Put(ctx context.Context, id string, r io.Reader) (int64, error) {
	return f.put(ctx, id, r)
}

func TestUploadWhenTheStoreFails(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir := w.Blobs
	for name, put := range map[string]func(ctx context.Context, id string, r io.Reader) (int64, error){
		"at once": func(context.Context, string, io.Reader) (int64, error) { return 0, blob.ErrUnavailable },
		"in the middle": func(_ context.Context, _ string, r io.Reader) (int64, error) {
			_, _ = io.CopyN(io.Discard, r, 500_000)
			return 0, blob.ErrUnavailable
		},
		"at the end": func(_ context.Context, _ string, r io.Reader) (int64, error) {
			_, _ = io.Copy(io.Discard, r)
			return 0, blob.ErrUnavailable
		},
		"writing": func(_ context.Context, _ string, r io.Reader) (int64, error) {
			return r.(io.WriterTo).WriteTo(brokenWriter{})
		},
	} {
		w.Blobs = failingStore{dir, put}
		u := w.NewUpload(ada)
		if _, err := u.Store(t.Context(), strings.NewReader(pattern(3<<20))); err == nil {
			t.Errorf("%s: stored", name)
		}
		u.Abort(t.Context())
		w.left(name, 0)
	}
	// A store that reads instead of letting the source write gets the same bytes.
	w.Blobs = failingStore{dir, func(ctx context.Context, id string, r io.Reader) (int64, error) {
		return dir.Put(ctx, id, struct{ io.Reader }{r})
	}}
	content := pattern(3<<20 + 7)
	if a := w.call("GET", w.mustStore(content, "").ID); string(a.body) != content {
		t.Errorf("through Read: %d bytes", len(a.body))
	}
}

// A store that has given up ends the reading too: a client does not send a terabyte for nothing.
func TestStoreThatGaveUpIsNotFed(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.Blobs = failingStore{w.Blobs, func(_ context.Context, _ string, r io.Reader) (int64, error) {
		_, _ = io.CopyN(io.Discard, r, 1<<20)
		return 0, blob.ErrUnavailable
	}}
	read := 0
	source := readFunc(func(p []byte) (int, error) {
		if read += len(p); read > 1<<30 {
			return 0, errors.New("it does not end")
		}
		return len(p), nil
	})
	if _, err := w.NewUpload(ada).Store(t.Context(), source); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("Store = %v", err)
	}
	if read > 64<<20 {
		t.Errorf("%d MiB were read after all", read>>20)
	}
}

// A source that breaks never looks like one that ended: the store must not keep a short
// object as whole.
func TestBrokenSourceReachesTheStore(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	dir, broken := w.Blobs, errors.New("the client went away")
	for _, n := range []int{200_000, 700_000, 5 << 20} {
		for name, read := range map[string]func(r io.Reader) error{
			"Read":    func(r io.Reader) error { _, err := io.Copy(io.Discard, struct{ io.Reader }{r}); return err },
			"WriteTo": func(r io.Reader) error { _, err := r.(io.WriterTo).WriteTo(io.Discard); return err },
		} {
			var seen error
			w.Blobs = failingStore{dir, func(_ context.Context, _ string, r io.Reader) (int64, error) {
				seen = read(r)
				return 0, seen
			}}
			u := w.NewUpload(ada)
			source := io.MultiReader(strings.NewReader(pattern(n)), iotest.ErrReader(broken))
			if _, err := u.Store(t.Context(), source); !errors.Is(err, broken) || !errors.Is(seen, broken) {
				t.Errorf("%s, %d bytes: Store = %v, the store saw %v", name, n, err, seen)
			}
		}
	}
}

// An S3 store takes and gives the same.
func TestUploadToS3(t *testing.T) {
	w := newWorldOn(t, dbtest.SQLite(t), blobtest.S3(t))
	content := pattern(17<<20 + 11)
	o := w.mustStore(content, "")
	a := w.call("GET", o.ID)
	if string(a.body) != content {
		t.Errorf("%d bytes came back", len(a.body))
	}
	if a := w.call("GET", o.ID, "Range", "bytes=16777000-16778000"); string(a.body) != content[16777000:16778001] {
		t.Errorf("range: %d bytes", len(a.body))
	}
	w.release(ada, o.ID)
	w.below.RunJobs()
	w.left("after deleting", 0)
}

// The leftovers of a crash are invisible and go within the hour. Live objects stay, and so
// does an upload that runs for longer than that.
func TestSweep(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		keep := w.mustStore("x", "")
		long := strings.Repeat("long", 50_000)
		// As a process leaves it that dies between the last byte and the publishing …
		u := w.NewUpload(ada)
		for _, content := range []string{long, "small", strings.Repeat("x", maxHeld)} {
			if _, err := u.Store(t.Context(), strings.NewReader(content)); err != nil {
				t.Fatal(err)
			}
		}
		if blobs, objects := w.count(`SELECT COUNT(*) FROM blobs`), len(w.objects()); blobs != 4 || objects != 4 {
			t.Fatalf("before: %d blobs, %d objects; what is small did not go to SQL", blobs, objects)
		}
		// … and one whose object was never finished.
		unfinished := filepath.Join(w.blobs, "tmp", "00ff.ABC")
		if err := errors.Join(insertPending(t.Context(), d, ada, incoming{Stored: Stored{ID: "00ff"}, wrapped: []byte{1}}, w.below.Now()), os.WriteFile(unfinished, []byte("half"), 0o600)); err != nil {
			t.Fatal(err)
		}
		// … and a database restored from before the object was made.
		if _, err := w.Blobs.Put(t.Context(), "ffffffff", strings.NewReader("orphan")); err != nil {
			t.Fatal(err)
		}
		sweep := func() {
			t.Helper()
			if err := errors.Join(w.Sweep(t.Context()), w.sweepOrphans(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
		// A form that takes hours: files that came early wait for the last one.
		running := w.NewUpload(ada)
		if _, err := running.Store(t.Context(), strings.NewReader(long)); err != nil {
			t.Fatal(err)
		}
		late := io.MultiReader(strings.NewReader(long), readFunc(func([]byte) (int, error) {
			for range 12 {
				w.below.Advance(touchEvery)
				running.touch(t.Context())
				sweep()
			}
			return 0, io.EOF
		}))
		if _, err := running.Store(t.Context(), late); err != nil {
			t.Fatal(err)
		}
		if blobs, objects := w.count(`SELECT COUNT(*) FROM blobs`), len(w.objects()); blobs != 3 || objects != 4 {
			t.Errorf("after an hour: %d blobs, %d objects; want the live one, those of the upload that runs, and the orphan", blobs, objects)
		}
		if _, err := os.Stat(unfinished); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("what an unfinished object left: %v", err)
		}
		if err := w.settle(running); err != nil {
			t.Errorf("settling what ran for an hour: %v", err)
		}
		if err := w.settle(u); !errors.Is(err, ErrExpired) {
			t.Errorf("settling what was swept: %v", err)
		}
		w.look(7)
		sweep()
		if objects := len(w.objects()); objects != 3 {
			t.Errorf("after a week: %d objects", objects)
		}
		w.counted("after a week")
		if a := w.call("GET", keep.ID); string(a.body) != "x" {
			t.Errorf("the live object: %d %s", a.StatusCode, a.body)
		}
	})
}

// An upload whose commit failed must not lose what did commit.
func TestAbortSparesWhatIsLive(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	u := w.NewUpload(ada)
	o, err := u.Store(t.Context(), strings.NewReader("x"))
	if err == nil {
		err = w.settle(u)
	}
	if err != nil {
		t.Fatal(err)
	}
	u.Abort(t.Context())
	if a := w.call("GET", w.keep(o, "").ID); string(a.body) != "x" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// Tink opens the object in the store with the unwrapped key: another program knows the format.
func TestTinkOpensAnObject(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	content := pattern(200_000)
	id := w.mustStore(content, "").ID
	var wrapped []byte
	if err := w.DB.QueryRow(t.Context(), `SELECT wrapped FROM blobs WHERE id = $1`, id).Scan(&wrapped); err != nil {
		t.Fatal(err)
	}
	key, err := w.Ring.Open(t.Context(), keyring.Blob, wrapped, keyAAD(id, ada, nil))
	if err != nil {
		t.Fatal(err)
	}
	tink, err := subtle.NewAESGCMHKDF(key, "SHA256", 32, seal.SegmentSize, 0)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := blobtest.Read(t, w.Blobs, id, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	r, err := tink.NewDecryptingReader(bytes.NewReader(sealed), contentAAD(id))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != content {
		t.Errorf("tink read %d bytes, %v", len(got), err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("disk full") }

// The log has no content, whatever goes wrong.
func TestNothingReadableInTheLog(t *testing.T) {
	var log strings.Builder
	w := newWorld(t, dbtest.SQLite(t))
	w.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	u := w.NewUpload(ada)
	o, err := u.Store(t.Context(), strings.NewReader(strings.Repeat("canary-content", 5_000)))
	if err != nil {
		t.Fatal(err)
	}
	w.Blobs = stuckStore{w.Blobs, o.ID}
	u.Abort(t.Context())
	if got := log.String(); !strings.Contains(got, "stays until the sweep") || strings.Contains(got, "canary") {
		t.Errorf("the log: %s", got)
	}
}
