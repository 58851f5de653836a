package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"net/url"
	"os"
	"strconv"
	"time"

	gomail "github.com/wneessen/go-mail"
)

const (
	// sendFor bounds one mail, stepFor connecting and each long step.
	sendFor = time.Minute
	stepFor = 20 * time.Second
)

// smtpSender hands mails to one submission server (RFC 6409).
type smtpSender struct {
	from *mail.Address
	host string
	port int
	tls  *tls.Config
	mode security
	user string
	pass string
	most time.Duration // sendFor
	step time.Duration // stepFor
}

// security is how the connection is protected.
type security uint8

const (
	startTLS security = iota // RFC 3207, required
	implicit                 // RFC 8314 §3.3
	clear
)

var _ Sender = (*smtpSender)(nil)

// NewSMTP returns a sender for the server at rawURL:
//
//	smtp://[USER:PASS@]HOST[:PORT]   STARTTLS is required; port 587
//	smtps://[USER:PASS@]HOST[:PORT]  TLS from the start; port 465
//
// Parameters: ca=FILE adds the certificates in a PEM file to trust instead of the
// system's; tls=none sends in the clear, which a loopback host does unless it is told
// tls=starttls. A password is never sent in the clear to another machine: that
// combination is refused. from is "Name <address>" or an address. Errors do not repeat the
// URL, which may hold a password.
func NewSMTP(rawURL, from string) (Sender, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Hostname() == "" || (u.Path != "" && u.Path != "/") || u.Fragment != "" {
		return nil, errors.New("SMTP URL: not of the form smtp://USER:PASS@HOST:PORT")
	}
	s := &smtpSender{host: u.Hostname(), most: sendFor, step: stepFor}
	if s.from, err = mail.ParseAddress(from); err != nil {
		return nil, fmt.Errorf("mail: the From address %q cannot be read", from)
	}
	s.user = u.User.Username()
	s.pass, _ = u.User.Password()
	query := u.Query()
	if s.mode, s.port, err = securityOf(u.Scheme, s.host, query.Get("tls")); err != nil {
		return nil, err
	}
	if s.mode == clear && s.user != "" && !isLoopback(s.host) {
		return nil, errors.New("SMTP URL: tls=none would send the password in the clear")
	}
	if p := u.Port(); p != "" {
		if s.port, err = strconv.Atoi(p); err != nil || s.port < 1 || s.port > 65535 {
			return nil, errors.New("SMTP URL: that is not a port")
		}
	}
	s.tls = &tls.Config{ServerName: s.host, MinVersion: tls.VersionTLS12}
	if file := query.Get("ca"); file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("SMTP URL: ca: %w", err)
		}
		s.tls.RootCAs = x509.NewCertPool()
		if !s.tls.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("SMTP URL: ca: no certificate in %s", file)
		}
	}
	for name := range query {
		if name != "tls" && name != "ca" {
			return nil, fmt.Errorf("SMTP URL: unknown parameter %q", name)
		}
	}
	return s, nil
}

func securityOf(scheme, host, wish string) (security, int, error) {
	switch {
	case scheme == "smtps" && wish == "":
		return implicit, 465, nil
	case scheme == "smtp" && (wish == "starttls" || wish == "" && !isLoopback(host)):
		return startTLS, 587, nil
	case scheme == "smtp" && (wish == "none" || wish == ""):
		return clear, 587, nil
	case scheme == "smtp":
		return 0, 0, errors.New("SMTP URL: tls is neither starttls nor none")
	case scheme == "smtps":
		return 0, 0, errors.New("SMTP URL: smtps:// is TLS from the start and takes no tls parameter")
	}
	return 0, 0, errors.New("SMTP URL: neither smtp:// nor smtps://")
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send hands the mail to the server. Only its answers 5xx about this mail are permanent: a
// password that is refused or a server that is closed can be mended.
func (s *smtpSender) Send(ctx context.Context, r Rendered) error {
	m, err := compose(r, s.from, time.Now(), gomail.EncodingQP)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, s.most)
	defer cancel()
	// The connection is ours: the client leaves it open after some errors, and does not
	// look at ctx while it waits for an answer.
	conn, err := s.connect(ctx)
	if err != nil {
		return &Error{Stage: "connect", Err: err}
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	c, err := s.client(conn)
	if err != nil {
		return &Error{Stage: "settings", Err: err}
	}
	client, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return &Error{Stage: "greeting", Code: codeOf(err), Err: err}
	}
	err = c.SendWithSMTPClient(client, m)
	if err != nil && !m.IsDelivered() {
		return sendError(err)
	}
	_ = client.Quit() // the server has the mail; how the parting went is nobody's business
	return nil
}

func (s *smtpSender) connect(ctx context.Context) (net.Conn, error) {
	d := net.Dialer{Timeout: s.step}
	addr := net.JoinHostPort(s.host, strconv.Itoa(s.port))
	if s.mode != implicit {
		return d.DialContext(ctx, "tcp", addr)
	}
	return (&tls.Dialer{NetDialer: &d, Config: s.tls}).DialContext(ctx, "tcp", addr)
}

// client returns a client that speaks over conn.
func (s *smtpSender) client(conn net.Conn) (*gomail.Client, error) {
	policy := gomail.TLSMandatory
	if s.mode != startTLS {
		policy = gomail.NoTLS // or TLS already
	}
	opts := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(s.step), gomail.WithTLSPolicy(policy), gomail.WithTLSConfig(s.tls),
		gomail.WithoutNoop(),
		gomail.WithDialContextFunc(func(context.Context, string, string) (net.Conn, error) { return conn, nil }),
	}
	if s.user != "" {
		ways := []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin}
		if s.mode == clear { // loopback, see NewSMTP
			ways = []gomail.SMTPAuthType{gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthPlainNoEnc, gomail.SMTPAuthLoginNoEnc}
		}
		opts = append(opts, gomail.WithOpportunisticSMTPAuth(ways...), gomail.WithUsername(s.user), gomail.WithPassword(s.pass))
	}
	return gomail.NewClient(s.host, opts...)
}

// codeOf returns the server's answer in err, or 0.
func codeOf(err error) int {
	var answer *textproto.Error
	if errors.As(err, &answer) {
		return answer.Code
	}
	return 0
}

// stages names the steps of a delivery as SMTP does.
var stages = map[gomail.SendErrReason]string{
	gomail.ErrSMTPMailFrom: "mail", gomail.ErrSMTPRcptTo: "rcpt",
	gomail.ErrSMTPData: "data", gomail.ErrSMTPDataClose: "data", gomail.ErrWriteContent: "data",
}

func sendError(err error) error {
	e := &Error{Stage: "send", Err: err}
	var sent *gomail.SendError
	if !errors.As(err, &sent) {
		return e
	}
	if stage, ok := stages[sent.Reason]; ok {
		e.Stage = stage
	}
	e.Code = sent.ErrorCode()
	switch e.Code {
	case 530, 534, 535, 538: // RFC 4954 §6: about us, not about the mail
	case 421, 552: // RFC 5321 §4.5.3.1.10: 552 to RCPT is to be read as 452
		e.Final = e.Code == 552 && e.Stage == "data"
	default:
		e.Final = e.Code >= 500
	}
	return e
}
