package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/keyring"
	"coffer/internal/mail/mailtest"
	"coffer/internal/treelog"
)

// sizes are those of the checkpoints in a file, which its own keys verify.
func (w *world) sizes() (all []int64) {
	w.t.Helper()
	b, err := os.ReadFile(w.File)
	w.must(err)
	notes, keys, err := treelog.SplitNotes(b)
	w.must(err)
	for _, note := range notes {
		c, err := treelog.OpenCheckpoint(note, keys)
		w.must(err)
		all = append(all, c.Size)
	}
	return all
}

// The file has each checkpoint once, in order, with the keys that verify it.
func TestFile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		step := func() {
			t.Helper()
			w.add(w.ada, 2)
			w.sign()
			w.below.RunJobs()
		}
		step()
		step()
		if got := w.sizes(); !slices.Equal(got, []int64{2, 4}) {
			t.Errorf("the file has %v", got)
		}
		_, err := w.Ring.Rotate(t.Context(), keyring.Ledger)
		w.must(err)
		step()
		step()
		b, err := os.ReadFile(w.File)
		w.must(err)
		_, keys, err := treelog.SplitNotes(b)
		w.must(err)
		if got := w.sizes(); !slices.Equal(got, []int64{2, 4, 6, 8}) || len(keys) != 2 {
			t.Errorf("the file has %v and %d keys:\n%s", got, len(keys), b)
		}

		// A crash came after the file and before the row: nothing is written twice.
		w.exec(`UPDATE ledger_places SET size = 6 WHERE name = 'file'`)
		w.must(w.onTime(t.Context()))
		w.below.RunJobs()
		if got := w.sizes(); !slices.Equal(got, []int64{2, 4, 6, 8}) {
			t.Errorf("after a crash the file has %v", got)
		}
		// One came while the file was written: what it left unfinished goes.
		for _, cut := range []int{1, 30, 120, 170} {
			whole, err := os.ReadFile(w.File)
			w.must(err)
			w.must(os.WriteFile(w.File, whole[:len(whole)-cut], 0o644))
			w.exec(`UPDATE ledger_places SET size = 6 WHERE name = 'file'`)
			w.must(w.onTime(t.Context()))
			w.below.RunJobs()
			if got := w.sizes(); !slices.Equal(got, []int64{2, 4, 6, 8}) {
				t.Errorf("cut by %d the file has %v", cut, got)
			}
		}
	})
}

// A place that is away gets all that it missed, in order, and none is lost when its job has
// given up.
func TestPlaceThatIsAway(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(c *Config) { c.File = NoFile })
		var got []int64
		away := true
		w.Publish("far", func(_ context.Context, note []byte) error {
			if away {
				return errors.New("away")
			}
			got = append(got, w.open(note).Size)
			return nil
		})
		w.add(w.ada, 1)
		w.sign()
		for range 40 { // the job gives up
			_, _ = w.below.Jobs.Step(t.Context())
			w.below.Advance(2 * time.Hour)
		}
		if n := w.count(`SELECT COUNT(*) FROM jobs WHERE dead_at IS NOT NULL AND dead_at > 0`); n != 1 {
			t.Errorf("%d dead jobs", n)
		}
		w.add(w.ada, 1)
		w.sign()
		away = false
		w.must(w.onTime(t.Context()))
		w.below.Advance(2 * time.Hour)
		w.below.RunJobs()
		if !slices.Equal(got, []int64{1, 2}) {
			t.Errorf("the place got %v", got)
		}
		away = true
		for range 3 {
			w.add(w.ada, 1)
			w.sign()
			_, _ = w.below.Jobs.Step(t.Context())
		}
		away = false
		w.below.Advance(2 * time.Hour)
		w.below.RunJobs()
		if want := []int64{3, 4, 5}; !slices.Equal(got[len(got)-3:], want) {
			t.Errorf("the place got %v, want %v at the end", got, want)
		}
	})
}

// A place that is new begins with the newest checkpoint.
func TestNewPlace(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.File = NoFile })
	for range 3 {
		w.add(w.ada, 1)
		w.sign()
	}
	var got []int64
	w.Publish("late", func(_ context.Context, note []byte) error {
		got = append(got, w.open(note).Size)
		return nil
	})
	w.must(w.onTime(t.Context()))
	w.below.RunJobs()
	if !slices.Equal(got, []int64{3}) {
		t.Errorf("the place got %v", got)
	}
}

