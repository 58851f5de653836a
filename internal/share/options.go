package share

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"coffer/internal/fault"
	"coffer/internal/text"
)

// Option is a new value of something about a link; the zero value leaves it as it is.
type Option[T any] struct {
	Given bool
	Value *T // nil clears it
}

// Options are what an owner sets of a link.
type Options struct {
	Password     Option[string]
	ExpiresAt    Option[time.Time]
	MaxDownloads Option[int64]
	Note         Option[string]
	MaxFiles     Option[int64]
	MaxFileBytes Option[int64]
	Accept       Option[[]string]
}

// The bounds of what an owner sets.
const (
	minPassword = 4
	maxPassword = 256
	maxNote     = 1000
	maxAccept   = 50
	maxNumber   = 1 << 50
)

// set checks options and puts them into a link.
func (s *Service) set(ctx context.Context, l *link, o Options) error {
	var wrong []fault.Field
	refuse := func(pointer, code, detail string) {
		wrong = append(wrong, fault.Field{Pointer: pointer, Code: code, Detail: detail})
	}
	if o.ExpiresAt.Given && o.ExpiresAt.Value != nil && !o.ExpiresAt.Value.After(s.Now()) {
		refuse("/expires_at", "in_the_past", "A link ends in the future.")
	}
	if at := o.ExpiresAt.Value; at != nil && at.Year() > 9999 {
		refuse("/expires_at", "too_late", "A link ends before the year 10000.")
	}
	for _, n := range []struct {
		pointer string
		value   *int64
		of      Kind
	}{
		{"/max_downloads", o.MaxDownloads.Value, Read}, {"/max_files", o.MaxFiles.Value, Request}, {"/max_file_bytes", o.MaxFileBytes.Value, Request},
	} {
		switch {
		case n.value == nil:
		case n.of != l.Kind:
			refuse(n.pointer, "not_of_kind", "A link of this kind has no such bound.")
		case *n.value < 1 || *n.value > maxNumber:
			refuse(n.pointer, "out_of_range", "The bound must be at least 1.")
		}
	}
	if note := o.Note.Value; note != nil && !goodNote(*note) {
		refuse("/note", "invalid", "A note has at most 1,000 characters, and no control characters but line breaks.")
	}
	if accept := o.Accept.Value; accept != nil && len(*accept) > 0 {
		if l.Kind != Request {
			refuse("/accept", "not_of_kind", "A link of this kind takes no files.")
		}
		if len(*accept) > maxAccept || slices.ContainsFunc(*accept, func(e string) bool { return !goodEnding(e) }) {
			refuse("/accept", "invalid", "An ending is a dot and up to 16 letters or digits; a link has at most 50.")
		}
	}
	if p := o.Password.Value; p != nil {
		if n := utf8.RuneCountInString(*p); n < minPassword || n > maxPassword || !utf8.ValidString(*p) {
			refuse("/password", "length", "A password has 4 to 256 characters.")
		}
	}
	if len(wrong) > 0 {
		return fault.InvalidFields(wrong...)
	}
	changed := link{row: l.row, details: l.details}
	changed.put(o)
	if o.Password.Given {
		changed.Password = ""
		if p := o.Password.Value; p != nil {
			hash, err := s.Accounts.HashSecret(ctx, normal(*p))
			if err != nil {
				return err
			}
			changed.Password = hash
		}
	}
	*l = changed
	return nil
}

// put stores everything but a password, whose hash takes long.
func (l *link) put(o Options) {
	if o.ExpiresAt.Given {
		l.ExpiresAt = nil
		if at := o.ExpiresAt.Value; at != nil {
			ms := at.UnixMilli()
			l.ExpiresAt = &ms
		}
	}
	for to, from := range map[**int64]Option[int64]{&l.MaxDownloads: o.MaxDownloads, &l.MaxFiles: o.MaxFiles, &l.MaxFileBytes: o.MaxFileBytes} {
		if from.Given {
			*to = from.Value
		}
	}
	if o.Note.Given {
		l.Note = ""
		if o.Note.Value != nil {
			l.Note = norm.NFC.String(*o.Note.Value)
		}
	}
	if o.Accept.Given {
		l.Accept = nil
		if o.Accept.Value != nil {
			for _, e := range *o.Accept.Value {
				l.Accept = append(l.Accept, strings.ToLower(e))
			}
		}
	}
}

// take puts the options of a link that was checked before into one that may have changed since.
func (l *link) take(checked link, o Options) {
	l.put(o)
	if o.Password.Given {
		l.Password = checked.Password
	}
}

// normal is the form of a password that is hashed: keyboards differ in how they compose.
func normal(password string) string { return norm.NFKC.String(password) }

func goodNote(note string) bool {
	if !utf8.ValidString(note) || utf8.RuneCountInString(note) > maxNote {
		return false
	}
	return !strings.ContainsFunc(note, func(r rune) bool { return r != '\n' && text.Control(r) || text.Reorders(r) })
}

func goodEnding(e string) bool {
	name, ok := strings.CutPrefix(e, ".")
	return ok && len(name) >= 1 && len(name) <= 16 && strings.Trim(strings.ToLower(name), "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// accepts reports whether a name has one of the link's endings.
func (l *link) accepts(name string) bool {
	if len(l.Accept) == 0 {
		return true
	}
	low := strings.ToLower(name)
	return slices.ContainsFunc(l.Accept, func(e string) bool { return strings.HasSuffix(low, e) })
}
