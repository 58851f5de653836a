package mail

import (
	"bytes"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/internal/lang"
	"coffer/internal/mail/mailtest"
)

// parsed is a mail as the standard library reads it.
type parsed struct {
	header     mail.Header
	text, html string // lines end with \n
}

func (p parsed) subject(t *testing.T) string {
	t.Helper()
	s, err := new(mime.WordDecoder).DecodeHeader(p.header.Get("Subject"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// parse reads a mail and checks what every one of them must be.
func parse(t *testing.T, raw []byte) parsed {
	t.Helper()
	if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) {
		t.Error("a line does not end with CRLF (RFC 5322 §2.1)")
	}
	for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
		if len(line) > 998 { // RFC 5322 §2.1.1
			t.Errorf("a line has %d bytes", len(line))
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"From", "To", "Subject", "Date", "Message-Id", "Mime-Version", "X-Coffer-Kind", "Auto-Submitted"} {
		if len(m.Header[name]) != 1 {
			t.Errorf("header %s stands %d times", name, len(m.Header[name]))
		}
	}
	for _, name := range []string{"Bcc", "Cc", "User-Agent", "X-Mailer"} {
		if m.Header.Get(name) != "" {
			t.Errorf("there is a header %s", name)
		}
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type = %s, %v", kind, err)
	}
	p := parsed{header: m.Header}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, part := range []struct {
		kind string
		to   *string
	}{{"text/plain", &p.text}, {"text/html", &p.html}} {
		r, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		got, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
		if err != nil || got != part.kind || !strings.EqualFold(params["charset"], "utf-8") {
			t.Errorf("part = %s %v, %v; want %s in UTF-8", got, params, err, part.kind)
		}
		var body io.Reader = r
		switch enc := r.Header.Get("Content-Transfer-Encoding"); enc {
		case "quoted-printable":
			body = quotedprintable.NewReader(r)
		case "8bit":
		default:
			t.Errorf("encoding %q", enc)
		}
		b, err := io.ReadAll(body)
		if err != nil {
			t.Fatal(err)
		}
		*part.to = strings.ReplaceAll(string(b), "\r\n", "\n")
	}
	if _, err := parts.NextPart(); err != io.EOF {
		t.Errorf("there is a third part: %v", err)
	}
	return p
}

func outboxFiles(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestOutbox(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "outbox")
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.FixedZone("", 3600))
	s := NewOutbox(dir, "Coffer für alle <coffer@coffer.test>", func() time.Time { return at })
	m := newMailer(s)
	for kind, data := range kinds {
		for _, l := range lang.All() {
			before := 0
			if _, err := os.Stat(dir); err == nil {
				before = len(outboxFiles(t, dir))
			}
			if err := m.Deliver(t.Context(), Message{Kind: kind, To: "jürgen@xn--bcher-kva.example", Lang: l, Data: data}); err != nil {
				t.Fatal(err)
			}
			names := outboxFiles(t, dir)
			if len(names) != before+1 {
				t.Fatalf("files = %v", names)
			}
			path := filepath.Join(dir, names[len(names)-1]) // the newest sorts last
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			p := parse(t, raw)
			if got := p.header.Get("X-Coffer-Kind"); got != kind {
				t.Fatalf("the newest file is a %s, want %s", got, kind)
			}
			want, err := m.Render(Message{Kind: kind, To: "jürgen@xn--bcher-kva.example", Lang: l, Data: data})
			if err != nil {
				t.Fatal(err)
			}
			if p.text != want.Text || p.html != want.HTML || p.subject(t) != want.Subject {
				t.Errorf("%s in %s: the parts are not what was rendered:\n%s\n%s", kind, l, p.text, p.html)
			}
			mailtest.Lines(t, kind, p.text, data)
			to, err := p.header.AddressList("To")
			if err != nil || len(to) != 1 || to[0].Address != "jürgen@xn--bcher-kva.example" {
				t.Errorf("To = %v, %v", to, err)
			}
			from, err := p.header.AddressList("From")
			if err != nil || len(from) != 1 || from[0].Name != "Coffer für alle" {
				t.Errorf("From = %v, %v", from, err)
			}
			if d, err := p.header.Date(); err != nil || !d.Equal(at) {
				t.Errorf("Date = %v, %v; want %v", d, err, at)
			}
			if got := p.header.Get("Message-Id"); got != "<"+want.ID+">" {
				t.Errorf("Message-ID = %s, want <%s>", got, want.ID)
			}
			if p.header.Get("Auto-Submitted") != "auto-generated" || p.header.Get("Content-Language") != l {
				t.Errorf("headers = %v", p.header)
			}
			if data["link"] != "" && !bytes.Contains(raw, []byte("\r\n"+data["link"]+"\r\n")) {
				t.Error("the link cannot be found in the file as it is")
			}
		}
	}
	if runtime.GOOS == "windows" {
		return // it has no such modes
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, outboxFiles(t, dir)[0]): 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := m.Deliver(t.Context(), Message{Kind: "new-device", To: "ada@example.org", Data: facts()}); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("a folder that others could read: %v, %v", info.Mode(), err)
	}
}

