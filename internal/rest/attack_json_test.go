package rest

import (
	"fmt"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
)

// Parsing a mebibyte of small values would take hundreds of times its size, because every
// refused value is recorded. Any client may send it to a public operation. Twenty such
// requests at once took 11 GiB. The server refuses such a body unparsed.
func TestAttackBodiesOfManyValues(t *testing.T) {
	w := newWorld(t)
	const size = 1<<20 - 2000
	fill := func(before, each, after string) string {
		return before + strings.Repeat(each+",", (size-len(before)-len(after))/(len(each)+1)) + each + after
	}
	var members strings.Builder
	for i := 0; members.Len() < size-20; i++ {
		fmt.Fprintf(&members, `"%x":0,`, i)
	}
	for name, body := range map[string]string{
		"objects where a string is wanted": fill(`{"name":[`, "{}", "]}"),
		"arrays where anything goes":       fill(`{"name":"ab","any":[`, "[]", "]}"),
		"numbers where anything goes":      fill(`{"name":"ab","any":[`, "0", "]}"),
		"numbers where strings are wanted": fill(`{"name":"ab","tags":[`, "0", "]}"),
		"wrong objects":                    fill(`{"name":"ab","inner":{"deep":[`, `{"x":0}`, "]}}"),
		"unknown names":                    "{" + members.String() + `"name":"ab"}`,
		"deep":                             `{"name":"ab","any":` + strings.Repeat("[", 65) + strings.Repeat("]", 65) + `}`,
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("POST", base+"/v1/things", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			rec := httptest.NewRecorder()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			w.Handler().ServeHTTP(rec, r)
			runtime.ReadMemStats(&after)
			if rec.Code != 400 || !strings.Contains(rec.Body.String(), `"too_complex"`) {
				t.Errorf("got %d %.300s", rec.Code, rec.Body)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 6<<20 {
				t.Errorf("%d KiB were used for a body of %d", used>>10, len(body)>>10)
			}
		})
	}
	if n := w.calls.Load(); n != 0 {
		t.Errorf("the handler ran %d times", n)
	}
	// A body that is large for another reason is read.
	if got := w.post(t, fill(`{"name":"ab","any":[`, `"`+strings.Repeat("a", 1000)+`"`, "]}")); got.status != 201 {
		t.Errorf("long values: got %d %.300s", got.status, got.body)
	}
}
