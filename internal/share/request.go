package share

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/fault"
	"coffer/internal/file"
	"coffer/internal/rest"
	"coffer/internal/text"
)

// maxFrom is how many characters a sender's name may have.
const maxFrom = 100

// take stores files that a guest hands in.
func (s *Service) take(w http.ResponseWriter, r *http.Request, v visit) (handed []file.Handed, err error) {
	client, _ := rest.ClientIn(r.Context())
	from, named := "", false
	var names []string
	in := file.HandIn{
		Folder: v.Entry,
		Field: func(name, value string) error {
			switch {
			case name != "from":
				return fault.InvalidField("/from", "unknown_field", "The form accepts only from and files.")
			case named:
				return fault.InvalidField("/from", "duplicate", "Send it once.")
			case !utf8.ValidString(value), utf8.RuneCountInString(value) > maxFrom:
				return fault.InvalidField("/from", "too_long", "A sender's name has at most 100 characters of UTF-8.")
			}
			from, named = text.Line(norm.NFC.String(value)), true
			return nil
		},
		Check: func(pointer, name string) error {
			if !v.accepts(name) {
				return fault.InvalidField(pointer, "not_accepted", "The link does not take files with this ending.")
			}
			names = append(names, name)
			return nil
		},
		Hold: func(ctx context.Context, tx *db.Tx, files int) error { return s.holdRequest(ctx, tx, v, files) },
		Done: func(ctx context.Context, tx *db.Tx, files int) error {
			u := use{Action: "upload", Path: strings.Join(names, "\n"), From: from}
			if _, err := s.noteIn(ctx, tx, v, u, client); err != nil {
				return err
			}
			return s.tellReceived(ctx, tx, v)
		},
	}
	if v.MaxFiles != nil {
		in.MaxFiles = *v.MaxFiles - v.Files
	}
	if v.MaxFileBytes != nil {
		in.MaxBytes = *v.MaxFileBytes
	}
	still := func(ctx context.Context) error { return s.still(ctx, v, "", v.Entry) }
	err = s.watch(w, r, still, func(_ http.ResponseWriter, r *http.Request) error {
		handed, err = s.Files.HandIn(r, v.Account, in)
		return err
	})
	return handed, gone(err)
}

// holdRequest counts the files of an upload, or refuses it. Until tx has ended it keeps the
// account and the link from changing.
func (s *Service) holdRequest(ctx context.Context, tx *db.Tx, v visit, files int) error {
	st, err := s.Accounts.Hold(ctx, tx, v.Account)
	if err != nil {
		return gone(err)
	}
	if st.Status != account.Active {
		return errGone
	}
	r, err := countFiles(ctx, tx, v.ID, s.Now().UnixMilli(), files)
	if errors.Is(err, db.ErrNoRows) {
		r, err := readByID(ctx, tx, v.ID)
		if err == nil && r.state(s.Now()) == stateOpen {
			return fault.InvalidField("/files", "too_many", "The link does not take so many files.")
		}
		return gone(errors.Join(err, errGone))
	}
	if err != nil {
		return err
	}
	l, err := open(v.key, r)
	if err != nil {
		return err
	}
	if l.Password != v.Password {
		return errGone
	}
	return nil
}

// tellReceived tells the owner that files came in: the open pages each time, the mailbox once
// an hour.
func (s *Service) tellReceived(ctx context.Context, tx *db.Tx, v visit) error {
	now := s.Now()
	due, err := tellOnce(ctx, tx, v.ID, now.UnixMilli(), now.Add(-tellEvery).UnixMilli())
	if err != nil {
		return err
	}
	if due {
		if err := s.Events.Record(ctx, tx, event.Event{Kind: filesReceived, Account: string(v.Account)}); err != nil {
			return err
		}
	}
	return s.tell(ctx, tx, v.row)
}
