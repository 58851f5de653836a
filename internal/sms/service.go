package sms

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"coffer/internal/outbound"
)

const (
	twilioHost = "api.twilio.com"
	minSecret  = 24 // bytes of a webhook's key (Standard Webhooks)
)

// Open returns a sender for the service at rawURL:
//
//	twilio://SID:TOKEN@[HOST]/?from=+15550100   Twilio's API, or another host that speaks it
//	https://HOST/PATH                           a webhook, signed with secret
//
// Parameters of twilio: from is a number or a sender's name, service a messaging service
// instead of it, account the account when SID is an API key. A host that is this machine is
// called by http. Errors do not repeat the URL, which holds a password.
func Open(rawURL, secret string, now func() time.Time) (Sender, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Opaque != "" || u.Fragment != "" {
		return nil, errors.New("not of the form twilio://SID:TOKEN@/?from=NUMBER or https://HOST/PATH")
	}
	switch u.Scheme {
	case "twilio":
		return openTwilio(u, now)
	case "https", "http":
		return openWebhook(u, secret, now)
	}
	return nil, errors.New("neither twilio:// nor https://")
}

// twilio sends by Twilio's API of messages.
type twilio struct {
	client *outbound.Client
	url    string
	auth   string // of the Authorization header
	from   url.Values
	now    func() time.Time
}

var _ Sender = (*twilio)(nil)

func openTwilio(u *url.URL, now func() time.Time) (Sender, error) {
	sid := u.User.Username()
	token, _ := u.User.Password()
	if sid == "" || token == "" || u.Path != "" && u.Path != "/" {
		return nil, errors.New("not of the form twilio://SID:TOKEN@/?from=NUMBER")
	}
	query := u.Query()
	for name := range query {
		if name != "from" && name != "service" && name != "account" {
			return nil, fmt.Errorf("unknown parameter %q", name)
		}
	}
	s := &twilio{now: now, from: url.Values{}, auth: "Basic " + base64.StdEncoding.EncodeToString([]byte(sid+":"+token))}
	from := query.Get("from")
	if digits, ok := strings.CutPrefix(from, " "); ok { // a plus sign that was not escaped
		from = "+" + digits
	}
	switch service := query.Get("service"); {
	case (from == "") == (service == ""):
		return nil, errors.New("twilio:// wants one of the parameters from and service")
	case from != "":
		s.from.Set("From", from)
	default:
		s.from.Set("MessagingServiceSid", service)
	}
	if account := query.Get("account"); account != "" {
		sid = account
	}
	host, scheme, named := u.Host, "https", []string{u.Hostname()}
	if host == "" {
		host, named = twilioHost, nil
	} else if outbound.Here(u.Hostname()) {
		scheme = "http"
	}
	s.client = outbound.New(outbound.Config{Named: named})
	s.url = scheme + "://" + host + "/2010-04-01/Accounts/" + url.PathEscape(sid) + "/Messages.json"
	return s, nil
}

// Send hands the message to Twilio, which drops it when its time is over.
func (s *twilio) Send(ctx context.Context, m Message) error {
	form := url.Values{"To": {m.To}, "Body": {m.Text}}
	for name, value := range s.from {
		form[name] = value
	}
	left := m.Ends.Sub(s.now()) / time.Second
	form.Set("ValidityPeriod", strconv.Itoa(int(min(max(left, 1), 36_000))))
	a, err := s.client.Post(ctx, s.url, http.Header{
		"Authorization": {s.auth}, "Content-Type": {"application/x-www-form-urlencoded"}, "Accept": {"application/json"},
	}, []byte(form.Encode()))
	err = answered("twilio", a, err)
	if e, ok := errors.AsType[*Error](err); ok {
		var said struct {
			Code int `json:"code"`
		}
		if json.Unmarshal(a.Body, &said) == nil {
			e.Code = said.Code
		}
	}
	return err
}

// webhook sends to a URL of the operator, signed as Standard Webhooks 1.0 says.
type webhook struct {
	client *outbound.Client
	url    string
	key    []byte
	now    func() time.Time
}

var _ Sender = (*webhook)(nil)

func openWebhook(u *url.URL, secret string, now func() time.Time) (Sender, error) {
	if u.Hostname() == "" || u.User != nil {
		return nil, errors.New("not of the form https://HOST/PATH; the key of its signature is COFFER_SMS_SECRET")
	}
	if u.Scheme == "http" && !outbound.Here(u.Hostname()) {
		return nil, errors.New("http:// would send codes in the clear to another machine")
	}
	key := []byte(secret)
	if coded, ok := strings.CutPrefix(secret, "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(coded); err != nil {
			return nil, errors.New("COFFER_SMS_SECRET: what follows whsec_ is not base64")
		}
	}
	if len(key) < minSecret {
		return nil, fmt.Errorf("a webhook wants a key in COFFER_SMS_SECRET: whsec_ and at least %d bytes in base64", minSecret)
	}
	return &webhook{client: outbound.New(outbound.Config{Named: []string{u.Hostname()}}), url: u.String(), key: key, now: now}, nil
}

// Send posts the message. Its id is the same for each attempt, so that the receiver can drop
// a repetition.
func (s *webhook) Send(ctx context.Context, m Message) error {
	body, err := json.Marshal(letter{m.To, m.Text, m.Kind})
	if err != nil {
		return &Error{Stage: "webhook", Final: true, Err: err}
	}
	at := strconv.FormatInt(s.now().Unix(), 10)
	mac := hmac.New(sha256.New, s.key)
	fmt.Fprintf(mac, "%s.%s.%s", m.ID, at, body)
	a, err := s.client.Post(ctx, s.url, http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {m.ID}, "Webhook-Timestamp": {at},
		"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))},
	}, body)
	return answered("webhook", a, err)
}
