package rest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
)

// GET /settings answers the values of all rooms to everybody, and the document names each.
func TestTell(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Tell("password_min", "Least number.", 12)
	w.Tell("step_up_seconds", "How long.", 600)
	got := w.do(t, "GET", "/v1/settings", "")
	values := map[string]int64{}
	if err := json.Unmarshal([]byte(got.body), &values); err != nil || got.status != http.StatusOK || !maps.Equal(values, map[string]int64{"password_min": 12, "step_up_seconds": 600}) {
		t.Errorf("%d %s, %v", got.status, got.body, err)
	}
	if want := []string{"password_min", "step_up_seconds"}; !slices.Equal(w.told.schema.Required, want) || w.told.schema.Properties["password_min"].Description != "Least number." {
		t.Errorf("the document says %v", w.told.schema)
	}
	type way struct {
		ID string `json:"id"`
	}
	TellValue(w.API, "ways", "Which ways.", []way{{"google"}})
	TellValue(w.API, "open", "Whether.", true)
	got = w.do(t, "GET", "/v1/settings", "")
	var all struct {
		Ways []way `json:"ways"`
		Open bool  `json:"open"`
	}
	if err := json.Unmarshal([]byte(got.body), &all); err != nil || !slices.Equal(all.Ways, []way{{"google"}}) || !all.Open {
		t.Errorf("%s, %v", got.body, err)
	}
	if p := w.told.schema.Properties; p["ways"].Type != "array" || p["open"].Type != "boolean" || p["ways"].Description != "Which ways." {
		t.Errorf("the document says %v", p)
	}
	defer func() {
		if recover() == nil {
			t.Error("a name is told twice")
		}
	}()
	w.Tell("password_min", "", 13)
}
