package sms

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/lang"
)

// Every language says the code first, fits into one segment, and has no link.
func TestTextFitsOneSegment(t *testing.T) {
	seen := map[string]bool{}
	for _, l := range lang.All() {
		if words[l] == "" {
			t.Fatalf("no words in %s", l)
		}
		bound := CodeText(l, "Coffer", "012345", "files.example.org")
		text, line, ok := strings.Cut(bound, "\n\n")
		if !ok || line != "@files.example.org #012345" || !strings.HasPrefix(text, "012345 ") || strings.Count(text, "Coffer") != 2 {
			t.Errorf("%s: %q", l, bound)
		}
		if n := septets(bound); n > maxSeptets {
			t.Errorf("%s: %d septets: %q", l, n, bound)
		}
		if strings.Contains(bound, "://") || strings.Contains(bound, "www.") || strings.Contains(bound, "%!") {
			t.Errorf("%s: %q", l, bound)
		}
		for _, host := range []string{"", "127.0.0.1", "::1", strings.Repeat("long.", 30) + "example", "bücher.example", "日本.example"} {
			got := CodeText(l, "Coffer", "012345", host)
			if n := septets(got); n > maxSeptets {
				t.Errorf("%s, %s: %d septets", l, host, n)
			}
			if host != "bücher.example" && got != text {
				t.Errorf("%s, %s: %q", l, host, got)
			}
		}
		seen[text] = true
	}
	if len(seen) != len(lang.All()) {
		t.Errorf("%d texts", len(seen))
	}
	if CodeText("de-AT", "Coffer", "1", "") != CodeText("de", "Coffer", "1", "") || CodeText("xx", "Coffer", "1", "") != CodeText(lang.Default, "Coffer", "1", "") {
		t.Error("a tag is not read")
	}
}

func TestSeptets(t *testing.T) {
	for text, want := range map[string]int{"": 0, "abc": 3, "@#\n": 3, "ä€": 3, "{}": 4} {
		if got := septets(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
	for _, text := range []string{"`", "ç", "’", "日"} { // the alphabet has Ç alone
		if septets(text) <= maxSeptets {
			t.Errorf("%q is in no GSM alphabet", text)
		}
	}
	if n := len([]rune(gsm)); n != 127 { // and the escape
		t.Errorf("%d characters", n)
	}
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]bool{
		"+491701234512": true, "+1234567": true, "+123456789012345": true,
		"": false, "+": false, "491701234512": false, "+123456": false, "+1234567890123456": false, "+0123456789": false, "+49170 1234512": false,
		"+49١٢٣٤٥٦٧": false, "++4917012345": false, "+49170123451x": false, "+4917012345\n": false, "0049170123456": false,
	} {
		if got := Number(text); got != want {
			t.Errorf("%q: %t, want %t", text, got, want)
		}
	}
}

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

func now() time.Time { return noon }

func message() Message {
	return Message{ID: "0192", To: "+491701234512", Text: "123456 is your code", Kind: "sms-code", Ends: noon.Add(10 * time.Minute)}
}

type counter struct{ sent int }

func (c *counter) Send(context.Context, Message) error { c.sent++; return nil }

func permanent(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Permanent()
}

// What cannot be sent is not tried again, and a code that has expired is not sent.
func TestHandle(t *testing.T) {
	c := &counter{}
	m := New(c, now)
	handle := func(change func(*Message)) error {
		msg := message()
		change(&msg)
		b, err := json.Marshal(msg)
		if err != nil {
			t.Fatal(err)
		}
		return m.Handle(t.Context(), b)
	}
	if err := handle(func(*Message) {}); err != nil || c.sent != 1 {
		t.Fatalf("%v, %d sent", err, c.sent)
	}
	for what, change := range map[string]func(*Message){
		"expired": func(m *Message) { m.Ends = noon }, "no number": func(m *Message) { m.To = "ada@example.org" }, "no text": func(m *Message) { m.Text = "" },
		"no id": func(m *Message) { m.ID = "" }, "no kind": func(m *Message) { m.Kind = "" },
	} {
		if err := handle(change); !permanent(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := m.Handle(t.Context(), []byte("{")); !permanent(err) {
		t.Errorf("no JSON: %v", err)
	}
	if c.sent != 1 {
		t.Errorf("%d sent", c.sent)
	}
}

// The outbox keeps whole files that only their owner reads, the newest last.
func TestOutbox(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "outbox")
	clock := noon
	o := NewOutbox(dir, func() time.Time { return clock })
	var want []letter
	for n := range 5 {
		m := message()
		m.Text += strings.Repeat("!", n)
		if err := o.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		want = append(want, letter{m.To, m.Text, m.Kind})
		clock = clock.Add(-time.Minute) // set back
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(files)
	var got []letter
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var l map[string]string
		if err := json.Unmarshal(raw, &l); err != nil || len(l) != 3 || !strings.HasSuffix(file, ".sms") {
			t.Fatalf("%s: %s, %v", file, raw, err)
		}
		got = append(got, letter{l["to"], l["text"], l["kind"]})
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%v, %v", info.Mode(), err)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := o.Send(t.Context(), message()); err == nil || permanent(err) {
		t.Errorf("without a folder: %v", err)
	}
}
