package upload

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// stalled is a PATCH whose client sends no more.
type stalled struct {
	more   *io.PipeWriter
	answer chan answer
}

// send begins a PATCH at a node, sends a few MiB and stalls. It returns when these
// bytes go to the store.
func (w *world) send(node int, path string, at int, body string) stalled {
	w.t.Helper()
	before := w.rows("blob_parts")
	r, more := io.Pipe()
	s := stalled{more, make(chan answer, 1)}
	w.t.Cleanup(func() { more.Close() })
	go func() {
		a, err := w.try(context.Background(), node, ada, "PATCH", path, r, "Upload-Offset", strconv.Itoa(at))
		if err != nil {
			a = answer{&http.Response{StatusCode: -1}, []byte(err.Error())}
		}
		s.answer <- a
	}()
	if _, err := io.WriteString(more, body); err != nil {
		w.t.Error(err)
	}
	w.until("a byte arrives", func() bool { return w.rows("blob_parts") > before })
	return s
}

// A new request takes over from one that stalls, on the same node and on another. What
// arrived is stored; the old request is told so.
func TestTakeOver(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		whole := pattern(4 << 20)
		for _, node := range []int{0, 1} {
			path := w.begin(len(whole))
			old := w.send(0, path, 0, whole[:3<<20])
			begin := time.Now()
			a := w.on(node, ada, "HEAD", path, nil)
			at, err := strconv.Atoi(a.Header.Get("Upload-Offset"))
			if a.StatusCode != http.StatusOK || err != nil || at > 3<<20 {
				t.Fatalf("HEAD: %d %v", a.StatusCode, a.Header)
			}
			if old := <-old.answer; old.StatusCode != http.StatusConflict || old.problem(t) != "409 upload_taken_over" {
				t.Errorf("the old request on node 0 for node %d: %d %s", node, old.StatusCode, old.body)
			}
			t.Logf("node %d took over at %d after %s", node, at, time.Since(begin))
			a = w.on(node, ada, "PATCH", path, strings.NewReader(whole[at:]), "Upload-Offset", strconv.Itoa(at))
			if id := a.Header.Get("Coffer-File"); id == "" || w.content(id) != whole {
				t.Errorf("on node %d: %d %s", node, a.StatusCode, a.body)
			}
		}
	})
}

// A process that died holds nothing: its name is passed over, once.
func TestDeadNode(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	path := w.begin(5)
	if _, err := w.DB.Exec(t.Context(), `UPDATE uploads SET node = 'dead'`); err != nil {
		t.Fatal(err)
	}
	if at := w.offset(path); at != 0 {
		t.Errorf("at %d", at)
	}
	var node string
	if err := w.DB.QueryRow(t.Context(), `SELECT node FROM uploads`).Scan(&node); err != nil || node != "" {
		t.Errorf("the row still names %q, %v", node, err)
	}
	if a := w.patch(path, 0, "hello"); a.Header.Get("Coffer-File") == "" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// A server that stops ends the requests that send, and stores what arrived.
func TestDrain(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	path := w.begin(4 << 20)
	old := w.send(0, path, 0, pattern(3<<20))
	w.Drain()
	if a := <-old.answer; a.problem(t) != "503 unavailable" {
		t.Errorf("%s", a.body)
	}
	a := w.on(1, ada, "HEAD", path, nil)
	if at, err := strconv.Atoi(a.Header.Get("Upload-Offset")); err != nil || at == 0 {
		t.Errorf("nothing of what arrived is stored: %v", a.Header)
	}
	if got := w.patch(path, 0, "x").problem(t); got != "409 offset_mismatch" && got != "503 unavailable" {
		t.Errorf("a later request: %s", got)
	}
}

// DELETE gives everything back, also while bytes arrive.
func TestEnd(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		path := w.begin(4 << 20)
		sending := w.send(0, path, 0, pattern(3<<20))
		if a := w.on(1, ada, "DELETE", path, nil); a.StatusCode != http.StatusNoContent {
			t.Fatalf("DELETE: %d %s", a.StatusCode, a.body)
		}
		if a := <-sending.answer; a.StatusCode != http.StatusConflict {
			t.Errorf("the running request: %d %s", a.StatusCode, a.body)
		}
		if got := w.patch(path, 0, "x").problem(t); got != "404 not_found" {
			t.Errorf("after DELETE: %s", got)
		}
		w.below.RunJobs()
		w.empty()
	})
}
