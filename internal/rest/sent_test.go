package rest

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"coffer/internal/fault"
)

// digests is an authenticator whose caller's body must have the digest that Authorization
// names in clear. It keeps the targets that it saw.
type digests struct{ targets []string }

func (d *digests) Authenticate(_ context.Context, q *Sent) (Caller, error) {
	d.targets = append(d.targets, q.Method()+" "+q.Target())
	return Caller{Account: "ada", Session: "s"}, q.MustBe(sha256.Sum256([]byte(q.Authorization)))
}
func (d *digests) StepUp(context.Context, Caller, bool) error { return nil }
func (d *digests) Alive(context.Context, Caller) error        { return nil }
func (d *digests) Refusals(Op) []*fault.Error                 { return nil }
func (d *digests) Still(_ context.Context, c Caller) (Caller, error) {
	return c, nil
}

// byteByByte gives one byte at a time, so that the last one comes alone.
type byteByByte struct{ io.Reader }

func (b byteByByte) Read(p []byte) (int, error) { return b.Reader.Read(p[:min(1, len(p))]) }

// A body with another digest than its signed one reaches no operation: not as JSON, and not as
// a stream whose operation stops at an end of its own.
func TestBodyMustBeTheSignedOne(t *testing.T) {
	t.Parallel()
	auth := &digests{}
	base, _ := url.Parse("HTTPS://Files.Example.org:443")
	base.Scheme = "https"
	a := New(Config{BaseURL: base, Auth: auth, Settings: Settings{Streams: StreamLimits{All: 9, Account: 9, Address: 9}}})
	var kept []string
	type in struct {
		Request
		Body struct {
			A string `json:"a"`
		}
	}
	Register(a, Op{Method: "POST", Path: "/json", ID: "send-json", Tag: "T", Access: Session}, func(_ context.Context, i *in) (*struct{}, error) {
		kept = append(kept, i.Body.A)
		return nil, nil
	})
	Raw(a, Op{Method: "POST", Path: "/stream", ID: "send-stream", Tag: "T", Access: Session}, RawDoc{Consumes: "text/plain"}, func(w http.ResponseWriter, r *http.Request) error {
		// It needs no more than five bytes.
		got := make([]byte, 5)
		if _, err := io.ReadFull(r.Body, got); err != nil {
			if f, ok := errors.AsType[*fault.Error](err); ok {
				return f
			}
			return errBodyCut.Because(err)
		}
		if err := Complete(r); err != nil {
			return err
		}
		kept = append(kept, string(got))
		return nil
	})
	for _, tt := range []struct {
		path, signed, sent string
		length             int64
		want               string
	}{
		{"/json", `{"a":"b"}`, `{"a":"b"}`, 9, "b"},
		{"/json", `{"a":"b"}`, `{"a":"c"}`, 9, ""},
		{"/json", `{"a":"b"}`, `{"a":"b"} `, 10, ""},
		{"/json", `{"a":"b"}`, `{"a":`, 5, ""},
		{"/json", `{"a":"b"}`, `{"a":"b"}`, -1, "b"},
		{"/json", `{"a":"b"}`, `{"a":"c"}`, -1, ""},
		{"/json", `{"a":"b"}`, ``, 0, ""},
		{"/stream", "hello", "hello", 5, "hello"},
		{"/stream", "hello and more", "hello and more", 14, "hello"},
		{"/stream", "hello", "hallo", 5, ""},
		{"/stream", "hello and more", "hello and less", 14, ""},
		{"/stream", "hello", "hello and more", 14, ""},
		{"/stream", "hello and more", "hello", 5, ""},
		{"/stream", "hello", "hello", -1, ""}, // its end is not known before it is there
	} {
		kept = nil
		r := httptest.NewRequest("POST", "https://files.example.org/v1"+tt.path, byteByByte{strings.NewReader(tt.sent)})
		r.ContentLength = tt.length
		if tt.length == 0 {
			r.Body = http.NoBody
		}
		r.Header.Set("Authorization", tt.signed)
		r.Header.Set("Content-Type", map[string]string{"/json": "application/json", "/stream": "text/plain"}[tt.path])
		rec := httptest.NewRecorder()
		a.Handler().ServeHTTP(rec, r)
		refused := rec.Code == http.StatusUnauthorized && strings.Contains(rec.Body.String(), `"invalid_proof"`)
		if got := strings.Join(kept, ","); got != tt.want || refused == (tt.want != "") {
			t.Errorf("%s: signed %q, sent %q: %d %s, kept %q", tt.path, tt.signed, tt.sent, rec.Code, rec.Body, got)
		}
	}
	if got := auth.targets[0]; got != "POST https://files.example.org/v1/json" {
		t.Errorf("the target is %q", got)
	}
}
