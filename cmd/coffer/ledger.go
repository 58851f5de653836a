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

type ledgerCheckpointCmd struct{ Settings }

// Run signs a checkpoint.
func (ledgerCheckpointCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
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
	for e, err := range fetched(ctx, server) {
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

// fetched returns a server's entries. It waits when the server asks it to.
func fetched(ctx context.Context, server *client.Client) iter.Seq2[treelog.Entry, error] {
	return func(yield func(treelog.Entry, error) bool) {
		for from := int64(0); ; {
			var refused *client.Error
			for e, err := range server.Ledger(ctx, from) {
				if errors.As(err, &refused) && refused.RetryAfter > 0 {
					break
				}
				if !yield(treelog.Entry(e), err) || err != nil {
					return
				}
				from = e.N + 1
			}
			if refused == nil {
				return
			}
			select {
			case <-time.After(min(refused.RetryAfter, time.Minute)):
			case <-ctx.Done():
				yield(treelog.Entry{}, ctx.Err())
				return
			}
		}
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

var errLedgerAltered = errors.New("the ledger is not the one that was signed")

// Run compares the ledger with what was signed. It prints what is wrong, a line each.
func (c ledgerVerifyCmd) Run(ctx context.Context, k *kong.Context) error {
	server, err := client.New(c.URL)
	if err != nil {
		return err
	}
	anchors, own, err := c.anchors(ctx, server, k.Stdout)
	if err != nil {
		return err
	}
	entries := fetched(ctx, server)
	if c.Entries != "" {
		entries = exported(c.Entries)
	}
	audit, compare := treelog.NewAudit(anchors), treelog.NewComparison()
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
	return printLedger(k.Stdout, report, own)
}

// anchors returns the checkpoints to compare with, and whether the keys are the server's word
// alone. Of a server the newest is taken before its entries, which then reach it.
func (c ledgerVerifyCmd) anchors(ctx context.Context, server *client.Client, out io.Writer) (all []treelog.Anchor, own bool, err error) {
	var keys []treelog.Key
	for _, word := range c.Key {
		k, err := treelog.ParseKey(word)
		if err != nil {
			return nil, false, fmt.Errorf("--key: %w", err)
		}
		keys = append(keys, k)
	}
	type kept struct {
		note []byte
		from string
	}
	var notes []kept
	var named []treelog.Key
	for _, path := range c.Checkpoint {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, false, err
		}
		found, inFile, err := treelog.SplitNotes(b)
		if err != nil || len(found) == 0 {
			return nil, false, fmt.Errorf("%s: %w", path, errors.Join(err, treelog.ErrCheckpoint))
		}
		for _, note := range found {
			notes = append(notes, kept{note, path})
		}
		named = append(named, inFile...)
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
			return nil, false, err
		}
		if len(keys) == 0 {
			own = true
			if keys, err = published(ctx, server); err != nil {
				return nil, false, err
			}
		}
	}
	for _, n := range notes {
		c, err := treelog.OpenCheckpoint(n.note, keys)
		if err != nil {
			first, _, _ := bytes.Cut(n.note, []byte("\n\n"))
			return nil, false, fmt.Errorf("a checkpoint of %s: %w:\n%s", n.from, err, disk.Clean(string(first)))
		}
		all = append(all, treelog.Anchor{Checkpoint: c, From: n.from})
	}
	if len(all) == 0 {
		fmt.Fprintln(out, "there is no checkpoint to compare with")
	}
	return all, own, nil
}

// published returns the keys that a server names.
func published(ctx context.Context, server *client.Client) (keys []treelog.Key, err error) {
	named, err := server.LedgerKeys(ctx)
	if err != nil {
		return nil, err
	}
	for _, n := range named {
		k, err := treelog.ParseKey(n.Key)
		if err != nil {
			return nil, err
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func printLedger(out io.Writer, r treelog.Report, own bool) error {
	for _, f := range r.Wrong {
		fmt.Fprintf(out, "%s: %s\n", f.Kind, f.Text)
	}
	if len(r.Wrong) > 0 {
		return exitError{1, errLedgerAltered}
	}
	fmt.Fprintf(out, "%d entries lead to %d of %d checkpoints; the newest covers %d of them\n", r.Entries, r.Held, r.Held+r.Open, r.Signed)
	if own {
		fmt.Fprintln(out, "the keys are the server's own word: give --key, or --checkpoint with a file that has them")
	}
	return nil
}
