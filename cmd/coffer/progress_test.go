package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

// TestScreen shows transfers at a terminal of 60 columns.
func TestScreen(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(1_000, 0)
	s := &screen{out: &out, width: func() int { return 60 }, now: func() time.Time { return now }}
	last := func() string {
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		return strings.TrimPrefix(lines[len(lines)-1], "\x1b[1A\x1b[J")
	}
	s.progress("1", "photo.jpg", 0, 100_000_000)
	if got, want := last(), "photo.jpg                              0 %  0 B of 100.0 MB"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for range 4 {
		now = now.Add(time.Second)
		s.progress("1", "photo.jpg", s.rows[0].done+2_000_000, 100_000_000)
	}
	if got, want := last(), "photo.jpg      8 %  8.0 MB of 100.0 MB  2.0 MB/s  0:46 left"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	// One that stands still gets slower, also without news.
	now = now.Add(4 * time.Second)
	s.tick()
	if got, want := last(), "photo.jpg      8 %  8.0 MB of 100.0 MB  1.0 MB/s  1:32 left"; got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	s.say("1", "photo.jpg", "checking")
	now = now.Add(time.Second)
	s.tick()
	if got := last(); !strings.HasSuffix(got, "of 100.0 MB  checking") {
		t.Errorf("got %q", got)
	}
	// A line that stays comes above the rows, which are drawn anew.
	out.Reset()
	s.println("hello")
	if got := out.String(); !strings.HasPrefix(got, "\x1b[1A\x1b[Jhello\nphoto.jpg ") {
		t.Errorf("got %q", got)
	}
	out.Reset()
	s.end("1")
	if got := out.String(); got != "\x1b[1A\x1b[J" {
		t.Errorf("got %q", got)
	}
	// Begun anew: the speed of the time before says nothing.
	s.progress("2", "x", 50, 100)
	now = now.Add(time.Second)
	s.progress("2", "x", 10, 100)
	if got := s.rows[0].rate(now); got != 0 {
		t.Errorf("rate %v", got)
	}
}

// TestManyRows keeps the rows below the height of a small terminal.
func TestManyRows(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, width: func() int { return 80 }, now: time.Now}
	for i := range 20 {
		s.progress(strings.Repeat("k", i+1), "x", 1, 2)
	}
	out.Reset()
	s.println("hello")
	if got := out.String(); strings.Count(got, "\n") != 1+maxRows+1 || !strings.HasSuffix(got, "… and 12 more\n") {
		t.Errorf("got %q", got)
	}
}

// TestNoTerminal prints the lines alone.
func TestNoTerminal(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, width: func() int { return 0 }, now: time.Now}
	s.progress("1", "photo.jpg", 1, 2)
	s.println("sent photo.jpg 2 verified")
	s.tick()
	s.end("1")
	if got, want := out.String(), "sent photo.jpg 2 verified\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestTexts(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 999_949: "999.9 kB", 999_950: "1.0 MB", 1 << 30: "1.1 GB", 1<<63 - 1: "9.2 EB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
	for s, want := range map[float64]string{0: "0:00", 59.6: "1:00", 3599: "59:59", 3600: "1:00:00", 1e12: "days"} {
		if got := leftText(s); got != want {
			t.Errorf("%v: got %q, want %q", s, got, want)
		}
	}
	for _, c := range [][2]string{
		{"abc", "abc  "}, {"abcde", "abcde"}, {"abcdef", "abcd…"}, {"日本", "日本 "}, {"日本語", "日本…"}, {"a日本語", "a日… "}, {"e\u0301e\u0301e\u0301", "e\u0301e\u0301e\u0301  "},
	} {
		if got := padTo(c[0], 5); got != c[1] {
			t.Errorf("%q: got %q, want %q", c[0], got, c[1])
		}
	}
}

// TestQR draws a code and reads its modules back from the characters.
func TestQR(t *testing.T) {
	var out bytes.Buffer
	link := "https://files.example.org/d/red-fox#v1.AAAAAAAAAAAAAAAAAAAAAA"
	if err := writeQR(&out, link, 80); err != nil {
		t.Fatal(err)
	}
	var rows [][]bool
	for line := range strings.Lines(out.String()) {
		line = strings.TrimSuffix(strings.TrimPrefix(line, "\x1b[38;5;16;48;5;231m"), "\x1b[0m\n")
		var up, down []bool
		for _, r := range line {
			up, down = append(up, r == '▀' || r == '█'), append(down, r == '▄' || r == '█')
		}
		rows = append(rows, up, down)
	}
	n := len(rows[0])
	for i, want := range []bool{true, true, true, true, true, true, true, false} { // the corner's edge, after a quiet zone of 2
		if rows[2][2+i] != want || rows[2+i][2] != want || rows[2][n-3-i] != want || rows[0][i] || rows[i][1] {
			t.Fatalf("no corner at %d:\n%s", i, out.String())
		}
	}
	out.Reset()
	if err := writeQR(&out, link, n-1); err != nil || out.Len() > 0 {
		t.Errorf("a code wider than the terminal: %d bytes, %v", out.Len(), err)
	}
}

// TestScreenAsks: a question holds up no other call. What is said meanwhile comes after the answer.
func TestScreenAsks(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, width: func() int { return 60 }, now: time.Now}
	s.progress("1", "photo.jpg", 0, 100)
	done := make(chan bool)
	err := s.ask(func() error {
		out.Reset()
		go func() {
			s.println("hello")
			s.aside(func() { out.WriteString("noted\n") })
			s.last = time.Time{}
			s.progress("1", "photo.jpg", 50, 100)
			s.tick()
			s.end("2")
			close(done)
		}()
		select {
		case <-done:
		case <-time.After(10 * time.Second):
			t.Error("a line waits for the answer")
		}
		if out.Len() > 0 {
			t.Errorf("beside the question: %q", out.String())
		}
		return errNotAll
	})
	<-done
	if err != errNotAll {
		t.Errorf("the answer: %v", err)
	}
	if got := out.String(); !strings.HasPrefix(got, "hello\nnoted\nphoto.jpg") || !strings.Contains(got, " 50 %") {
		t.Errorf("after the answer: %q", got)
	}
	out.Reset()
	_ = s.ask(func() error {
		for range maxHeld + 3 {
			s.println("x")
		}
		return nil
	})
	if got := out.String(); strings.Count(got, "x\n") != maxHeld || !strings.Contains(got, "… and 3 more lines\n") {
		t.Errorf("%d lines were held", strings.Count(got, "x\n"))
	}
}
