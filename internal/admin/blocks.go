package admin

import (
	"context"

	"coffer/internal/account"
	"coffer/internal/block"
	"coffer/internal/db"
	"coffer/internal/rest"
)

// BlockChanged notes an admin's change of the blocked networks, in its transaction.
func (s *Service) BlockChanged(ctx context.Context, tx *db.Tx, c block.Change) error {
	by := By{Account: account.ID(c.By)}
	if c.By == "" {
		by = AtConsole()
	}
	if client, ok := rest.ClientIn(ctx); ok && c.By != "" {
		by.Address = client.Addr.String()
	}
	action := "block.remove"
	data := map[string]string{"network": c.Block.Network.String()}
	if c.Added {
		action = "block.add"
		data["reason"] = c.Block.Reason
	}
	return s.record(ctx, tx, by, Entry{Action: action, Target: c.Block.ID, Data: data})
}
