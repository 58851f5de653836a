package share

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"

	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/rest"
)

// The server counts each request for a whole content or an archive as a download. It counts a
// request for a range too, unless the guest sends the ticket of a counted request for the same
// content: that download goes on. A ticket is good for a day, and for four times the bytes of
// the content. The server reserves the bytes of a request before it sends the first, and gives
// back those that it did not send. So ranges at once cannot send more together than one after the other.
// A refusal before the first byte takes the count back, with the bytes that it paid for. If
// ranges have used those meanwhile, the count stays.
// A link has its newest tickets: a guest who asks for a byte again and again does not fill the
// database. So a download goes on uncounted until as many others have begun after it.

// perTicket is how many times its bytes a counted download may send.
const perTicket = 4

// sending is an answer whose bytes are counted.
type sending struct {
	http.ResponseWriter
	began bool
	sent  int64
}

// Unwrap lets http.ResponseController reach the connection.
func (s *sending) Unwrap() http.ResponseWriter { return s.ResponseWriter }

func (s *sending) WriteHeader(status int) {
	s.began = true
	s.ResponseWriter.WriteHeader(status)
}

func (s *sending) Write(p []byte) (int, error) {
	s.began = true
	n, err := s.ResponseWriter.Write(p)
	s.sent += int64(n)
	return n, err
}

// download is a counted one, or one that goes on.
type download struct {
	ticketRow
	counted  bool
	value    string // of the ticket, for the client
	use      string // id of its line in the log
	reserved int64
	granted  int64 // bytes that the ticket was good for when it was counted
}

// ticketOf returns the ticket of a request; "" without one.
func ticketOf(r *http.Request) string {
	value := r.Header.Get(ticketHeader)
	if value == "" {
		for _, c := range r.CookiesNamed(ticketCookie) {
			value = c.Value
		}
	}
	if !isToken(value) {
		return ""
	}
	return value
}

func ticketDigest(value string) []byte {
	sum := sha256.Sum256([]byte("coffer/download/v1:" + value))
	return sum[:]
}

// begin counts a download of a content, or lets one go on.
func (s *Service) begin(ctx context.Context, v visit, r *http.Request, o *content.Object, entry string, about content.Description, u use) (d download, err error) {
	answer, bytes := o.Asked(r, about)
	now := s.Now()
	what := v.ID + "\n" + entry + "\n" + base64.RawStdEncoding.EncodeToString(about.Sum[:])
	d = download{reserved: bytes, ticketRow: ticketRow{
		Content: v.key.Index("share.download", what), Share: v.ID, Account: v.Account, ExpiresAt: now.Add(ticketTTL).UnixMilli(),
	}}
	known := false
	if d.value = ticketOf(r); d.value != "" {
		d.Ticket = ticketDigest(d.value)
		if answer == content.Part {
			goesOn, err := reserve(ctx, s.DB, d.ticketRow, now.UnixMilli(), bytes)
			if err != nil || goesOn {
				return d, err
			}
		}
		if known, err = hasTicket(ctx, s.DB, d.Ticket, v.ID, now.UnixMilli()); err != nil {
			return d, err
		}
	}
	if !known { // the server makes tickets, not the client
		d.value = newToken()
		d.Ticket = ticketDigest(d.value)
	}
	d.counted, d.granted = true, perTicket*o.Size()
	d.Remaining = d.granted - bytes
	return d, s.count(ctx, v, &d, u, r)
}

// count counts a download, with its ticket, if it has one, and its line in the log.
func (s *Service) count(ctx context.Context, v visit, d *download, u use, r *http.Request) error {
	client, _ := rest.ClientIn(r.Context())
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		passes, err := countDownload(ctx, tx, v.ID, s.Now().UnixMilli())
		if err != nil {
			return err
		}
		if !passes {
			return errGone
		}
		if d.Ticket != nil {
			if err := addTicket(ctx, tx, d.ticketRow); err != nil {
				return err
			}
			if err := dropTickets(ctx, tx, v.ID, keepTickets); err != nil {
				return err
			}
		}
		if d.use, err = s.noteIn(ctx, tx, v, u, client); err != nil {
			return err
		}
		return s.tell(ctx, tx, v.row)
	})
}

