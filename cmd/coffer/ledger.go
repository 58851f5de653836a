package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"time"

	"github.com/alecthomas/kong"

	"coffer/client"
	"coffer/client/drop/disk"
	"coffer/internal/treelog"
)

// ledgerCmd is the ledger of pins. Verify and export ask a server, as any caller may; only
// checkpoint works at the server's database.
type ledgerCmd struct {
	Verify     ledgerVerifyCmd     `cmd:"" help:"Compare a ledger with its checkpoints; says which entries were edited, removed, inserted or moved, and which checkpoints are of two histories."`
	Export     ledgerExportCmd     `cmd:"" help:"Write every entry of a server's ledger to a file, one a line."`
	Checkpoint ledgerCheckpointCmd `cmd:"" help:"Check the whole ledger at the server, sign a checkpoint if there is anything new, and print the newest."`
}

type ledgerCheckpointCmd struct {
	Settings
	NewOrigin    bool `help:"The server has moved to the address of COFFER_URL: sign under it from now on."`
	AfterRestore bool `help:"The database is from a backup: accept it though it does not continue the last checkpoint of COFFER_LEDGER_FILE, and write so there."`
}

// Run signs a checkpoint.
func (c ledgerCheckpointCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		if c.AfterRestore {
			if err := a.ledger.Restored(ctx); err != nil {
				return err
			}
		}
		if c.NewOrigin {
			if err := a.ledger.Move(ctx); err != nil {
				return err
			}
		}
		note, err := a.ledger.Checkpoint(ctx, true)
		if err == nil {
			_, err = k.Stdout.Write(note)
		}
		return err
	})
}

type ledgerExportCmd struct {
	URL  string `name:"url" default:"${server}" help:"The server."`
	File string `arg:"" help:"The file to write; - is standard output."`
}

