package rest

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"net/http"
	"net/url"
	"strings"

	"coffer/internal/fault"
)

// ErrProof refuses a request of a session that accepts only signed ones. The access token or
// refresh token itself is good.
var ErrProof = fault.New(fault.Unauthenticated, "invalid_proof",
	"This session accepts only requests that its client signs: Signature-Input and Signature are missing, wrong, too old or used.")

// Sent is a request as its client sent it: what a signature covers (RFC 9421).
type Sent struct {
	Authorization string // "" unless there is exactly one such header field

	x    *exchange
	r    *http.Request
	json bool              // a JSON body comes, or came
	read bool              // that body was read
	body []byte            // then it is this, while the operation runs
	want [sha256.Size]byte // digest that the body must have
	must bool              // want is set
}

// Method returns the request's method.
func (q *Sent) Method() string { return q.r.Method }

// Target returns the address that the client called, under the public origin. Behind a
// proxy, or at another name of this host, that is not the address in the request.
func (q *Sent) Target() string {
	target := q.r.RequestURI
	if !strings.HasPrefix(target, "/") {
		target = q.r.URL.RequestURI() // the absolute form (RFC 9112 §3.2.2)
	}
	return q.x.api.guard.origin + target
}

// Fields returns the lines of a header field. name is in canonical form.
func (q *Sent) Fields(name string) []string {
	if q.r == nil {
		return nil
	}
	return q.r.Header[name]
}

// JSON reports whether the request has a JSON body.
func (q *Sent) JSON() bool { return q.json }

// MustBe refuses the request with [ErrProof] unless its body has this SHA-256. If the body
// is still to be read, the refusal comes then: before an operation sees its JSON, and in
// place of a stream's last bytes (see [Complete]).
func (q *Sent) MustBe(sum [sha256.Size]byte) error {
	q.want, q.must = sum, true
	if q.read || q.x.body == nil {
		return q.check()
	}
	if !q.json {
		if q.r.ContentLength < 0 {
			return ErrProof // no last byte is known
		}
		q.x.body.proof = &streamProof{want: sum, left: q.r.ContentLength, hash: sha256.New()}
	}
	return nil
}

// check compares a body that was read.
func (q *Sent) check() error {
	if q.must && sha256.Sum256(q.body) != q.want {
		return ErrProof
	}
	return nil
}

// streamProof checks a body that streams.
type streamProof struct {
	want [sha256.Size]byte
	left int64
	hash hash.Hash
	bad  bool
}

// take notes bytes that arrived. It refuses the last ones of a body with another digest.
func (p *streamProof) take(b []byte) error {
	if !p.bad {
		p.hash.Write(b)
		p.left -= int64(len(b))
		p.bad = p.left <= 0 && !bytes.Equal(p.hash.Sum(nil), p.want[:])
	}
	if p.bad {
		return ErrProof
	}
	return nil
}

// Complete reads the rest of a stream whose digest the client signed, and returns [ErrProof]
// if the whole has another. An operation that stops at an end of its own calls it before it
// keeps what it read.
func Complete(r *http.Request) error {
	x := exchangeOf(r)
	if x == nil || x.body == nil || x.body.proof == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, x.body)
	return err
}

// originOf is the origin of u as browsers write it: in lower case, without a default port.
func originOf(u *url.URL) string {
	host := strings.ToLower(u.Host)
	if port := map[string]string{"http": ":80", "https": ":443"}[u.Scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host
}
