package mail

import (
	"errors"
	"net/mail"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// compose adds the headers (RFC 5322, RFC 3834) and makes multipart/alternative of the
// two parts (RFC 2046 §5.1.4: the richest last).
func compose(r Rendered, from *mail.Address, now time.Time, enc gomail.Encoding) (*gomail.Msg, error) {
	if from == nil {
		return nil, &Error{Stage: "sender", Err: errors.New("the From address cannot be read")}
	}
	if err := checkAddress(r.To); err != nil {
		return nil, refuse("recipient", err)
	}
	if strings.ContainsAny(r.Subject+r.Kind+r.ID+r.Lang, "\r\n") {
		return nil, refuse("header", errors.New("a header holds a line break"))
	}
	// 8bit is for parts only: as the message's encoding the client would insist on a
	// server that says 8BITMIME.
	m := gomail.NewMsg(gomail.WithEncoding(gomail.EncodingQP), gomail.WithNoDefaultUserAgent())
	m.FromMailAddress(from)
	m.ToMailAddress(&mail.Address{Address: r.To})
	m.Subject(r.Subject)
	m.SetDateWithValue(now)
	m.SetMessageIDWithValue(r.ID)
	m.SetGenHeader("X-Coffer-Kind", r.Kind)
	m.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834 §5: vacation programs keep quiet
	m.SetGenHeader("X-Auto-Response-Suppress", "All")  // the same, to Exchange
	m.SetGenHeader("Content-Language", r.Lang)
	m.SetBodyString(gomail.TypeTextPlain, crlf(r.Text), gomail.WithPartEncoding(enc))
	m.AddAlternativeString(gomail.TypeTextHTML, crlf(r.HTML), gomail.WithPartEncoding(enc))
	return m, nil
}

func crlf(s string) string {
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\n", "\r\n")
}
