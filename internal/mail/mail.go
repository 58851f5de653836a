// Package mail renders and sends the handful of messages Coffer sends; outbox, SMTP.
//
// # What a mail may hold
//
// A stranger may type the address that a mail goes to, and choose some of its values. So:
//
//   - A link leads to Coffer's own address, or the server does not send the mail. The link
//     is the only URL on a line of its own. A code stands alone on its line.
//   - The recipient is one bare address without control characters. No header holds
//     another value from a user. A link, code or name with a line break is refused.
//   - A note is the one value of several lines: a text that programs read, such as a signed
//     checkpoint. It stands in the mail as it is.
//   - The caller of a sign-in chooses what describes the device. The server drops control
//     characters from it, so that they cannot keep a notice back.
//   - html/template escapes the HTML. It has no script, remote image or tracker. It says
//     what the text part says: both parts are made of the same words.
//
// The words of a mail lie in the room that causes it: see [Mailer.Declare].
//
// # Retries
//
// A mail is the payload of a job, and a job may run twice. The Message-ID is made of the
// message's content and the hour, so that a reader recognises a mail that came twice (RFC
// 5322 §3.6.4). An error that no other attempt can mend has a method Permanent that answers
// true, as for an unknown kind or a refused recipient. The queue tries again after any other.
//
// An error's Class holds no facts but SMTP's numbers. Its text may hold the address.
package mail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"coffer/internal/text"
)

// Job is the kind under which messages are enqueued, to be done by [Mailer.Handle].
const Job = "mail"

// Message is one mail to be rendered: the payload of a job.
type Message struct {
	Kind string `json:"kind"` // the Name of a declared Kind
	To   string `json:"to"`   // one address without a display name
	Lang string `json:"lang"` // "en", "de-AT" …; one that Coffer does not speak: lang.Default
	// Data holds name, time (RFC 3339), device, place and address where they are known, and
	// link and code where the kind needs them. note is lines that stand in the mail as they are.
	Data map[string]string `json:"data"`
}

// Rendered is a mail that needs only headers to be sent.
type Rendered struct {
	Kind, Lang string // Kind is the value of X-Coffer-Kind
	To         string // one address
	ID         string // Message-ID without angle brackets; the same for each attempt
	Subject    string
	Text, HTML string // lines end with \n
}

// Sender delivers mails. Send returns when the mail is on the disk, or when a mail server
// has accepted it. An error that no other attempt can mend has a method Permanent that
// answers true. Implementations are safe for concurrent use.
type Sender interface {
	Send(ctx context.Context, r Rendered) error
}

// Mailer renders messages and gives them to a sender.
type Mailer struct {
	sender  Sender
	product string
	base    string
	host    string
	now     func() time.Time
	kinds   map[string]declared
}

// New returns a mailer for the installation at baseURL, to which every link must lead.
// product is the name in subjects and texts.
func New(sender Sender, product, baseURL string) *Mailer {
	m := &Mailer{sender: sender, product: product, base: strings.TrimRight(baseURL, "/"), host: "localhost", now: time.Now, kinds: map[string]declared{}}
	if u, err := url.Parse(baseURL); err == nil && u.Hostname() != "" && !strings.Contains(u.Hostname(), ":") {
		m.host = u.Hostname()
	}
	return m
}

// Handle delivers the message that payload holds as JSON. It is the handler of [Job].
func (m *Mailer) Handle(ctx context.Context, payload []byte) error {
	var msg Message
	if err := json.Unmarshal(payload, &msg); err != nil {
		return refuse("payload", err)
	}
	return m.Deliver(ctx, msg)
}

// Deliver renders and sends one message. A message that cannot be rendered is a permanent
// error.
func (m *Mailer) Deliver(ctx context.Context, msg Message) error {
	r, err := m.Render(msg)
	if err != nil {
		return err
	}
	return m.sender.Send(ctx, r)
}

