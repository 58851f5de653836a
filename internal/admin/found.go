package admin

import (
	"context"
	"sync"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/rest"
)

// Findings of the server stand in the log beside the acts of admins, within a bound of their own: an
// account that uses its own old tokens again and again must not push acts out of the log.

const (
	// findingsAccount is how many findings of one account a node writes into the log in a day, and
	// findingsKind how many of one kind: a kind that strangers can cause in their own accounts
	// leaves the others their room. The histories of the accounts keep theirs all the same.
	findingsAccount = 20
	findingsKind    = 500
)

// findings are the kinds of events that the server found.
var findings = map[string]bool{"refresh-reuse": true, "passkey-cloned": true, "recovery-used": true, "security-alert": true}

// keepEvent is the listener that notes the first admin, and what the server found about an
// account.
func (s *Service) keepEvent(ctx context.Context, tx *db.Tx, e event.Event) error {
	who := account.ID(e.Account)
	if e.Kind == account.FirstAdminMade {
		by := By{Account: who}
		if c, ok := rest.ClientIn(ctx); ok {
			by.Address = c.Addr.String()
		}
		return s.record(ctx, tx, by, Entry{Action: "account.first-admin", Account: who})
	}
	if !findings[e.Kind] {
		return nil
	}
	room, last := s.found.take(who, e.Kind, s.Now())
	if !room {
		return nil
	}
	data := map[string]string{}
	for _, name := range []string{"rule", "rules", "score", "method"} {
		if v := e.Data[name]; v != "" {
			data[name] = v
		}
	}
	if last {
		data["further"] = "not noted today"
	}
	return s.record(ctx, tx, By{}, Entry{Action: "found." + e.Kind, Account: who, Data: data})
}

// counted counts the findings of a day, in this node's memory. It holds findingsKind accounts for
// each kind at most.
type counted struct {
	mu   sync.Mutex
	day  int64
	kind map[string]int
	of   map[account.ID]int
}

// take counts a finding of an account unless the day has had enough. last says that it is the
// last one that has room.
func (c *counted) take(who account.ID, kind string, now time.Time) (room, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if day := now.Unix() / 86400; day != c.day || c.of == nil {
		c.day, c.kind, c.of = day, map[string]int{}, map[account.ID]int{}
	}
	if c.kind[kind] >= findingsKind || c.of[who] >= findingsAccount {
		return false, false
	}
	c.kind[kind]++
	c.of[who]++
	return true, c.kind[kind] == findingsKind || c.of[who] == findingsAccount
}
