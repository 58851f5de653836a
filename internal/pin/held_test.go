package pin

import (
	"context"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/ipfs"
)

// TestHeadOfDamage: a HEAD promises no more than a GET gives.
func TestHeadOfDamage(t *testing.T) {
	for name, change := range map[string]string{
		"its file":  `UPDATE pin_files SET details = details || '0' WHERE pin = $1`,
		"its place": `UPDATE pin_blocks SET start = start + 1 WHERE pin = $1 AND ord = 0 AND start > 0`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			p := w.verified(w.upload(w.ada, "", "a", pattern(1_500_000)), `"encrypt":false,`+atKubo)
			_, leaves := w.car(w.do("", "GET", "/ipfs/"+*p.CID+"?format=car", ""))
			w.alter(change, p.ID)
			for _, format := range []string{"raw", "car"} {
				path := "/ipfs/" + leaves[len(leaves)-1] + "?format=" + format
				get, head := w.do("", "GET", path, ""), w.do("", "HEAD", path, "")
				if get.StatusCode != http.StatusInternalServerError || head.StatusCode != get.StatusCode {
					t.Errorf("%s: GET %d, HEAD %d", format, get.StatusCode, head.StatusCode)
				}
			}
		})
	}
}

// TestDoubledParameters: a query of the gateway has one meaning.
func TestDoubledParameters(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.verified(w.upload(w.ada, "", "a", []byte("a")), `"encrypt":false,`+atKubo)
	for _, query := range []string{"?format=raw&format=car", "?format=car&car-dups=y&car-dups=n", "?format=car&x=1&x=1"} {
		for _, path := range []string{"/ipfs/" + *p.CID, "/ipfs/" + *p.CID + "/a"} {
			w.is(w.do("", "GET", path+query, ""), http.StatusUnprocessableEntity, "validation_failed")
		}
	}
	w.is(w.do("", "GET", "/ipfs/"+*p.CID+"?format=raw&%zz", ""), http.StatusBadRequest, "malformed_request")
}

// TestStoppedStream suspends an account while a reader gets an archive of its pin. The stream is cut
// within a second.
func TestStoppedStream(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.folder("", "f")
		for _, name := range []string{"a", "b", "c"} {
			w.upload(w.ada, id, name, []byte(name))
		}
		p := w.verified(id, `"encrypt":false,`+atKubo)
		v := w.newView()
		out := writerFunc(func(b []byte) (int, error) { return len(b), nil })
		if err := v.sendCAR(t.Context(), out, w.root(p), nil, w.root(p), scopeAll, span{open: true}, true); err != nil {
			t.Fatal(err)
		}
		w.suspend(true)
		w.below.Advance(time.Second)
		if err := v.sendCAR(t.Context(), out, w.root(p), nil, w.root(p), scopeAll, span{open: true}, true); fault.Of(err).Kind != fault.NotFound {
			t.Errorf("the stream runs on: %v", err)
		}
	})
}

type writerFunc func([]byte) (int, error)

// Write implements io.Writer.
func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// TestStoppedWhileSent suspends an account while its pin is computed, and while it is sent. The work
// ends at its next sign of life, waits, and goes on when the account is back.
func TestStoppedWhileSent(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		g := w.gated(true)
		p := w.pin(w.upload(w.ada, "", "a", pattern(30_000)), atKubo)
		done := w.working()
		<-g.entered
		w.suspend(true)
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Error("the sender goes on")
		}
		close(g.open)
		if r, err := readTargets(t.Context(), d, []string{p.ID}); err != nil || r[p.ID][0].State != Sending || len(w.kubo.Roots()) != 0 {
			t.Errorf("%+v, %v; the node holds %v", r, err, w.kubo.Roots())
		}
		w.suspend(false)
		w.later(61 * time.Minute)
		w.holds(p.ID, "kubo", Verified, "")
	})
}