// Render makes the mail without sending it. Its errors are permanent.
func (m *Mailer) Render(msg Message) (Rendered, error) {
	if err := checkAddress(msg.To); err != nil {
		return Rendered{}, refuse("recipient", err)
	}
	kind, ok := m.kinds[msg.Kind]
	if !ok {
		return Rendered{}, refuse("data", fmt.Errorf("unknown kind %q", msg.Kind))
	}
	data, err := m.checkData(kind, msg)
	if err != nil {
		return Rendered{}, refuse("data", err)
	}
	r, err := m.render(kind, msg.Lang, data)
	if err != nil {
		return Rendered{}, refuse("template", err)
	}
	r.To, r.ID = msg.To, m.id(msg)
	return r, nil
}

// id is made of the message and the hour: a mail that is tried again keeps its id, and
// the same notice on another day is another mail.
func (m *Mailer) id(msg Message) string {
	b, err := json.Marshal(struct {
		Message Message
		Hour    int64
	}{msg, m.now().Unix() / 3600})
	if err != nil {
		panic("internal error: strings without JSON: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:16]) + "@" + m.host
}

// checkAddress accepts one bare address (RFC 5321, RFC 6531): nothing in it can end a
// header or an SMTP command.
func checkAddress(to string) error {
	if strings.ContainsFunc(to, func(r rune) bool { return unicode.IsControl(r) || r == ' ' }) || !utf8.ValidString(to) {
		return errors.New("an address holds a control character or a space")
	}
	a, err := mail.ParseAddress("<" + to + ">")
	if err != nil || a.Address != to || strings.ContainsAny(to, "<>") {
		return errors.New("not one bare address")
	}
	return nil
}

// maxValue bounds a value from a user in characters.
const maxValue = 200

// checkData returns the data as templates may use it.
func (m *Mailer) checkData(kind declared, msg Message) (map[string]string, error) {
	data := make(map[string]string, len(msg.Data)+1)
	for key, value := range msg.Data {
		if described[key] {
			value = plain(value)
		} else if lines := strings.ReplaceAll(value, "\n", ""); strings.ContainsFunc(lines, unicode.IsControl) || !utf8.ValidString(value) || lines != value && key != "note" {
			return nil, fmt.Errorf("%s holds a control character", key)
		}
		data[key] = value
	}
	for key, needed := range map[string]bool{"link": kind.link, "code": kind.code} {
		if needed != (data[key] != "") {
			return nil, fmt.Errorf("%s is missing, or the kind has no words for it", key)
		}
	}
	if link := data["link"]; link != "" && !strings.HasPrefix(link, m.base+"/") || strings.ContainsAny(data["link"], " <>\"") {
		return nil, errors.New("the link leads elsewhere")
	}
	if strings.ContainsFunc(data["code"], func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '-' }) {
		return nil, errors.New("that is not a code")
	}
	data["product"] = m.product
	return data, nil
}

// described are the keys whose values the caller of a sign-in chooses.
var described = map[string]bool{"device": true, "address": true, "place": true}

// plain drops characters that do not print, and those beyond maxValue.
func plain(s string) string {
	n := 0
	s = strings.Map(func(r rune) rune {
		if n++; !text.Printable(r) || n > maxValue {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
	return strings.TrimSpace(s)
}

// Error is why a mail was not sent.
type Error struct {
	Stage string // what was being done: "recipient", "template", "connect", "rcpt" …
	Code  int    // SMTP's answer (RFC 5321 §4.2); 0 when there was none
	Final bool   // no other attempt can succeed
	Err   error  // may hold the address
}

// Error returns the text, which may hold the recipient's address.
func (e *Error) Error() string { return "mail: " + e.Stage + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Permanent reports whether trying again is useless.
func (e *Error) Permanent() bool { return e.Final }

// Class returns a few words without personal data.
func (e *Error) Class() string {
	if e.Code != 0 {
		return fmt.Sprintf("mail %s %d", e.Stage, e.Code)
	}
	return "mail " + e.Stage
}

func refuse(stage string, err error) error { return &Error{Stage: stage, Final: true, Err: err} }
