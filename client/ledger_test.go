package client

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// Pages of other lengths than the client guesses are read once and in their order. A server that does not go
// on is an error, and no circle.
func TestLedgerPages(t *testing.T) {
	entry := func(n int) string { return fmt.Sprintf(`{"n":%d}`, n) }
	page := func(cursor string, n ...int) string {
		var items []string
		for _, n := range n {
			items = append(items, entry(n))
		}
		return `{"items":[` + strings.Join(items, ",") + `],"next_cursor":"` + cursor + `"}`
	}
	for name, test := range map[string]struct {
		pages map[string]string // by the query from
		want  string
	}{
		"all":              {map[string]string{"0": page("2", 0, 1), "2": page("", 2)}, "0 1 2"},
		"shorter pages":    {map[string]string{"0": page("2", 0, 1), "2": page("3", 2), "3": page("4", 3), "4": page("", 4)}, "0 1 2 3 4"},
		"longer pages":     {map[string]string{"0": page("1", 0), "1": page("3", 1, 2), "2": page("3", 2), "3": page("", 3)}, "0 1 2 3"},
		"the end":          {map[string]string{"0": page("1", 0), "1": page("", 1), "2": page("9", 8)}, "0 1"},
		"a hole":           {map[string]string{"0": page("4", 0, 3), "4": page("", 4)}, "0 3 4"},
		"no items":         {map[string]string{"0": page("2")}, "error"},
		"no progress":      {map[string]string{"0": page("0", 0)}, "0 error"},
		"over some":        {map[string]string{"0": page("9", 0)}, "0 error"},
		"back":             {map[string]string{"0": page("2", 0, 1), "2": page("1", 0)}, "0 1 0 error"},
		"what is no place": {map[string]string{"0": page("x", 0)}, "0 error"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write([]byte(test.pages[r.URL.Query().Get("from")]))
		}))
		c, err := New(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for e, err := range c.Ledger(t.Context(), 0) {
			if err != nil {
				got = append(got, "error")
				break
			}
			if got = append(got, fmt.Sprint(e.N)); len(got) > 9 {
				t.Errorf("%s: it does not end", name)
				break
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%s: %v, want %s", name, got, test.want)
		}
		s.Close()
	}
}

// A server whose pages are never those that the client guesses, and which answers no guess, holds one open.
func TestLedgerGuesses(t *testing.T) {
	var open, most atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		from, err := strconv.ParseInt(r.URL.Query().Get("from"), 10, 64)
		for at := int64(0); err == nil && at <= from; at = 3*at + 1 {
			if at == from {
				w.Header().Set("Content-Type", "application/json")
				_, _ = fmt.Fprintf(w, `{"items":[{"n":%d}],"next_cursor":"%d"}`, 3*at, 3*at+1)
				return
			}
		}
		if now := open.Add(1); now > most.Load() {
			most.Store(now)
		}
		<-r.Context().Done()
		open.Add(-1)
	}))
	defer s.Close()
	c, err := New(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, err := range c.Ledger(t.Context(), 0) {
		if n++; err != nil || n == 20 {
			if err != nil {
				t.Error(err)
			}
			break
		}
	}
	if got := most.Load(); n != 20 || got > 3 {
		t.Errorf("%d entries, %d guesses at once", n, got)
	}
}
