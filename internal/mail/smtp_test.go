package mail

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"coffer/internal/mail/mailtest"
)

// sink is an SMTP server that keeps mails and answers as a test wants.
type sink struct {
	addr string
	ca   string // PEM file of its certificate

	mu       sync.Mutex
	mails    [][]byte
	to       []string
	users    []string
	onRcpt   error
	onData   error
	onMail   error
	loginErr error
	secure   []bool // each mail: over TLS?
	hang     chan struct{}
	gone     chan struct{} // one for each session that ended
}

// sinkMode is how a sink may be spoken to.
type sinkMode uint8

const (
	sinkPlain sinkMode = iota
	sinkSTARTTLS
	sinkTLS
)

func newSink(t *testing.T, mode sinkMode, auth bool) *sink {
	t.Helper()
	s := &sink{gone: make(chan struct{}, 100)}
	cert, file := certificate(t)
	s.ca = file
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) {
		base := &session{sink: s, conn: c}
		if auth {
			return &authSession{base}, nil
		}
		return base, nil
	}))
	server.Domain = "sink.test"
	server.AllowInsecureAuth = mode == sinkPlain
	server.EnableSMTPUTF8 = true
	server.ErrorLog = quietLog{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = l.Addr().String()
	config := &tls.Config{Certificates: []tls.Certificate{cert}}
	switch mode {
	case sinkSTARTTLS:
		server.TLSConfig = config
	case sinkTLS:
		l = tls.NewListener(l, config)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	return s
}

type quietLog struct{}

func (quietLog) Printf(string, ...any) {}
func (quietLog) Println(...any)        {}

// certificate returns a certificate of 127.0.0.1 and the PEM file that trusts it.
func certificate(t *testing.T) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sink"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

type session struct {
	sink *sink
	conn *smtp.Conn
	to   string
}

func (s *session) Reset() {}
func (s *session) Logout() error {
	s.sink.gone <- struct{}{}
	return nil
}
func (s *session) Mail(string, *smtp.MailOptions) error {
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	return s.sink.onMail
}
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	return s.sink.onRcpt
}
func (s *session) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.sink.mu.Lock()
	hang := s.sink.hang
	s.sink.mu.Unlock()
	if hang != nil {
		<-hang
	}
	s.sink.mu.Lock()
	defer s.sink.mu.Unlock()
	if s.sink.onData != nil {
		return s.sink.onData
	}
	_, secure := s.conn.TLSConnectionState()
	s.sink.mails, s.sink.to, s.sink.secure = append(s.sink.mails, b), append(s.sink.to, s.to), append(s.sink.secure, secure)
	return nil
}

type authSession struct{ *session }

func (authSession) AuthMechanisms() []string { return []string{sasl.Plain} }
func (a *authSession) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		a.sink.mu.Lock()
		defer a.sink.mu.Unlock()
		if a.sink.loginErr != nil {
			return a.sink.loginErr
		}
		if user != "ada" || password != "p@ss:word/" {
			return smtp.ErrAuthFailed
		}
		a.sink.users = append(a.sink.users, user)
		return nil
	}), nil
}

const login = "ada:p%40ss%3Aword%2F@"

func message() Message {
	return Message{Kind: "verify-email", To: "Ada.L@example.org", Lang: "de", Data: full()}
}

// sendTo delivers one mail to url.
func sendTo(t *testing.T, url string) error {
	t.Helper()
	s, err := NewSMTP(url, "Coffer <coffer@coffer.test>")
	if err != nil {
		t.Fatal(err)
	}
	return newMailer(s).Deliver(t.Context(), message())
}

func TestSMTP(t *testing.T) {
	for _, test := range []struct {
		name   string
		mode   sinkMode
		auth   bool
		url    func(s *sink) string
		secure bool
	}{
		{"plain on loopback", sinkPlain, false, func(s *sink) string { return "smtp://" + s.addr }, false},
		{"plain on loopback with a login", sinkPlain, true, func(s *sink) string { return "smtp://" + login + s.addr }, false},
		{"plain on loopback beside STARTTLS", sinkSTARTTLS, false, func(s *sink) string { return "smtp://" + s.addr + "?tls=none" }, false},
		{"STARTTLS", sinkSTARTTLS, false, func(s *sink) string { return "smtp://" + s.addr + "?tls=starttls&ca=" + s.ca }, true},
		{"STARTTLS with a login", sinkSTARTTLS, true, func(s *sink) string { return "smtp://" + login + s.addr + "?tls=starttls&ca=" + s.ca }, true},
		{"TLS", sinkTLS, false, func(s *sink) string { return "smtps://" + s.addr + "/?ca=" + s.ca }, true},
		{"TLS with a login", sinkTLS, true, func(s *sink) string { return "smtps://" + login + s.addr + "?ca=" + s.ca }, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSink(t, test.mode, test.auth)
			for range 2 { // a sender can be used again
				if err := sendTo(t, test.url(s)); err != nil {
					t.Fatal(err)
				}
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.mails) != 2 || !slices.Equal(s.to, []string{"Ada.L@example.org", "Ada.L@example.org"}) ||
				!slices.Equal(s.secure, []bool{test.secure, test.secure}) || test.auth != (len(s.users) == 2) {
				t.Fatalf("%d mails to %v, over TLS %v, logins %v", len(s.mails), s.to, s.secure, s.users)
			}
			p := parse(t, s.mails[0])
			mailtest.Lines(t, "the text", p.text, full())
			if !strings.Contains(p.subject(t), "Bestätigen Sie") || !strings.Contains(p.html, full()["link"]) {
				t.Errorf("subject %q, HTML\n%s", p.subject(t), p.html)
			}
			for _, b := range s.mails[0] {
				if b > 127 {
					t.Fatal("a byte over 127: not every server takes them (RFC 6152)")
				}
			}
			if again := parse(t, s.mails[1]); again.header.Get("Message-Id") != p.header.Get("Message-Id") {
				t.Error("the second attempt has another Message-ID")
			}
		})
	}
}