// The mail has the checkpoint as it is, in both parts.
func TestMail(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(c *Config) { c.File, c.Settings.Mail = NoFile, "audit@canary.example" })
		w.add(w.ada, 3)
		w.sign()
		mails := w.below.Mails()
		if len(mails) != 1 || mails[0].To != "audit@canary.example" || mails[0].Kind != "ledger-checkpoint" {
			t.Fatalf("the mails are %v", mails)
		}
		r, err := w.Mail.Render(mails[0])
		w.must(err)
		mailtest.Check(t, "the mail", mailtest.Mail{Subject: r.Subject, Text: r.Text, HTML: r.HTML}, nil)
		note := string(mustNote(t, w))
		if !strings.Contains(r.Text, "\n"+note) {
			t.Errorf("the mail lacks the checkpoint:\n%s", r.Text)
		}
		w.must(w.onTime(t.Context()))
		if again := w.below.Mails(); len(again) != 0 {
			t.Errorf("the mail comes again: %v", again)
		}
	})
}

func TestFileInNoFolder(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) {
		at := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(at, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		c.File = filepath.Join(at, "checkpoints.txt")
	})
	w.add(w.ada, 1)
	if note, err := w.Checkpoint(t.Context(), true); err == nil {
		t.Errorf("signed without a look at the file: %s", note)
	}
}

// A file that lost its end, or all, gets what it lacks, and the log tells it.
func TestFileThatLost(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		var copies [][]byte
		for range 3 {
			w.add(w.ada, 2)
			w.sign()
			w.below.RunJobs()
			b, err := os.ReadFile(w.File)
			w.must(err)
			copies = append(copies, b)
		}
		for name, text := range map[string][]byte{"all": nil, "its end": copies[0], "its first note's end": copies[0][:len(copies[0])-9]} {
			w.must(os.WriteFile(w.File, text, 0o644))
			w.said.lines = nil
			w.must(w.onTime(t.Context()))
			w.below.RunJobs()
			if got, err := os.ReadFile(w.File); err != nil || string(got) != string(copies[2]) {
				t.Errorf("a file that lost %s has %s, %v", name, got, err)
			}
			if !w.said.has("ERROR ledger: a place has lost checkpoints") {
				t.Errorf("the log of a file that lost %s: %q", name, w.said.lines)
			}
		}
	})
}

// A file that is not the ledger's stays as it is.
func TestForeignFile(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.add(w.ada, 2)
	w.sign()
	w.must(os.MkdirAll(filepath.Dir(w.File), 0o755))
	for _, text := range []string{"the diary\n", strings.Repeat("the diary\n", 2000)} {
		w.must(os.WriteFile(w.File, []byte(text), 0o644))
		if err := w.bring(t.Context(), w.places[0]); err == nil || !strings.Contains(err.Error(), "move it away") {
			t.Errorf("another file: %v", err)
		}
		if got, err := os.ReadFile(w.File); err != nil || string(got) != text {
			t.Errorf("the file became %q, %v", got, err)
		}
	}
	other := newWorld(t, dbtest.SQLite(t))
	other.add(other.ada, 1)
	other.sign()
	other.below.RunJobs()
	b, err := os.ReadFile(other.File)
	w.must(err)
	w.must(os.WriteFile(w.File, b, 0o644))
	if err := w.bring(t.Context(), w.places[0]); err == nil {
		t.Error("another ledger's file is written")
	}
	if _, err := w.Checkpoint(t.Context(), true); err == nil {
		t.Error("signed beside another ledger's file")
	}
	if got, err := os.ReadFile(w.File); err != nil || string(got) != string(b) {
		t.Errorf("the file became %q, %v", got, err)
	}
}

// The ends that a file can have.
func TestLastNote(t *testing.T) {
	const key, one, two = "coffer.test/ledger+c11bd9c3+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c\n", "a\n1\nx\n\n— a sig\n", "a\n2\nx\n\n— a sig\n— b sig\n"
	for _, test := range []struct {
		text, note string
		end        int
	}{
		{"", "", 0}, {"hello\n", "", 0}, {key, "", 0}, {key + "\n" + one, one, len(key) + 1 + len(one)},
		{one + "\n" + two, two, len(one) + 1 + len(two)}, {one + "\n" + two[:8], one, len(one)}, {one + "\n" + two[:len(two)-1], two[:len(two)-len("— b sig\n")], len(one) + 1 + len(two) - len("— b sig\n")},
		{one + "\n" + key + "\n" + two, two, len(one) + 2 + len(key) + len(two)}, {one + "\n# a remark\n\n" + two, two, len(one) + 13 + len(two)},
		{one + breakMark + "x\n", "", len(one) + len(breakMark) + 2}, {one + breakMark, one, len(one)}, {one + breakMark + "x\n\n" + two, two, len(one) + len(breakMark) + 3 + len(two)},
		{"sig\n\n" + one, "sig\n\n" + one, 5 + len(one)}, {"— a sig\n\n" + one, one, len("— a sig\n") + 1 + len(one)},
	} {
		if end, note := lastNote([]byte(test.text)); end != test.end || string(note) != test.note {
			t.Errorf("%q ends at %d, want %d, with %q", test.text, end, test.end, note)
		}
	}
}
