package mail

import (
	"errors"
	"slices"
)

// isPermanent reports whether no other attempt to send the mail can succeed.
func isPermanent(err error) bool {
	var p interface{ Permanent() bool }
	return errors.As(err, &p) && p.Permanent()
}

// needsOf returns the kinds of messages there are, in order, each with the keys that its
// data must have. Beside them a template uses name, link, code, time (RFC 3339), device,
// place and address where they are given.
func needsOf() map[string][]string {
	needs := make(map[string][]string, len(kinds))
	for kind, k := range kinds {
		needs[kind] = slices.Clone(k.needs)
	}
	return needs
}
