package file

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"coffer/internal/db/dbtest"
)

// counted counts what is read of it.
type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// A part's header is read only so far, wherever it stands and whatever is before it.
func TestLongPartHeaders(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	const mebibytes = 9 << 20
	part := "--b\r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\nx\r\n"
	for name, start := range map[string]string{
		"one field":        "--b\r\nX: ",
		"a name":           "--b\r\n",
		"many fields":      "--b\r\n" + strings.Repeat("A: b\r\n", 6000),
		"of a second part": part + "--b\r\nX: ",
		"before the first": strings.Repeat("x", 100) + "\r\n" + strings.Repeat("y\r\n", 12000),
	} {
		body := &counted{r: io.MultiReader(strings.NewReader(start), bytes.NewReader(bytes.Repeat([]byte("x"), mebibytes)), strings.NewReader("\r\n\r\n"))}
		f := &form{u: w.NewUpload(ada), ctx: t.Context(), complete: func() error { return nil }}
		f.heads.r = body
		_, err := f.take(f.parser("b"))
		if err == nil || body.n > len(part)+maxHead+16<<10 {
			t.Errorf("%s: %v after %d bytes", name, err, body.n)
		}
		f.u.Abort(t.Context())
	}
	long := "--b\r\nX: " + strings.Repeat("x", 30<<10) + "\r\n" + part[len("--b\r\n"):] + "--b--\r\n"
	if a := w.call(ada, "POST", "/files", strings.NewReader(long), "Content-Type", "multipart/form-data; boundary=b"); a.StatusCode != 201 {
		t.Errorf("a header of 30 KiB: %d %s", a.StatusCode, a.body)
	}
	a := w.call(ada, "POST", "/files", strings.NewReader("--b\r\nX: "+strings.Repeat("x", 60<<10)+"\r\n\r\n"), "Content-Type", "multipart/form-data; boundary=b")
	if got := a.problem(t); got != "Unprocessable Entity validation_failed /files/0/name:too_long" {
		t.Errorf("a header of 60 KiB: %s", got)
	}
}