// TestStoppedOutline ends a sign of life with the reason.
func TestStoppedOutline(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	if err := w.mayGoOn(t.Context(), w.ada, false, true, nil); err != nil {
		t.Error(err)
	}
	if err := w.mayGoOn(t.Context(), w.ada, false, false, nil); err != errLost {
		t.Error(err)
	}
	w.suspend(true)
	if err := w.mayGoOn(t.Context(), w.ada, false, true, nil); err != errStopped {
		t.Error(err)
	}
	if err := w.mayGoOn(t.Context(), w.ada, false, true, io.ErrUnexpectedEOF); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
}

// TestHeldReadersInLittleMemory holds a hundred readers of a leaf of 1 MiB, who take some bytes and read
// no more. Each takes less than 256 KiB.
func TestHeldReadersInLittleMemory(t *testing.T) {
	const readers, most = 100, 256 << 10
	for _, settings := range []string{`"encrypt":false,`, ""} {
		w := newWorld(t, dbtest.SQLite(t))
		p := w.verified(w.upload(w.ada, "", "a", pattern(2_500_000)), settings+atKubo)
		var digest []byte
		if err := w.DB.QueryRow(t.Context(), `SELECT digest FROM pin_blocks WHERE pin = $1 AND ord = 0 AND start = 0`, p.ID).Scan(&digest); err != nil {
			t.Fatal(err)
		}
		c := ipfs.CID{Codec: ipfs.Raw, Digest: [32]byte(digest)}
		heap := func() int64 {
			var m runtime.MemStats
			runtime.GC()
			runtime.GC() // pools are emptied by the second
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		before := heap()
		arrived, leave := make(chan struct{}), make(chan struct{})
		ended := make(chan error)
		for range readers {
			go func() {
				v := w.newView()
				waits := false
				ended <- v.sendCAR(context.Background(), writerFunc(func(b []byte) (int, error) {
					if len(b) > 1_000 && !waits { // the first bytes of the leaf
						waits = true
						arrived <- struct{}{}
						<-leave
						return 0, io.ErrClosedPipe
					}
					return len(b), nil
				}), c, nil, c, scopeAll, span{open: true}, false)
			}()
		}
		for range readers {
			<-arrived
		}
		took := (heap() - before) / readers
		t.Logf("a held reader takes %d KiB", took>>10)
		if took > most {
			t.Errorf("a held reader takes %d KiB", took>>10)
		}
		close(leave)
		for range readers {
			if err := <-ended; !errors.Is(err, io.ErrClosedPipe) {
				t.Error(err)
			}
		}
	}
}

// TestHeldBlocks: what is in no file and long is refused while too much of it waits for readers.
func TestHeldBlocks(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id := w.folder("", "f")
	for range 330 { // a manifest of more than smallBlock
		w.upload(w.ada, id, strings.Repeat("n", 200), []byte("a"))
	}
	p := w.verified(id, atKubo)
	var digest []byte
	if err := w.DB.QueryRow(t.Context(), `SELECT digest FROM pin_blocks WHERE pin = $1 AND ord = $2 AND length > $3`, p.ID, inManifest, smallBlock).Scan(&digest); err != nil {
		t.Fatal(err)
	}
	path := "/ipfs/" + ipfs.CID{Codec: ipfs.Raw, Digest: [32]byte(digest)}.String() + "?format=raw"
	if a := w.do("", "GET", path, ""); a.StatusCode != http.StatusOK {
		t.Fatal(a.StatusCode)
	}
	for w.held.Load() != 0 { // the handler may end after its reader
		time.Sleep(time.Millisecond)
	}
	w.held.Store(heldBlocks)
	a := w.do("", "GET", path, "")
	if w.is(a, http.StatusServiceUnavailable, "busy"); a.Header.Get("Retry-After") == "" || w.held.Load() != heldBlocks {
		t.Errorf("%v, %d bytes are held", a.Header, w.held.Load())
	}
}
