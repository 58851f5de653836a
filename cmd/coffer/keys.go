package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"coffer/internal/keyring"
)

// keysCmd manages the key ring. Servers may run meanwhile: they see each change within
// keyring.RefreshEvery.
type keysCmd struct {
	Settings
	List    keysListCmd    `cmd:"" help:"List every key: purpose, key id, state, times. No secret is shown."`
	Rotate  keysRotateCmd  `cmd:"" help:"Make the next key of a purpose the active one. Values sealed under the old key still open."`
	Rewrap  keysRewrapCmd  `cmd:"" help:"Seal everything under the active keys. Resumes after an interruption."`
	Destroy keysDestroyCmd `cmd:"" help:"Destroy a key. Refused while a value needs it."`
}

type keysListCmd struct{}

// Run lists the ring.
func (keysListCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withGround(ctx, s, log, func(a *app) error { return listKeys(ctx, a.ring, k.Stdout) })
}

type keysRotateCmd struct {
	Purpose string `arg:"" enum:"token,session,field,blob,index,pepper,refresh,code,ledger" help:"One of token, session, field, blob, index, pepper, refresh, code, ledger."`
}

// Run rotates one purpose.
func (c keysRotateCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		if err := a.admin.Record(ctx, atConsole(), deskEntry{Action: "key.rotate", Target: c.Purpose}); err != nil {
			return err
		}
		return rotateKey(ctx, a.ring, keyring.Purpose(c.Purpose), k.Stdout)
	})
}

type keysRewrapCmd struct{}

// Run walks every table with sealed values.
func (keysRewrapCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		if err := a.admin.Record(ctx, atConsole(), deskEntry{Action: "key.rewrap"}); err != nil {
			return err
		}
		return rewrapKeys(ctx, a.ring, a.ring.Rewraps(), k.Stdout)
	})
}

type keysDestroyCmd struct {
	Purpose string `arg:"" help:"The key's purpose."`
	KeyID   string `arg:"" name:"key" help:"The key's id, as listed."`
	Force   bool   `help:"Destroy the key even if it still seals something. The server can then never open that again."`
}

// Run destroys one key.
func (c keysDestroyCmd) Run(ctx context.Context, s *Settings, log *slog.Logger, k *kong.Context) error {
	return withApp(ctx, s, log, func(a *app) error {
		if err := a.admin.Record(ctx, atConsole(), deskEntry{Action: "key.destroy", Target: c.Purpose + " " + c.KeyID}); err != nil {
			return err
		}
		return destroyKey(ctx, a.ring, keyring.Purpose(c.Purpose), c.KeyID, c.Force, k.Stdout)
	})
}

// withGround runs fn with only the database and the ring open.
func withGround(ctx context.Context, s *Settings, log *slog.Logger, fn func(*app) error) error {
	a, err := openGround(ctx, s, log)
	if err != nil {
		return err
	}
	defer a.close()
	return fn(a)
}

func listKeys(ctx context.Context, ring *keyring.Ring, out io.Writer) error {
	keys, err := ring.List(ctx)
	if err != nil {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PURPOSE\tKEY\tSTATE\tALGORITHM\tMADE\tACTIVE\tRETIRED\tDESTROYED")
	for _, k := range keys {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", k.Purpose, k.ID, k.State, k.Alg,
			moment(k.Created), moment(k.NotBefore), moment(k.Retired), moment(k.Destroyed))
	}
	return w.Flush()
}

func moment(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format(time.RFC3339)
}

func rotateKey(ctx context.Context, ring *keyring.Ring, p keyring.Purpose, out io.Writer) error {
	key, err := ring.Rotate(ctx, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: %s is active\n", p, key.ID)
	return nil
}

func rewrapKeys(ctx context.Context, ring *keyring.Ring, works []keyring.Rewrap, out io.Writer) error {
	var failed []error
	for _, work := range works {
		last := -1
		err := ring.RewrapAll(ctx, []keyring.Rewrap{work}, func(name string, done int) {
			last = done
			fmt.Fprintf(out, "%s: %d\n", name, done)
		})
		if err != nil {
			failed = append(failed, err)
		} else if last < 0 {
			fmt.Fprintf(out, "%s: nothing to do\n", work.Name)
		}
	}
	damaged, err := ring.Damaged(ctx)
	if err = errors.Join(append(failed, err)...); err != nil {
		return err
	}
	if damaged > 0 {
		fmt.Fprintf(out, "no key opens %d values; they stay as they are, and the log of the walk names them\neverything else is under the active keys\n", damaged)
		return nil
	}
	fmt.Fprintln(out, "everything is under the active keys")
	return nil
}

func destroyKey(ctx context.Context, ring *keyring.Ring, p keyring.Purpose, kid string, force bool, out io.Writer) error {
	destroy := ring.Destroy
	if force {
		destroy = ring.ForceDestroy
	}
	if err := destroy(ctx, p, kid); err != nil {
		return fmt.Errorf("%s %s: %w", p, kid, err)
	}
	fmt.Fprintf(out, "%s: %s is destroyed\n", p, kid)
	return nil
}
