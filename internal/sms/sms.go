// Package sms writes and sends the few text messages that Coffer sends; outbox, Twilio, webhook.
//
// # What a message may hold
//
// A message holds one code and fixed words, and nothing that a stranger chose. It has no
// link. Its last line binds the code to the site (WebOTP), so that a browser offers the code
// only there. It fits into one segment of the GSM alphabet. See text.go.
//
// # Delivery
//
// A message is the payload of a job, and a job may run twice. So a person may get one message
// twice; a webhook can tell by the id. A message is of no use after its code has expired: it
// is not sent then, and an error says so. Only an answer about this very message (400, 422)
// makes an error permanent. The queue tries again after any other, because the operator can
// mend a refused password, a wrong path or an empty account.
//
// An error's Class holds no facts but the service's numbers. Its text may hold the number.
package sms

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"coffer/internal/outbound"
)

// Job is the kind under which messages are enqueued, to be done by [Messenger.Handle].
const Job = "sms"

// Message is one text message: the payload of a job.
type Message struct {
	ID   string    `json:"id"` // the same for each attempt
	To   string    `json:"to"` // E.164
	Text string    `json:"text"`
	Kind string    `json:"kind"`
	Ends time.Time `json:"ends"` // it is not sent after this time
}

// Sender delivers messages. Send returns when the message is on the disk, or when a service
// has accepted it. An error that no other attempt can mend has a method Permanent that
// answers true. Implementations are safe for concurrent use.
type Sender interface {
	Send(ctx context.Context, m Message) error
}

// Messenger gives messages to a sender.
type Messenger struct {
	sender Sender
	now    func() time.Time
}

// New returns a messenger.
func New(sender Sender, now func() time.Time) *Messenger { return &Messenger{sender, now} }

// Handle delivers the message that payload holds as JSON. It is the handler of [Job].
func (m *Messenger) Handle(ctx context.Context, payload []byte) error {
	var msg Message
	if err := json.Unmarshal(payload, &msg); err != nil {
		return &Error{Stage: "payload", Final: true, Err: err}
	}
	switch {
	case !Number(msg.To):
		return &Error{Stage: "recipient", Final: true, Err: errors.New("not a number in E.164")}
	case msg.Text == "" || msg.Kind == "" || msg.ID == "":
		return &Error{Stage: "payload", Final: true, Err: errors.New("a part is missing")}
	case !m.now().Before(msg.Ends):
		return &Error{Stage: "expired", Final: true, Err: errors.New("its time is over")}
	}
	return m.sender.Send(ctx, msg)
}

// Number reports whether s is a telephone number in E.164 (ITU-T E.164 §6): a plus sign and 7
// to 15 digits, of which the first is not 0.
func Number(s string) bool {
	digits, plus := strings.CutPrefix(s, "+")
	return plus && len(digits) >= 7 && len(digits) <= 15 && digits[0] != '0' && strings.Trim(digits, "0123456789") == ""
}

// Error is why a message was not sent.
type Error struct {
	Stage  string // "recipient", "outbox", "twilio", "webhook" …
	Status int    // of the HTTP answer; 0 when there was none
	Code   int    // Twilio's own number; 0 when there was none
	Final  bool   // no other attempt can succeed
	Err    error  // may hold the number
}

// Error returns the text, which may hold the recipient's number.
func (e *Error) Error() string { return "sms: " + e.Stage + ": " + e.Err.Error() }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Permanent reports whether trying again is useless.
func (e *Error) Permanent() bool { return e.Final }

// Class returns a few words without personal data.
func (e *Error) Class() string {
	class := "sms " + e.Stage
	for _, n := range []int{e.Status, e.Code} {
		if n != 0 {
			class += fmt.Sprintf(" %d", n)
		}
	}
	return class
}

// answered turns a service's answer into an error, or nil when it accepted the message.
func answered(stage string, a outbound.Answer, err error) error {
	if err != nil {
		return &Error{Stage: stage, Err: err}
	}
	if a.Status >= 200 && a.Status < 300 {
		return nil
	}
	final := a.Status == http.StatusBadRequest || a.Status == http.StatusUnprocessableEntity
	return &Error{Stage: stage, Status: a.Status, Final: final, Err: fmt.Errorf("the service answers %d: %.300s", a.Status, a.Body)}
}
