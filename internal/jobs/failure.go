package jobs

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"coffer/internal/fault"
)

// Permanent marks an error after which no attempt can succeed: the job goes to the dead
// list at once. An error in another package does the same with a method Permanent() bool
// that returns true. Permanent(nil) is nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

type permanent struct{ err error }

func (p permanent) Error() string   { return p.err.Error() }
func (p permanent) Unwrap() error   { return p.err }
func (p permanent) Permanent() bool { return true }

func isPermanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}

// panicked is the value of a handler's panic.
type panicked struct{ value any }

func (p panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func (p panicked) Class() string { return "panic" }

// classified gives an error a class.
type classified struct {
	class string
	err   error
}

func (c classified) Error() string { return c.class + ": " + c.err.Error() }
func (c classified) Unwrap() error { return c.err }
func (c classified) Class() string { return c.class }

const (
	maxClass = 60
	maxError = 1000
)

// classOf returns a few words about an error that may be stored in clear. They come from a
// method Class() string in its chain, or from the error's kind.
func classOf(err error) string {
	var c interface{ Class() string }
	var refused *fault.Error
	switch {
	case errors.As(err, &c):
		return cut(c.Class(), maxClass)
	case errors.As(err, &refused):
		return cut(refused.Code, maxClass)
	case errors.Is(err, errLost):
		return "lease lost"
	case fault.IsUnavailable(err):
		return "unavailable"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case isPermanent(err):
		return "permanent"
	}
	return "error"
}

// failure returns the stored form of err: its class, and its sealed text.
func (q *Queue) failure(ctx context.Context, j job, err error) failure {
	f := failure{Class: classOf(err)}
	if sealed, sealErr := q.seal(ctx, "error", j.ID, j.Kind, []byte(cut(err.Error(), maxError))); sealErr == nil {
		f.Error = sealed
	} // without its text an error still counts
	return f
}

// cut shortens s to n bytes of UTF-8.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
