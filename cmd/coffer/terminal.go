package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/boombuler/barcode/qr"
	"golang.org/x/term"

	"coffer/client/drop/disk"
)

// terminal is what a person or a script is behind. Standard output says what the command
// found and did; everything else goes to standard error.
type terminal struct {
	in       *os.File
	out, err *os.File
	inIs     bool // standard input is a terminal
	outIs    bool // standard output is one
	lines    *bufio.Reader
	reading  chan answer // of a line; its asker may have given up
}

// answer is what was read.
type answer struct {
	s   string
	err error
}

func newTerminal() *terminal {
	t := &terminal{in: os.Stdin, out: os.Stdout, err: os.Stderr}
	t.inIs, t.outIs = term.IsTerminal(int(t.in.Fd())), term.IsTerminal(int(t.out.Fd()))
	t.lines = bufio.NewReader(t.in)
	return t
}

// width is how many characters a line has; 0 without a terminal.
func (t *terminal) width() int {
	if !t.outIs {
		return 0
	}
	w, _, err := term.GetSize(int(t.out.Fd()))
	if err != nil {
		return 80
	}
	return w
}

// note tells a person something that is no result.
func (t *terminal) note(format string, args ...any) {
	fmt.Fprintf(t.err, "coffer: "+format+"\n", args...)
}

// line reads a line. It returns when ctx ends, and the reader then stays behind: the next call
// gets its line. Calls do not overlap.
func (t *terminal) line(ctx context.Context) (string, error) {
	s, err := t.rawLine(ctx)
	return strings.TrimSpace(s), err
}

// rawLine is line whose spaces stay.
func (t *terminal) rawLine(ctx context.Context) (string, error) {
	if t.reading == nil {
		got := make(chan answer, 1)
		t.reading = got
		go func() {
			s, err := t.lines.ReadString('\n')
			if errors.Is(err, io.EOF) && s != "" {
				err = nil
			}
			got <- answer{strings.TrimRight(s, "\r\n"), err}
		}()
	}
	select {
	case a := <-t.reading:
		t.reading = nil
		return a.s, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// ask asks for a line, and shows the question at a terminal.
func (t *terminal) ask(ctx context.Context, question string) (string, error) {
	if t.inIs {
		fmt.Fprint(t.err, question)
	}
	s, err := t.line(ctx)
	if errors.Is(err, io.EOF) {
		err = errors.New("standard input ended before the answer")
	}
	return s, err
}

// secret asks for a code without showing it. Without a terminal it reads standard input.
func (t *terminal) secret(ctx context.Context, question string) (string, error) {
	s, err := t.hidden(ctx, question)
	if errors.Is(err, io.EOF) {
		err = errors.New("standard input ended before the code")
	}
	return strings.TrimSpace(s), err
}

// hidden asks for a line without showing it. Without a terminal it reads standard input.
func (t *terminal) hidden(ctx context.Context, question string) (string, error) {
	if !t.inIs {
		return t.rawLine(ctx)
	}
	before, err := term.GetState(int(t.in.Fd()))
	if err != nil {
		return "", err
	}
	fmt.Fprint(t.err, question)
	s, err := await(ctx, func() (string, error) {
		b, err := term.ReadPassword(int(t.in.Fd()))
		return string(b), err
	})
	fmt.Fprintln(t.err)
	if err != nil { // ReadPassword may still wait, with the echo off
		err = errors.Join(err, term.Restore(int(t.in.Fd()), before))
	}
	return s, err
}

// await calls read, and returns early when ctx ends.
func await(ctx context.Context, read func() (string, error)) (string, error) {
	got := make(chan answer, 1)
	go func() {
		s, err := read()
		got <- answer{s, err}
	}()
	select {
	case a := <-got:
		return a.s, a.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// writeQR draws a QR code, two rows a line, dark on light whatever the colours of the
// terminal. It draws nothing when width characters do not hold it.
func writeQR(w io.Writer, text string, width int) error {
	code, err := qr.Encode(text, qr.L, qr.Auto)
	if err != nil {
		return err
	}
	const quiet = 2
	n := code.Bounds().Dx()
	if n+2*quiet > width {
		return nil
	}
	dark := func(x, y int) bool {
		if x < 0 || y < 0 || x >= n || y >= n {
			return false
		}
		r, _, _, _ := code.At(x, y).RGBA()
		return r == 0
	}
	var b strings.Builder
	for y := -quiet; y < n+quiet; y += 2 {
		b.WriteString("\x1b[38;5;16;48;5;231m")
		for x := -quiet; x < n+quiet; x++ {
			b.WriteString(map[[2]bool]string{{false, false}: " ", {true, false}: "▀", {false, true}: "▄", {true, true}: "█"}[[2]bool{dark(x, y), dark(x, y+1)}])
		}
		b.WriteString("\x1b[0m\n")
	}
	_, err = io.WriteString(w, b.String())
	return err
}

// exitError ends the program with a status of its own.
type exitError struct {
	status int
	err    error
}

func (e exitError) Error() string { return disk.Clean(e.err.Error()) }
func (e exitError) Unwrap() error { return e.err }

// The statuses of send and receive beside 0 and 1; docs/drops.md explains them.
const (
	exitCode      = 3   // the code is wrong or void
	exitInterrupt = 130 // Ctrl-C, as in a shell
)

// errInterrupted is the end by Ctrl-C.
var errInterrupted = exitError{exitInterrupt, errors.New("interrupted")}
