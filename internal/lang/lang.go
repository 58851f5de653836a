// Package lang is the one list of languages that Coffer speaks, and the choice of one.
package lang

import (
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// Default is the language of a person whose language is not in the list.
const Default = "en"

var all = []string{Default, "de"}

// All returns the languages as primary subtags (RFC 5646 §2.2.1), the default first.
func All() []string { return slices.Clone(all) }

// Of returns the language of a tag's primary subtag, or [Default] when the list lacks it.
func Of(tag string) string {
	primary, _, _ := strings.Cut(strings.ReplaceAll(strings.ToLower(tag), "_", "-"), "-")
	if slices.Contains(all, primary) {
		return primary
	}
	return Default
}

// maxAccept is the longest Accept-Language header that is parsed, in bytes.
const maxAccept = 500

// Accepted returns the best language for an Accept-Language header (RFC 9110 §12.5.4).
func Accepted(header string) string {
	if len(header) > maxAccept {
		return Default
	}
	wanted, _, err := language.ParseAcceptLanguage(header)
	if err != nil || len(wanted) == 0 {
		return Default
	}
	offered := make([]language.Tag, len(all))
	for i, l := range all {
		offered[i] = language.Make(l)
	}
	_, i, _ := language.NewMatcher(offered).Match(wanted...)
	return all[i]
}
