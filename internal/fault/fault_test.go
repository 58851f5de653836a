package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"coffer/internal/fault"
)

type down struct{}

func (down) Error() string     { return "dial: refused" }
func (down) Unavailable() bool { return true }

func TestOf(t *testing.T) {
	refused := fault.New(fault.Conflict, "taken", "That name is taken.")
	for _, tc := range []struct {
		name string
		err  error
		kind fault.Kind
		code string
	}{
		{"a refusal is itself", refused, fault.Conflict, "taken"},
		{"a wrapped refusal is found", fmt.Errorf("rename: %w", refused), fault.Conflict, "taken"},
		{"a store that is down", fmt.Errorf("get: %w", down{}), fault.Unavailable, "unavailable"},
		{"anything else stays inside", errors.New("pq: secret table"), fault.Internal, "internal_error"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := fault.Of(tc.err)
			if got.Kind != tc.kind || got.Code != tc.code {
				t.Errorf("Of = kind %d code %q, want kind %d code %q", got.Kind, got.Code, tc.kind, tc.code)
			}
		})
	}
}

func TestUnknownErrorShowsNothingFromInside(t *testing.T) {
	got := fault.Of(errors.New("canary-7f3a"))
	if got.Detail == "" || got.Code != "internal_error" {
		t.Fatalf("got %+v", got)
	}
	if got.Err == nil {
		t.Error("the cause must be kept for the log")
	}
	for _, s := range []string{got.Code, got.Detail} {
		if s == "canary-7f3a" {
			t.Errorf("the cause leaks into %q", s)
		}
	}
}

func TestBecauseCopies(t *testing.T) {
	sentinel := fault.New(fault.Gone, "link_gone", "That link was used.")
	cause := errors.New("row absent")
	got := sentinel.Because(cause)
	if !errors.Is(got, cause) || sentinel.Err != nil {
		t.Errorf("Because must carry the cause in a copy: got %v, sentinel %v", got, sentinel)
	}
}