// errSpent says that ranges were sent of what a download paid for.
var errSpent = errors.New("share: the ticket's bytes are spent")

// end gives back what was not sent. A download of which nothing began was none, unless ranges
// under its ticket were sent meanwhile.
func (s *Service) end(ctx context.Context, v visit, d download, sent *sending) {
	ctx = context.WithoutCancel(ctx) // the client may be gone
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		switch {
		case d.counted && !sent.began:
			if err := uncountDownload(ctx, tx, v.ID); err != nil {
				return err
			}
			if err := deleteUse(ctx, tx, d.use); err != nil {
				return err
			}
			if d.Ticket != nil {
				if unspent, err := withdraw(ctx, tx, d.ticketRow); err != nil || !unspent {
					return cmp.Or(err, errSpent)
				}
			}
			return s.tell(ctx, tx, v.row)
		case d.Ticket != nil && sent.sent < d.reserved:
			return giveBack(ctx, tx, d.ticketRow, d.reserved-sent.sent)
		}
		return nil
	})
	if err != nil && !errors.Is(err, errSpent) {
		s.Log.WarnContext(ctx, "share: what a download did not send stays counted", "share", v.ID, "error", err)
	}
}

// sendContent answers a guest who asks for the content that a path leads to.
func (s *Service) sendContent(w http.ResponseWriter, r *http.Request, v visit, path string) error {
	inline, err := content.WantsInline(r)
	if err != nil && v.used {
		return errGone.Because(err)
	} else if err != nil {
		return err
	}
	ctx := r.Context()
	e, o, about, err := s.Files.ContentAt(ctx, v.Account, v.Entry, path)
	if err != nil {
		return gone(err)
	}
	about.Inline = inline
	if answer, _ := o.Asked(r, about); answer == content.None {
		if v.used {
			return errGone
		}
		return o.Serve(w, r, about)
	}
	d, err := s.begin(ctx, v, r, o, e.ID, about, use{Action: "download", Path: path})
	if err != nil {
		return err
	}
	sent := &sending{ResponseWriter: w}
	h := w.Header()
	if d.counted {
		c := cookie(v.details.Token, ticketCookie, d.value, ticketTTL)
		h.Add("Set-Cookie", c.String())
		h.Set(ticketHeader, d.value)
	}
	err = s.watch(sent, r, func(ctx context.Context) error { return s.still(ctx, v, path, e.ID) }, func(w http.ResponseWriter, r *http.Request) error { return o.Serve(w, r, about) })
	if err != nil && !sent.began {
		h.Del("Set-Cookie")
		h.Del(ticketHeader)
	}
	s.end(ctx, v, d, sent)
	return err
}

// sendArchive answers a guest who asks for the folder that a path leads to.
func (s *Service) sendArchive(w http.ResponseWriter, r *http.Request, v visit, path string) error {
	ctx := r.Context()
	if v.used {
		return errGone
	}
	e, name, send, err := s.Files.ArchiveAt(ctx, v.Account, v.Entry, path)
	if err != nil {
		return gone(err)
	}
	headers := func(h http.Header) {
		h.Set("Content-Type", "application/zip")
		h.Set("Content-Disposition", content.Attachment(name))
	}
	if r.Method == http.MethodHead {
		headers(w.Header())
		w.WriteHeader(http.StatusOK)
		return nil
	}
	var d download
	d.counted = true
	if err := s.count(ctx, v, &d, use{Action: "archive", Path: path}, r); err != nil {
		return err
	}
	still := func(ctx context.Context) error { return s.still(ctx, v, path, e.ID) }
	sent := &sending{ResponseWriter: w}
	err = s.watch(sent, r, still, func(w http.ResponseWriter, r *http.Request) error {
		return send(r.Context(), io.Writer(&rest.Late{ResponseWriter: w, Headers: headers}), still)
	})
	s.end(ctx, v, d, sent)
	return err
}
