package rest

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/fault"
)

// An undeclared answer is reported, whatever its source.
func TestUndeclaredRefusals(t *testing.T) {
	var noticed []string
	w := newWorld(t, func(c *Config) {
		c.Undeclared = func(operation string, f *fault.Error) { noticed = append(noticed, operation+" "+f.Code) }
	})
	refusal := fault.New(fault.Gone, "thing_lost", "The thing is lost.")
	answer := func(refusal error) func(context.Context, *struct{}) (*struct{}, error) {
		return func(context.Context, *struct{}) (*struct{}, error) { return nil, refusal }
	}
	declares := func(id string, errs ...*fault.Error) Op {
		return Op{Method: "GET", Path: "/" + id, ID: id, Tag: "Things", Errors: errs}
	}
	Register(w.API, declares("good", refusal), answer(refusal.Because(context.Canceled)))
	Register(w.API, declares("silent"), answer(refusal))
	Register(w.API, declares("other-kind", refusal), answer(fault.New(fault.Conflict, "thing_lost", "The thing is lost.")))
	Register(w.API, declares("fields"), answer(fault.InvalidField("/a", "b", "C.")))
	Raw(w.API, declares("raw"), RawDoc{}, func(http.ResponseWriter, *http.Request) error { return refusal })
	page := http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { Refuse(rw, r, refusal) })
	w.Handle("GET /good", page, refusal)
	w.Handle("GET /silent", page)
	for _, path := range []string{
		"/v1/good", "/v1/silent", "/v1/other-kind", "/v1/fields", "/v1/raw", "/good", "/silent",
		// Declared through shape and access, and those of no operation.
		"/v1/fail/unavailable", "/v1/fail/panic", "/v1/fail/unknown", "/v1/things?limit=0", "/v1/nothing", "/nothing",
	} {
		w.do(t, "GET", path, "")
	}
	want := []string{"silent thing_lost", "other-kind thing_lost", "fields validation_failed", "raw thing_lost", "GET /silent thing_lost"}
	if diff := cmp.Diff(want, noticed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !slices.ContainsFunc(w.Codes(), func(c CodeInfo) bool { return c.Code == "thing_lost" && c.Status == 410 }) {
		t.Errorf("the codes are %+v", w.Codes())
	}
}

func TestACodeHasOneStatus(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("two statuses of one code are taken")
		}
	}()
	w := newWorld(t)
	w.declare("x", fault.New(fault.Gone, "not_found", "There is no such thing any more."))
}
