package file

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"coffer/internal/account/accounttest"
	"coffer/internal/db/dbtest"
)

func TestSettings(t *testing.T) {
	sound := Settings{MaxUpload: 1, TrashKeep: time.Hour, MaxVersions: 20, VersionsKeep: time.Hour}
	for _, s := range []Settings{sound, {MaxUpload: 1}, {MaxUpload: 1, MaxVersions: 1000}} {
		if err := s.AfterApply(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
	for name, spoil := range map[string]func(s *Settings){
		"COFFER_MAX_UPLOAD":    func(s *Settings) { s.MaxUpload = 0 },
		"COFFER_TRASH_KEEP":    func(s *Settings) { s.TrashKeep = -1 },
		"COFFER_VERSIONS:":     func(s *Settings) { s.MaxVersions = 1001 },
		"COFFER_VERSIONS: ":    func(s *Settings) { s.MaxVersions = -1 },
		"COFFER_VERSIONS_KEEP": func(s *Settings) { s.VersionsKeep = -1 },
	} {
		s := sound
		spoil(&s)
		if err := s.AfterApply(); err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTold: every page may know how many versions are kept, so that what it asks before a
// replacement is true.
func TestTold(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	for _, kept := range []int{w.MaxVersions, 0} {
		w.MaxVersions = kept
		api, answer := w.below.API(accounttest.Named{}), httptest.NewRecorder()
		w.Routes(api)
		api.Handler().ServeHTTP(answer, httptest.NewRequest("GET", w.http.URL+"/v1/settings", nil))
		if want := fmt.Sprintf(`"versions":%d`, kept); answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), want) {
			t.Errorf("%d %s, want %s", answer.Code, answer.Body, want)
		}
	}
}