// What the server says decides whether it makes sense to try again.
func TestSMTPAnswers(t *testing.T) {
	answer := func(code int) error {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no Ada.L@example.org"}
	}
	for _, test := range []struct {
		name      string
		set       func(s *sink)
		permanent bool
		class     string
	}{
		{"550 to RCPT", func(s *sink) { s.onRcpt = answer(550) }, true, "mail rcpt 550"},
		{"451 to RCPT", func(s *sink) { s.onRcpt = answer(451) }, false, "mail rcpt 451"},
		{"552 to RCPT", func(s *sink) { s.onRcpt = answer(552) }, false, "mail rcpt 552"},
		{"554 to DATA", func(s *sink) { s.onData = answer(554) }, true, "mail data 554"},
		{"552 to DATA", func(s *sink) { s.onData = answer(552) }, true, "mail data 552"},
		{"452 to DATA", func(s *sink) { s.onData = answer(452) }, false, "mail data 452"},
		{"553 to MAIL", func(s *sink) { s.onMail = answer(553) }, true, "mail mail 553"},
		{"530 to MAIL", func(s *sink) { s.onMail = answer(530) }, false, "mail mail 530"},
		{"421 to MAIL", func(s *sink) { s.onMail = answer(421) }, false, "mail mail 421"},
		{"535 to AUTH", func(s *sink) { s.loginErr = answer(535) }, false, "mail greeting 535"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSink(t, sinkSTARTTLS, true)
			test.set(s)
			err := sendTo(t, "smtp://"+login+s.addr+"?tls=starttls&ca="+s.ca)
			var e *Error
			if !errors.As(err, &e) || e.Permanent() != test.permanent || isPermanent(err) != test.permanent || e.Class() != test.class {
				t.Errorf("%v (%T); want permanent %t and class %q", err, err, test.permanent, test.class)
			}
			if len(s.mails) != 0 {
				t.Error("the mail was taken")
			}
		})
	}
}

