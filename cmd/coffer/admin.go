package main

import (
	"errors"

	"coffer/internal/fault"
)

// adminCmd is the operator's desk at the server: it works on the stores themselves, also
// while servers run.
type adminCmd struct {
	Settings
	Block adminBlockCmd `cmd:"" help:"Block addresses and networks, list blocks, end them."`
	Prune pruneCmd      `cmd:"" help:"Remove what is kept no longer, or count it with --dry-run."`
}

// plainly is a refusal in words for a terminal.
func plainly(err error) error {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err
	}
	if len(f.Fields) > 0 {
		return errors.New(f.Fields[0].Detail)
	}
	return errors.New(f.Detail)
}