// Run writes the entries.
func (c ledgerExportCmd) Run(ctx context.Context, k *kong.Context) (err error) {
	server, err := client.New(c.URL)
	if err != nil {
		return err
	}
	out := k.Stdout
	if c.File != "-" {
		f, openErr := os.OpenFile(c.File, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		if openErr != nil {
			return openErr
		}
		defer func() { err = errors.Join(err, f.Sync(), f.Close()) }()
		out = f
	}
	w, n := bufio.NewWriter(out), 0
	for e, err := range fetched(ctx, server, pause) {
		if err != nil {
			return err
		}
		if err := e.Check(); err != nil {
			return fmt.Errorf("entry %d: %w", e.N, err)
		}
		if _, err := w.Write(append(e.AppendTo(nil), '\n')); err != nil {
			return err
		}
		n++
	}
	if err := w.Flush(); err != nil || c.File == "-" {
		return err
	}
	_, err = fmt.Fprintf(k.Stdout, "%d entries\n", n)
	return err
}

// mostWaits bounds how often a reader waits for a server that sends nothing new in between.
const mostWaits = 20

var errWaits = errors.New("the server asks to wait again and again, and sends nothing")

// fetched returns a server's entries. It pauses when the server asks it to.
func fetched(ctx context.Context, server *client.Client, pause func(context.Context, time.Duration) error) iter.Seq2[treelog.Entry, error] {
	return func(yield func(treelog.Entry, error) bool) {
		for from, waits := int64(0), 0; ; waits++ {
			var refused *client.Error
			for e, err := range server.Ledger(ctx, from) {
				if errors.As(err, &refused) && refused.RetryAfter > 0 {
					break
				}
				if !yield(treelog.Entry(e), err) || err != nil {
					return
				}
				if e.N >= from {
					from, waits = e.N+1, 0
				}
			}
			if refused == nil {
				return
			}
			err := errWaits
			if waits < mostWaits {
				err = pause(ctx, min(refused.RetryAfter, time.Minute))
			}
			if err != nil {
				yield(treelog.Entry{}, err)
				return
			}
		}
	}
}

// pause waits unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// exported returns the entries of a file that export wrote.
func exported(path string) iter.Seq2[treelog.Entry, error] {
	return func(yield func(treelog.Entry, error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(treelog.Entry{}, err)
			return
		}
		defer f.Close()
		lines := bufio.NewScanner(f)
		for n := 1; lines.Scan(); n++ {
			e, err := treelog.ParseEntry(lines.Bytes())
			if err != nil {
				err = fmt.Errorf("%s: line %d: %w", path, n, err)
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		if err := lines.Err(); err != nil {
			yield(treelog.Entry{}, fmt.Errorf("%s: %w", path, err))
		}
	}
}

type ledgerVerifyCmd struct {
	URL        string   `name:"url" default:"${server}" help:"The server."`
	Entries    string   `type:"existingfile" placeholder:"FILE" help:"Read the entries from a file of coffer ledger export, and ask no server."`
	Checkpoint []string `sep:"none" type:"existingfile" placeholder:"FILE" help:"A file with checkpoints that were kept outside of the server. It may hold many, and keys."`
	Key        []string `placeholder:"KEY" help:"A verifier key that you trust. Without one, those of the files count, and without files those that the server names."`
	Reference  string   `type:"existingfile" placeholder:"FILE" help:"An earlier export, to name the very entries that differ."`
}

var (
	errLedgerAltered = errors.New("the ledger is not the one that was signed")
	errNotCompared   = errors.New("nothing was compared: no checkpoint covers an entry of this ledger")
)

// overdue is the age at which a server must have signed an entry; COFFER_LEDGER_INTERVAL is
// much shorter.
const overdue = 24 * time.Hour

// Run compares the ledger with what was signed. It prints what is wrong, a line each.
func (c ledgerVerifyCmd) Run(ctx context.Context, k *kong.Context) error {
	server, err := client.New(c.URL)
	if err != nil {
		return err
	}
	anchors, keys, err := c.anchors(ctx, server)
	if err != nil {
		return err
	}
	audit, compare := treelog.NewAudit(anchors), treelog.NewComparison()
	entries := exported(c.Entries)
	if c.Entries == "" {
		entries = fetched(ctx, server, pause)
		audit.Due(time.Now().Add(-overdue))
	}
	if c.Reference != "" {
		for e, err := range exported(c.Reference) {
			if err != nil {
				return err
			}
			compare.Copied(e)
		}
	}
	for e, err := range entries {
		if err != nil {
			return err
		}
		audit.Add(e)
		if c.Reference != "" {
			compare.Add(e)
		}
	}
	report := audit.End()
	if c.Reference != "" {
		report.Wrong = append(report.Wrong, compare.End()...)
	}
	return c.print(k.Stdout, report, keys)
}

// trusted is a verifier key, and where it came from.
type trusted struct {
	treelog.Key
	from string
	used bool // it has signed a checkpoint that was compared
}

// ownWord is where the keys come from that a server names.
const ownWord = "the server's own word"

// kept is a checkpoint that is not opened yet, and where it came from.
type kept struct {
	note []byte
	from string
}

// anchors returns the checkpoints to compare with, and the keys that count. Of a server the
// newest is taken before its entries, which then reach it.
func (c ledgerVerifyCmd) anchors(ctx context.Context, server *client.Client) (all []treelog.Anchor, keys []trusted, err error) {
	for _, word := range c.Key {
		k, err := treelog.ParseKey(word)
		if err != nil {
			return nil, nil, fmt.Errorf("--key: %w", err)
		}
		keys = append(keys, trusted{Key: k, from: "--key"})
	}
	notes, named, err := c.files()
	if err != nil {
		return nil, nil, err
	}
	if len(keys) == 0 {
		keys = named
	}
	if c.Entries == "" {
		note, err := server.LedgerCheckpoint(ctx)
		switch {
		case err == nil:
			notes = append(notes, kept{note, "the server"})
		case client.Code(err) != "no_checkpoint":
			return nil, nil, err
		}
		if len(keys) == 0 {
			if keys, err = published(ctx, server); err != nil {
				return nil, nil, err
			}
		}
	}
	all, err = opened(notes, keys)
	return all, keys, err
}

// files reads the checkpoints of the files, and the keys that stand in them.
func (c ledgerVerifyCmd) files() (notes []kept, keys []trusted, err error) {
	for _, path := range c.Checkpoint {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, err
		}
		found, inFile, err := treelog.SplitNotes(b)
		if err != nil || len(found) == 0 {
			return nil, nil, fmt.Errorf("%s: %w", path, errors.Join(err, treelog.ErrCheckpoint))
		}
		for _, note := range found {
			notes = append(notes, kept{note, path})
		}
		for _, k := range inFile {
			keys = append(keys, trusted{Key: k, from: path})
		}
	}
	return notes, keys, nil
}

// opened opens checkpoints, and marks the keys that have signed them.
func opened(notes []kept, keys []trusted) (all []treelog.Anchor, err error) {
	plain := make([]treelog.Key, len(keys))
	for i, k := range keys {
		plain[i] = k.Key
	}
	for _, n := range notes {
		c, err := treelog.OpenCheckpoint(n.note, plain)
		if err != nil {
			first, _, _ := bytes.Cut(n.note, []byte("\n\n"))
			return nil, fmt.Errorf("a checkpoint of %s: %w:\n%s", n.from, err, disk.Clean(string(first)))
		}
		for i, k := range keys {
			if !k.used {
				_, err := treelog.OpenCheckpoint(n.note, plain[i:i+1])
				keys[i].used = err == nil
			}
		}
		all = append(all, treelog.Anchor{Checkpoint: c, From: n.from})
	}
	return all, nil
}

// published returns the keys that a server names.
func published(ctx context.Context, server *client.Client) (keys []trusted, err error) {
	named, err := server.LedgerKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range named {
		k, err := treelog.ParseKey(n.Key)
		if err != nil {
			return nil, err
		}
		keys = append(keys, trusted{Key: k, from: ownWord})
	}
	return keys, nil
}

// print says what was found. It is an error that a reader who gave a key or a checkpoint hears of
// nothing compared.
func (c ledgerVerifyCmd) print(out io.Writer, r treelog.Report, keys []trusted) error {
	for _, f := range r.Wrong {
		fmt.Fprintf(out, "%s: %s\n", f.Kind, f.Text)
	}
	own := false
	for _, k := range keys {
		if k.used {
			fmt.Fprintf(out, "signed by %s (%s)\n", disk.Clean(k.String()), k.from)
			own = own || k.from == ownWord
		}
	}
	if len(r.Wrong) > 0 {
		return exitError{1, errLedgerAltered}
	}
	asked := len(c.Key)+len(c.Checkpoint) > 0
	if r.Entries > 0 && r.Signed == 0 || asked && r.Held == 0 {
		return exitError{2, errNotCompared}
	}
	if r.Held == 0 {
		fmt.Fprintln(out, "the ledger is empty, and there is no checkpoint to compare with")
		return nil
	}
	fmt.Fprintf(out, "%d entries lead to %d of %d checkpoints; the newest covers %d of them\n", r.Entries, r.Held, r.Held+r.Open, r.Signed)
	if own {
		fmt.Fprintln(out, "the keys are the server's own word: give --key, or --checkpoint with a file that has them")
	}
	return nil
}
