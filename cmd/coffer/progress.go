package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/width"
)

// screen prints lines, and below them the running transfers, redrawn in place. Without a
// terminal it prints the lines alone.
type screen struct {
	out   io.Writer
	width func() int // 0 without a terminal
	now   func() time.Time

	asks   sync.Mutex // held while a question is open: there is one at a time
	mu     sync.Mutex
	asking bool     // no row is drawn, and what would be said is held
	held   []func() // until the answer
	missed int      // of those, for which there was no room
	rows   []*row
	drawn  int // lines of rows on the terminal
	last   time.Time
}

// row is a running transfer.
type row struct {
	key, label string
	done       int64
	total      int64
	state      string // instead of speed and time left
	samples    []sample
}

type sample struct {
	at   time.Time
	done int64
}

const (
	redraw   = 100 * time.Millisecond
	rateSpan = 5 * time.Second // over which speed is measured
	maxRows  = 8
	maxHeld  = 2 * maxJobs // a line for each item that comes, and one for its offer
)

func newScreen(t *terminal) *screen {
	return &screen{out: t.out, width: t.width, now: time.Now}
}

// println prints a line that stays.
func (s *screen) println(line string) {
	s.aside(func() { fmt.Fprintln(s.out, line) })
}

// aside lets say write while no row is shown. It does not wait for the person: while a question
// is open, what is to be said comes after the answer.
func (s *screen) aside(say func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.asking:
		s.erase()
		say()
		s.draw()
	case len(s.held) < maxHeld:
		s.held = append(s.held, say)
	default:
		s.missed++
	}
}

// progress notes that done of total bytes have come.
func (s *screen) progress(key, label string, done, total int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.row(key, label)
	now := s.now()
	if done < r.done { // begun anew
		r.samples = nil
	}
	r.done, r.total, r.state = done, total, ""
	r.samples = append(r.samples, sample{now, done})
	for len(r.samples) > 2 && now.Sub(r.samples[1].at) >= rateSpan {
		r.samples = r.samples[1:]
	}
	s.refresh(now)
}

// say shows a word in the place of speed and time left.
func (s *screen) say(key, label, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.row(key, label)
	r.state, r.samples = state, nil
	s.refresh(s.now())
}

// end removes a row.
func (s *screen) end(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, r := range s.rows {
		if r.key == key {
			s.rows = append(s.rows[:i], s.rows[i+1:]...)
			s.erase()
			s.draw()
			return
		}
	}
}

// tick redraws, for the time left of a transfer that stands still.
func (s *screen) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh(s.now())
}

// ask lets question talk to the person while no row is shown. Only one question is open at a time,
// and it holds up no other call.
func (s *screen) ask(question func() error) error {
	s.asks.Lock()
	defer s.asks.Unlock()
	s.mu.Lock()
	s.erase()
	s.asking = true
	s.mu.Unlock()
	err := question()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asking = false
	for _, say := range s.held {
		say()
	}
	if s.missed > 0 {
		fmt.Fprintf(s.out, "… and %d more lines\n", s.missed)
	}
	s.held, s.missed = nil, 0
	s.draw()
	return err
}

func (s *screen) row(key, label string) *row {
	for _, r := range s.rows {
		if r.key == key {
			r.label = label
			return r
		}
	}
	r := &row{key: key, label: label}
	s.rows = append(s.rows, r)
	return r
}

func (s *screen) refresh(now time.Time) {
	if now.Sub(s.last) < redraw {
		return
	}
	s.last = now
	s.erase()
	s.draw()
}

// erase removes the rows from the terminal.
func (s *screen) erase() {
	if s.drawn > 0 {
		fmt.Fprintf(s.out, "\x1b[%dA\x1b[J", s.drawn)
		s.drawn = 0
	}
}

func (s *screen) draw() {
	columns := s.width()
	if columns == 0 || s.asking {
		return
	}
	var b strings.Builder
	for i, r := range s.rows {
		if i == maxRows && len(s.rows) > maxRows+1 {
			fmt.Fprintf(&b, "… and %d more\n", len(s.rows)-i)
			s.drawn++
			break
		}
		b.WriteString(r.text(s.now(), columns-1) + "\n")
		s.drawn++
	}
	fmt.Fprint(s.out, b.String())
}

// text is a row in at most columns characters: the label is cut, the numbers are not.
func (r *row) text(now time.Time, columns int) string {
	percent := int64(100)
	if r.total > 0 {
		percent = int64(float64(r.done) / float64(r.total) * 100)
	}
	right := fmt.Sprintf(" %3d %%  %s of %s", percent, bytesText(r.done), bytesText(r.total))
	switch rate := r.rate(now); {
	case r.state != "":
		right += "  " + r.state
	case rate > 0:
		right += fmt.Sprintf("  %s/s  %s left", bytesText(int64(rate)), leftText(float64(r.total-r.done)/rate))
	}
	return padTo(r.label, columns-len([]rune(right))) + right
}

// rate is the speed in bytes a second, over the last seconds.
func (r *row) rate(now time.Time) float64 {
	if len(r.samples) < 2 {
		return 0
	}
	first, last := r.samples[0], r.samples[len(r.samples)-1]
	span := last.at.Sub(first.at)
	if still := now.Sub(last.at); still > time.Second {
		span = now.Sub(first.at)
	}
	if span < redraw || last.done <= first.done {
		return 0
	}
	return float64(last.done-first.done) / span.Seconds()
}

// bytesText is a number of bytes for a person.
func bytesText(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n), 0
	for ; f >= 999.95 && unit < len("kMGTPE"); unit++ {
		f /= 1000
	}
	return fmt.Sprintf("%.1f %cB", f, "kMGTPE"[unit-1])
}

// leftText is a duration for a person.
func leftText(seconds float64) string {
	switch s := int64(seconds + 0.5); {
	case s >= 100*3600:
		return "days"
	case s >= 3600:
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	default:
		return fmt.Sprintf("%d:%02d", s/60, s%60)
	}
}

// padTo makes a text n columns wide.
func padTo(text string, n int) string {
	n = max(n, 1)
	total := 0
	for i, r := range text {
		w := columnsOf(r)
		if total+w > n-1 && i+len(string(r)) < len(text) || total+w > n {
			return text[:i] + "…" + strings.Repeat(" ", max(0, n-total-1))
		}
		total += w
	}
	return text + strings.Repeat(" ", n-total)
}

func columnsOf(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case width.LookupRune(r).Kind() == width.EastAsianWide, width.LookupRune(r).Kind() == width.EastAsianFullwidth:
		return 2
	}
	return 1
}
