package file

import (
	"strings"
	"testing"
	"time"
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
