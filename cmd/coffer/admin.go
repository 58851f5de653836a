package main

import (
	"errors"

	"coffer/internal/fault"
)

// adminCmd is the operator's desk at the server: it works on the stores themselves, also
// while servers run.
type adminCmd struct {
	Settings
	Overview adminOverviewCmd `cmd:"" help:"Print whether the server is well and what it keeps."`
	Account  adminAccountCmd  `cmd:"" help:"Show accounts; suspend, lock or reset them, give roles, end sessions."`
	Block    adminBlockCmd    `cmd:"" help:"Block addresses and networks, list blocks, end them."`
	Log      adminLogCmd      `cmd:"" help:"Print or verify the log of what admins did and the server found."`
	Job      adminJobCmd      `cmd:"" help:"List work that waits or gave up; try it again."`
	Drop     adminDropCmd     `cmd:"" help:"Close drops."`
	Prune    pruneCmd         `cmd:"" help:"Remove what is kept no longer, or count it with --dry-run."`
}

// plainly is a refusal in words for a terminal.
func plainly(err error) error {
	if err == nil {
		return nil
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	if len(f.Fields) > 0 {
		return errors.New(f.Fields[0].Detail)
	}
	return errors.New(f.Detail)
}
