package upload

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
)

// wire is a POST that a test sends by hand, as the server sees it.
type wire struct {
	*net.TCPConn
	ctx  context.Context // of the request
	over <-chan struct{} // its handler has returned
}

// post sends a request that creates an upload of 4 MiB, with the first bytes of its body.
func (w *world) post(body string, announced int) wire {
	w.t.Helper()
	behind, seen, over := w.urls[0], make(chan context.Context, 1), make(chan struct{})
	api := w.handlers[0]
	server := httptest.NewServer(http.HandlerFunc(func(a http.ResponseWriter, r *http.Request) {
		defer close(over)
		seen <- r.Context()
		r.Host = strings.TrimPrefix(behind, "http://")
		api.ServeHTTP(a, r)
	}))
	w.t.Cleanup(server.Close)
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { c.Close() })
	head := fmt.Sprintf("POST /v1/uploads HTTP/1.1\r\nHost: x\r\nAuthorization: %s\r\nTus-Resumable: 1.0.0\r\nUpload-Length: %d\r\nUpload-Metadata: %s\r\nContent-Length: %d\r\n",
		ada, 4<<20, metadata("filename", "a"), announced)
	if announced > 0 {
		head += "Content-Type: application/offset+octet-stream\r\n"
	}
	if _, err := io.WriteString(c, head+"\r\n"+body); err != nil {
		w.t.Fatal(err)
	}
	return wire{c.(*net.TCPConn), <-seen, over}
}

// A client that hangs up before the answer has no name for its upload: what that reserved
// comes back at once, and what arrived goes.
func TestHungUp(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		for how, hangUp := range map[string]func(*net.TCPConn) error{
			"an end": (*net.TCPConn).Close, "a reset": func(c *net.TCPConn) error { return errors.Join(c.SetLinger(0), c.Close()) },
		} {
			t.Run("within the body, by "+how, func(t *testing.T) {
				w := newWorld(t, d)
				r := w.post(pattern(3<<20), 4<<20)
				w.until("the bytes arrive", func() bool { return w.rows("blob_parts") > 0 })
				if err := hangUp(r.TCPConn); err != nil {
					t.Fatal(err)
				}
				<-r.over
				w.below.RunJobs()
				w.empty()
			})
		}
		t.Run("while the server makes it", func(t *testing.T) {
			w := newWorld(t, d)
			w.call(ada, "DELETE", w.begin(1), "") // so that a row of usage exists to wait for
			held, free, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
			go func() {
				done <- d.Tx(context.Background(), func(tx *db.Tx) error {
					_, err := tx.Exec(context.Background(), `UPDATE content_usage SET bytes = bytes WHERE account = $1`, string(ada))
					close(held)
					<-free
					return err
				})
			}()
			<-held
			r := w.post("", 0)
			r.Close()
			<-r.ctx.Done()
			close(free)
			<-r.over
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			w.below.RunJobs()
			w.empty()
		})
		t.Run("after another request knows it", func(t *testing.T) {
			w := newWorld(t, d)
			whole := pattern(4 << 20)
			r := w.post(whole[:3<<20], 4<<20)
			w.until("the bytes arrive", func() bool { return w.rows("blob_parts") > 0 })
			all, err := w.List(t.Context(), ada)
			if err != nil || len(all) != 1 {
				t.Fatalf("%+v, %v", all, err)
			}
			path := "/uploads/" + all[0].ID
			at := w.offset(path) // takes over
			r.Close()
			<-r.over
			if a := w.patch(path, at, whole[at:]); a.Header.Get("Coffer-File") == "" {
				t.Errorf("PATCH at %d: %d %s", at, a.StatusCode, a.body)
			}
		})
		t.Run("after another process has taken it", func(t *testing.T) {
			w := newWorld(t, d)
			path := w.begin(5)
			st, err := w.read(t.Context(), ada, strings.TrimPrefix(path, "/uploads/"))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := takeTurn(t.Context(), d, st.row, "another", w.Now().Add(w.Keep)); err != nil {
				t.Fatal(err)
			}
			if err := w.withdraw(t.Context(), st); err != nil {
				t.Fatal(err)
			}
			if a := w.patch(path, 0, "hello"); a.Header.Get("Coffer-File") == "" {
				t.Errorf("PATCH: %d %s", a.StatusCode, a.body)
			}
		})
	})
}

// A client that stalls is told, and keeps its upload: the server's own deadline also ends the
// request's context.
func TestStalledIsHeard(t *testing.T) {
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	for failure, want := range map[error]bool{errCut.Because(os.ErrDeadlineExceeded): false, io.ErrUnexpectedEOF: true} {
		c := &call{st: &state{}, body: newSource(io.NopCloser(iotest.ErrReader(failure)), func() {})}
		if _, err := c.body.Read(make([]byte, 1)); err == nil {
			t.Fatal("no failure")
		}
		if got := c.unheard(gone); got != want {
			t.Errorf("after %v: %v", failure, got)
		}
	}
}