// Trouble on the way is temporary, and no mail goes out unprotected because of it.
func TestSMTPTroubles(t *testing.T) {
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	rude, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer rude.Close()
	go func() {
		for {
			c, err := rude.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	plain, start, implicit := newSink(t, sinkPlain, false), newSink(t, sinkSTARTTLS, true), newSink(t, sinkTLS, false)
	for name, url := range map[string]string{
		"server down":                   "smtp://" + dead.Addr().String(),
		"server hangs up":               "smtp://" + rude.Addr().String(),
		"no STARTTLS where it is asked": "smtp://" + plain.addr + "?tls=starttls&ca=" + plain.ca,
		"unknown certificate, STARTTLS": "smtp://" + login + start.addr + "?tls=starttls",
		"another CA, STARTTLS":          "smtp://" + login + start.addr + "?tls=starttls&ca=" + plain.ca,
		"unknown certificate, TLS":      "smtps://" + implicit.addr,
		"no TLS where it is asked":      "smtps://" + plain.addr,
		"wrong password":                "smtp://ada:wrong@" + start.addr + "?tls=starttls&ca=" + start.ca,
		"no login where it is asked":    "smtp://" + login + plain.addr,
	} {
		err := sendTo(t, url)
		if err == nil || isPermanent(err) {
			t.Errorf("%s: %v, want a temporary error", name, err)
		}
		if strings.Contains(err.Error(), "p@ss") || strings.Contains(err.Error(), "p%40ss") {
			t.Errorf("%s: the password stands in %v", name, err)
		}
	}
	for _, s := range []*sink{plain, start, implicit} {
		if len(s.mails) != 0 {
			t.Error("a mail got through")
		}
	}
}

// A delivery that fails leaves no connection behind.
func TestSMTPClosesWhatFails(t *testing.T) {
	start, plain := newSink(t, sinkSTARTTLS, true), newSink(t, sinkPlain, false)
	for url, s := range map[string]*sink{
		"smtp://ada:wrong@" + start.addr + "?tls=starttls&ca=" + start.ca: start,
		"smtp://" + start.addr + "?tls=starttls":                          start,
		"smtp://" + plain.addr + "?tls=starttls":                          plain, // go-mail itself would leave it open
		"smtp://" + login + plain.addr:                                    plain,
	} {
		if err := sendTo(t, url); err == nil {
			t.Fatalf("%s: the mail was sent", url)
		}
		select {
		case <-s.gone:
		case <-time.After(20 * time.Second):
			t.Errorf("%s: the connection stays open", url)
		}
	}
}

// A server that stops answering holds nobody for longer than the context, and nothing
// stays open.
func TestSMTPHangs(t *testing.T) {
	s := newSink(t, sinkPlain, false)
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction("github.com/emersion/go-smtp.(*Server).handleConn"))
	s.hang = make(chan struct{})
	sender, err := NewSMTP("smtp://"+s.addr, "coffer@coffer.test")
	if err != nil {
		t.Fatal(err)
	}
	sender.(*smtpSender).most, sender.(*smtpSender).step = 200*time.Millisecond, time.Hour
	if err := newMailer(sender).Deliver(t.Context(), message()); err == nil || isPermanent(err) {
		t.Errorf("%v, want a temporary error", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newMailer(sender).Deliver(ctx, message()); err == nil || isPermanent(err) {
		t.Errorf("with a context that is over: %v, want a temporary error", err)
	}
	close(s.hang)
}

// Once the server has said yes the mail is sent, however the connection ends: trying
// again would send it twice.
func TestSMTPServerVanishesAfterYes(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		buf := make([]byte, 64<<10)
		for _, say := range []string{"220 sink\r\n", "250 sink\r\n", "250 ok\r\n", "250 ok\r\n"} {
			if _, err := io.WriteString(c, say); err != nil {
				return
			}
			if _, err := c.Read(buf); err != nil {
				return
			}
		}
		if _, err := io.WriteString(c, "354 go on\r\n"); err != nil {
			return
		}
		for mail := ""; !strings.Contains(mail, "\r\n.\r\n"); {
			n, err := c.Read(buf)
			if err != nil {
				return
			}
			mail += string(buf[:n])
		}
		_, _ = io.WriteString(c, "250 taken\r\n")
	}()
	if err := sendTo(t, "smtp://"+l.Addr().String()); err != nil {
		t.Errorf("%v, though the server had taken the mail", err)
	}
}

func TestSMTPURLs(t *testing.T) {
	const from = "Coffer <coffer@coffer.test>"
	for url, want := range map[string]struct {
		mode security
		port int
	}{
		"smtp://mail.example.org":               {startTLS, 587},
		"smtp://u:p@mail.example.org:2525":      {startTLS, 2525},
		"smtp://mail.example.org?tls=starttls":  {startTLS, 587},
		"smtp://mail.example.org?tls=none":      {clear, 587},
		"smtp://localhost:1025":                 {clear, 1025},
		"smtp://u:p@[::1]":                      {clear, 587},
		"smtp://127.0.0.5?tls=starttls":         {startTLS, 587},
		"smtps://mail.example.org/":             {implicit, 465},
		"smtps://u:p@localhost:4650":            {implicit, 4650},
		"smtp://localhost.evil.example":         {startTLS, 587},
		"smtp://u:p%40ss@mail.example.org:587/": {startTLS, 587},
	} {
		s, err := NewSMTP(url, from)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		if got := s.(*smtpSender); got.mode != want.mode || got.port != want.port {
			t.Errorf("%s: mode %d, port %d; want %+v", url, got.mode, got.port, want)
		}
	}
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		"", "mail.example.org", "smtp://", "http://mail.example.org", "smtp://mail.example.org/path", "smtp://mail.example.org:0",
		"smtp://mail.example.org:99999", "smtp://u:secret@mail.example.org?tls=none", "smtp://mail.example.org?tls=maybe",
		"smtps://mail.example.org?tls=none", "smtp://mail.example.org?insecure=1", "smtp://mail.example.org?ca=/nowhere/secret.pem",
		"smtp://mail.example.org?ca=" + empty, "smtp://u:secret@mail.example.org:port", "smtp://u:secret%zz@mail.example.org",
	} {
		if _, err := NewSMTP(url, from); err == nil {
			t.Errorf("%s was accepted", url)
		} else if strings.Contains(err.Error(), "u:secret") {
			t.Errorf("%s: the error repeats the password: %v", url, err)
		}
	}
	if _, err := NewSMTP("smtp://localhost", "no address"); err == nil {
		t.Error("a From that cannot be read was accepted")
	}
}
