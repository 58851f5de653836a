package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Error is a refusal of the server: a problem document of RFC 9457. If another program
// answered, such as a proxy, Code is empty.
type Error struct {
	Status    int    // of HTTP
	Code      string // stable, machine-readable, snake_case
	Title     string
	Detail    string // one sentence for a person
	Fields    []Field
	RequestID string // names the request in the server's log
	// RetryAfter is how long to wait before the same call may succeed; 0 if unknown.
	RetryAfter time.Duration
}

// Field is one refused value.
type Field struct {
	Pointer string `json:"pointer"` // JSON pointer into the body, or query.NAME, path.NAME, header.NAME
	Code    string `json:"code"`    // stable, machine-readable
	Detail  string `json:"detail"`  // which rule was broken
}

var _ error = (*Error)(nil)

// Error returns the sentence for a person, with each refused field.
func (e *Error) Error() string {
	var b strings.Builder
	switch {
	case e.Detail != "":
		b.WriteString(e.Detail)
	case e.Title != "":
		b.WriteString(e.Title)
	default:
		fmt.Fprintf(&b, "the server answered %d %s", e.Status, http.StatusText(e.Status))
	}
	for _, f := range e.Fields {
		fmt.Fprintf(&b, " [%s: %s]", f.Pointer, f.Detail)
	}
	if e.Code != "" {
		fmt.Fprintf(&b, " (%s)", e.Code)
	}
	return b.String()
}

// Code returns the code of the [*Error] in err, "" without one.
func Code(err error) string {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

// Status returns the HTTP status of the [*Error] in err, 0 without one.
func Status(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Status
	}
	return 0
}

// ReadError makes the error of an unsuccessful response.
func ReadError(res *http.Response) error {
	e := &Error{Status: res.StatusCode, RequestID: res.Header.Get("X-Request-Id"), RetryAfter: retryAfter(res.Header)}
	mediaType, _, err := mime.ParseMediaType(res.Header.Get("Content-Type"))
	if err != nil || mediaType != "application/problem+json" {
		return e
	}
	var p struct {
		Title     string  `json:"title"`
		Detail    string  `json:"detail"`
		Code      string  `json:"code"`
		RequestID string  `json:"request_id"`
		Errors    []Field `json:"errors"`
	}
	raw, err := readAtMost(res.Body, maxProblem)
	if err != nil || json.Unmarshal(raw, &p) != nil {
		return e
	}
	e.Title, e.Detail, e.Code, e.Fields = p.Title, p.Detail, p.Code, p.Errors
	if p.RequestID != "" {
		e.RequestID = p.RequestID
	}
	return e
}

// retryAfter reads seconds or a date (RFC 9110 §10.2.3). A date counts from the server's
// Date header.
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil {
		return time.Duration(max(n, 0)) * time.Second
	}
	at, err := http.ParseTime(v)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return max(at.Sub(now), 0)
}
