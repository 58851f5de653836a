package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"coffer/client/drop"
	"coffer/client/drop/disk"
)

// TestFoldedNames: where case does not count, names of one run that fold alike are one file. The
// second item does not replace the first.
func TestFoldedNames(t *testing.T) {
	for _, names := range [][2]string{
		{"readme.txt", "README.txt"},
		{"straße.txt", "STRASSE.txt"},
		{"caf\u00e9.txt", "CAFE\u0301.txt"},
		{"\u03c3.txt", "\u03c2.txt"}, // both are a small sigma
	} {
		dir := t.TempDir()
		for _, name := range names { // one file where case does not count
			if err := os.WriteFile(filepath.Join(dir, name), []byte("old"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		target, err := disk.OpenTarget(dir)
		if err != nil {
			t.Fatal(err)
		}
		defer target.Close()
		r := &receiving{receiveCmd: receiveCmd{Existing: "replace"}, target: target, own: map[string]*wish{}}
		for i, want := range []disk.Existing{disk.Replace, disk.KeepBoth} {
			part, err := target.Begin(drop.Item{ID: names[i], Name: names[i], Kind: drop.File, Chunk: 65536})
			if err != nil {
				t.Fatal(err)
			}
			defer part.Close()
			if got, skip, err := r.decide(t.Context(), part); got != want || skip || err != nil {
				t.Errorf("%q: %v %v %v", names[i], got, skip, err)
			}
		}
	}
}

// TestLineAfterLine: a line for which nothing waits any more is the answer to the next question.
func TestLineAfterLine(t *testing.T) {
	in, person, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer person.Close()
	stdin := os.Stdin
	os.Stdin = in
	term := newTerminal()
	os.Stdin = stdin
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if s, err := term.line(ctx); err == nil {
		t.Errorf("read %q", s)
	}
	for _, line := range []string{"one\n", "two\n"} {
		time.Sleep(10 * time.Millisecond)
		if _, err := io.WriteString(person, line); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if s, err := term.line(ctx); s+"\n" != line || err != nil {
			t.Errorf("read %q %v", s, err)
		}
	}
}
