package rest

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"coffer/internal/fault"
)

// checkText refuses an address of the API that is no text. PostgreSQL takes neither NUL nor
// invalid UTF-8, so a room that looks such a value up would answer 500. No id, name or token
// has them: such a path leads nowhere.
func checkText(u *url.URL) error {
	if !strings.HasPrefix(u.Path, prefix+"/") {
		return nil
	}
	if !isText(u.Path) {
		return errNotFound
	}
	// The signs between parameters are ASCII, so the query is text if all its parts are.
	if whole, err := url.QueryUnescape(u.RawQuery); err == nil && isText(whole) {
		return nil
	}
	query := u.Query()
	for _, name := range slices.Sorted(maps.Keys(query)) {
		value := strings.Join(query[name], "")
		switch {
		case !isText(name):
			return fault.InvalidField("query", "invalid_characters", "The name of a parameter is not UTF-8, or holds NUL.")
		case !utf8.ValidString(value):
			return fault.InvalidField("query."+cut(name), "invalid_utf8", "A parameter must be UTF-8.")
		case !isText(value):
			return fault.InvalidField("query."+cut(name), "invalid_characters", "A parameter holds no NUL.")
		}
	}
	return nil
}

func isText(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }
