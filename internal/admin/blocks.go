package admin

import (
	"context"
	"time"

	"coffer/internal/account"
	"coffer/internal/block"
	"coffer/internal/db"
	"coffer/internal/rest"
)

// ClientChanged notes that a resource server was made or removed, in its transaction. Only the
// console does either.
func (s *Service) ClientChanged(ctx context.Context, tx *db.Tx, id, name string, made bool) error {
	action := "client.remove"
	if made {
		action = "client.add"
	}
	return s.record(ctx, tx, AtConsole(), Entry{Action: action, Target: id, Data: map[string]string{"name": name}})
}

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
		if !c.Block.ExpiresAt.IsZero() {
			data["expires_at"] = c.Block.ExpiresAt.Format(time.RFC3339)
		}
	}
	return s.record(ctx, tx, by, Entry{Action: action, Target: c.Block.ID, Data: data})
}