// Everybody who looks sees complete mails only, each under a name of its own.
func TestOutboxUnderConcurrency(t *testing.T) {
	dir := t.TempDir()
	at := time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)
	now := func() time.Time { return at }
	senders := []Sender{NewOutbox(dir, "coffer@coffer.test", now), NewOutbox(dir, "coffer@coffer.test", now)} // two processes
	const each = 20
	stop := make(chan struct{})
	var watcher, all sync.WaitGroup
	watcher.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			found, err := filepath.Glob(filepath.Join(dir, "*.eml"))
			if err != nil {
				t.Error(err)
			}
			for _, path := range found {
				if b, err := os.ReadFile(path); err != nil || !bytes.HasSuffix(b, []byte("--\r\n")) {
					t.Errorf("half a mail: %d bytes, %v", len(b), err)
				}
			}
		}
	})
	for i := range 6 {
		all.Go(func() {
			m := newMailer(senders[i%2])
			for range each {
				if err := m.Deliver(t.Context(), Message{Kind: "new-device", To: "ada@example.org", Data: facts()}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	watcher.Wait()
	names := outboxFiles(t, dir)
	if len(names) != 6*each || slices.ContainsFunc(names, func(n string) bool { return !strings.HasSuffix(n, ".eml") }) {
		t.Errorf("%d files, want %d mails and nothing else", len(names), 6*each)
	}
	at = at.Add(-time.Hour) // a clock that is set back
	if err := senders[0].Send(t.Context(), Rendered{Kind: "new-device", To: "ada@example.org", ID: "a@b", Subject: "Last", Text: "x\n", HTML: "x"}); err != nil {
		t.Fatal(err)
	}
	names = outboxFiles(t, dir)
	b, err := os.ReadFile(filepath.Join(dir, names[len(names)-1]))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(b, []byte("Subject: Last\r\n")) && !bytes.Contains(b, []byte("Subject: =?UTF-8?q?Last")) {
		t.Error("the newest mail does not sort last")
	}
}

// What can be mended is no permanent error, and nothing half-made is left.
func TestOutboxTroubles(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	good := Rendered{Kind: "new-device", To: "ada@example.org", ID: "a@b", Subject: "s", Text: "x\n", HTML: "x"}
	if err := NewOutbox(file, "coffer@coffer.test", nil).Send(t.Context(), good); err == nil || isPermanent(err) {
		t.Errorf("a file in place of the folder: %v, want a temporary error", err)
	}
	if err := NewOutbox(t.TempDir(), "nobody", nil).Send(t.Context(), good); err == nil || isPermanent(err) {
		t.Errorf("a From that cannot be read: %v, want a temporary error", err)
	}
	for name, edit := range map[string]func(*Rendered){
		"To":      func(r *Rendered) { r.To += "\r\nBcc: bob@example.org" },
		"Subject": func(r *Rendered) { r.Subject += "\r\nBcc: bob@example.org" },
		"kind":    func(r *Rendered) { r.Kind += "\nBcc: bob@example.org" },
		"id":      func(r *Rendered) { r.ID += ">\r\nBcc: bob@example.org" },
	} {
		dir := t.TempDir()
		r := good
		edit(&r)
		if err := NewOutbox(dir, "coffer@coffer.test", nil).Send(t.Context(), r); !isPermanent(err) || len(outboxFiles(t, dir)) != 0 {
			t.Errorf("a header in the %s: %v, %d files", name, err, len(outboxFiles(t, dir)))
		}
	}
}
