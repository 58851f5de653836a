// Package block refuses addresses and networks before a request costs anything.
//
// An admin blocks a network by hand, for a time or for good. The server blocks an address
// that goes on after the limits refused it: an IPv4 address, or an IPv6 /64. Such a block
// lasts 15 minutes, the next one four times as long, at most a week. After a calm month the
// server forgets it.
//
// Every node keeps the list in memory, so a question costs no I/O. A node hears of a change
// by a note of the database, and looks each second at the list's version.
//
// # What it defends against
//
//   - A flood of refused calls: the server answers a blocked address before it reads a body,
//     a token or a table.
//   - Another form of the same address: an IPv4 address in IPv6 form is the IPv4 address,
//     and a zone counts for nothing.
//   - A block that hits the wrong one: no block covers a trusted proxy, or the admin that
//     asks for it. No automatic block hits an address on which an admin was within the last
//     day. One that several accounts use is blocked for 15 minutes at most.
//   - An attacker with many networks: sixteen blocked /64 of one /48 block the /48, which is
//     one customer's. A node adds 20 blocks a second at most. The table keeps 50,000 automatic
//     rows, and those that end first give way.
//
// # Limits
//
// Refused calls are counted in each node's memory, so that counting one costs no statement.
// An attacker who shares an address with others can have it blocked while the attack lasts.
package block

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/metric"
	"coffer/internal/text"
)

const (
	firstSpan = 15 * time.Minute
	growth    = 4
	mostSpan  = 7 * 24 * time.Hour
	calm      = 30 * 24 * time.Hour

	widest4, widest6 = 8, 16 // bits of the widest network that an admin may block
	crowded          = 16    // blocked /64 of one /48 that block the /48
	mostRows         = 50_000
	mostReason       = 500            // characters
	endedTime        = 24 * time.Hour // that a block by hand stays after its end
)

// never is the end of a block without one.
const never = int64(1) << 53 // unix milliseconds; exact in every JSON reader

// Config is what a Service needs. DB, Ring, KV and Jobs are required.
type Config struct {
	Settings
	DB      *db.DB
	Ring    *keyring.Ring
	KV      kv.Store
	Jobs    *jobs.Queue
	Metrics *metric.Set    // nil shows no counts
	Proxies []netip.Prefix // that are trusted
	Now     func() time.Time
	Log     *slog.Logger
	// Heard hears of each change by an admin, in its transaction; nil hears nothing.
	Heard func(ctx context.Context, tx *db.Tx, c Change) error
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	list    table
	abuse   abuse
	seen    seen
	pace    pace
	changed chan struct{}
	loading sync.Mutex
	known   int64 // version of the list, under loading
	loaded  time.Time
}

// Block is one blocked network.
type Block struct {
	ID        string       `json:"id"`
	Network   netip.Prefix `json:"network"`
	Reason    string       `json:"reason"`
	Automatic bool         `json:"automatic"`
	CreatedAt time.Time    `json:"created_at"`
	ExpiresAt time.Time    `json:"expires_at"` // zero for never
}

// Change is an admin's change of the list. By is the admin's account, "" for the operator at
// the server.
type Change struct {
	Added bool
	Block Block
	By    string
}

// New returns the room. Call [Service.Load] before the first question.
func New(c Config) *Service {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	c.Refusals.Name, c.Tokens.Name = "block-refusals", "block-tokens"
	for i, p := range c.Proxies {
		c.Proxies[i] = plain(p)
	}
	s := &Service{Config: c, changed: make(chan struct{}, 1)}
	s.list.entries = map[netip.Prefix]entry{}
	s.list.crowds = map[netip.Prefix]int{}
	c.DB.Listen(topic, func(string) { s.wake() })
	c.Ring.AddRewraps(
		keyring.Rewrap{Name: "block.sealed", Purpose: keyring.Field, Step: s.renew},
		keyring.Rewrap{Name: "block.subjects", Purpose: keyring.Index, Step: s.renew},
	)
	c.Jobs.Every("block.prune", 10*time.Minute, s.Prune, jobs.Old{Table: "blocks", Rows: "automatic = TRUE AND expires_at <= $1", Age: calm},
		jobs.Old{Table: "blocks", Rows: "automatic = FALSE AND expires_at <= $1", Age: endedTime})
	s.measure(c.Metrics)
	return s
}

const topic = "blocks"

func (s *Service) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// Refused returns the block that covers an address, without I/O.
func (s *Service) Refused(addr netip.Addr) (Block, bool) {
	return s.list.find(addr, s.Now)
}

var (
	errNetwork = fault.InvalidField("/network", "invalid_network", "A network is an address such as 192.0.2.7, or a network such as 192.0.2.0/24 or 2001:db8::/32.")
	errWide    = fault.InvalidField("/network", "too_wide", "The widest network is a /8 of IPv4 and a /16 of IPv6.")
	errProxy   = fault.InvalidField("/network", "covers_proxy", "The network has an address of a trusted proxy, through which others come.")
	errYou     = fault.InvalidField("/network", "would_block_you", "The network has your own address.")
	errPast    = fault.InvalidField("/expires_at", "past", "The time has passed.")
	errReason  = fault.InvalidField("/reason", "invalid_reason", "A reason is one line of at most 500 characters.")
	errNoBlock = fault.New(fault.NotFound, "not_found", "Not found.")
)

// ParseNetwork reads an address or a network. An IPv4 network in IPv6 form is the IPv4
// network. Bits after the prefix are cleared.
func ParseNetwork(s string) (netip.Prefix, error) {
	s = strings.TrimSpace(s)
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, errNetwork
		}
		p = netip.PrefixFrom(a, a.BitLen())
	}
	if p.Addr().Is4In6() && p.Bits() < 96 {
		return netip.Prefix{}, errWide
	}
	p = plain(p)
	if p.Addr().Is4() && p.Bits() < widest4 || p.Addr().Is6() && p.Bits() < widest6 {
		return netip.Prefix{}, errWide
	}
	return p, nil
}

// plain is a network with an IPv4 address in its own form, and without bits after the prefix.
func plain(p netip.Prefix) netip.Prefix {
	if a := p.Addr(); a.Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(a.Unmap(), p.Bits()-96)
	}
	return p.Masked()
}

// unit is the network that counts as one address: an IPv4 address, or an IPv6 /64.
func unit(a netip.Addr) netip.Prefix { return cut(a, 64) }

func cut(a netip.Addr, bits6 int) netip.Prefix {
	a = a.Unmap().WithZone("")
	if !a.IsValid() || a.Is4() {
		return netip.PrefixFrom(a, a.BitLen())
	}
	return netip.PrefixFrom(a, bits6).Masked()
}

// Order is a block as an admin asks for it.
type Order struct {
	Network   netip.Prefix
	Reason    string
	ExpiresAt time.Time // zero for never
	By        string    // the admin's account; "" for the operator at the server
	From      netip.Addr
}

// Add blocks a network by hand, or changes the block that it has. No block covers a trusted
// proxy, or the address that the order comes from.
func (s *Service) Add(ctx context.Context, o Order) (Block, error) {
	now := s.Now()
	switch {
	case !o.Network.IsValid():
		return Block{}, errNetwork
	case s.proxied(o.Network):
		return Block{}, errProxy
	case o.From.IsValid() && o.Network.Overlaps(unit(o.From)):
		return Block{}, errYou
	case utf8.RuneCountInString(o.Reason) > mostReason || !utf8.ValidString(o.Reason) || strings.ContainsFunc(o.Reason, text.Control):
		return Block{}, errReason
	case !o.ExpiresAt.IsZero() && !o.ExpiresAt.After(now):
		return Block{}, errPast
	}
	b, err := s.newBlock(o.Network, o.Reason, false)
	if err != nil {
		return Block{}, err
	}
	b.ExpiresAt = o.ExpiresAt.UTC().Truncate(time.Millisecond)
	err = s.change(ctx, func(ctx context.Context, tx *db.Tx, version int64) error {
		r, err := s.seal(ctx, b)
		if err != nil {
			return err
		}
		r.Version = version
		if err := putBlock(ctx, tx, r); err != nil || s.Heard == nil {
			return err
		}
		return s.Heard(ctx, tx, Change{Added: true, Block: b, By: o.By})
	})
	if err != nil {
		return Block{}, err
	}
	return b, s.Load(context.WithoutCancel(ctx))
}

// Block blocks a network for the operator at the server: until a time, or for good.
func (s *Service) Block(ctx context.Context, network, reason string, until time.Time) (Block, error) {
	p, err := ParseNetwork(network)
	if err != nil {
		return Block{}, err
	}
	return s.Add(ctx, Order{Network: p, Reason: reason, ExpiresAt: until})
}

func (s *Service) newBlock(network netip.Prefix, reason string, automatic bool) (Block, error) {
	id, err := uuid.NewV7()
	return Block{ID: id.String(), Network: network, Reason: reason, Automatic: automatic, CreatedAt: s.Now().UTC().Truncate(time.Millisecond)}, err
}

// change runs fn with the list's next version, and tells every node.
func (s *Service) change(ctx context.Context, fn func(ctx context.Context, tx *db.Tx, version int64) error) error {
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		version, err := nextVersion(ctx, tx)
		if err == nil {
			err = fn(ctx, tx, version)
		}
		if err != nil {
			return err
		}
		return tx.Notify(ctx, topic, "")
	})
}

// proxied reports whether a network has an address of a trusted proxy.
func (s *Service) proxied(network netip.Prefix) bool {
	for _, p := range s.Proxies {
		if p.Overlaps(network) {
			return true
		}
	}
	return false
}

// Remove ends a block. by is as in [Order].
func (s *Service) Remove(ctx context.Context, id, by string) error {
	if u, err := uuid.Parse(id); err != nil || u.String() != id {
		return errNoBlock
	}
	err := s.change(ctx, func(ctx context.Context, tx *db.Tx, version int64) error {
		r, err := removeBlock(ctx, tx, id, s.Now().UnixMilli(), version)
		if errors.Is(err, db.ErrNoRows) {
			return errNoBlock
		}
		if err != nil {
			return err
		}
		b, err := s.open(ctx, r)
		if err != nil {
			s.Log.ErrorContext(ctx, "block: a row does not open", "id", id, "err", err)
			b = Block{ID: id}
		}
		if s.Heard == nil {
			return nil
		}
		return s.Heard(ctx, tx, Change{Block: b, By: by})
	})
	if err != nil {
		return err
	}
	return s.Load(context.WithoutCancel(ctx))
}

// List returns one page of the blocks in force, the newest first, and the cursor of the next.
// automatic chooses one sort of them; nil is all.
func (s *Service) List(ctx context.Context, automatic *bool, cursor string, most int) (page []Block, next string, err error) {
	if cursor != "" && uuid.Validate(cursor) != nil {
		return nil, "", fault.InvalidField("query.cursor", "invalid_cursor", "The cursor does not belong to this list.")
	}
	if err := s.Load(ctx); err != nil {
		return nil, "", err
	}
	all := s.list.all(s.Now(), func(b Block) bool {
		return (automatic == nil || b.Automatic == *automatic) && (cursor == "" || b.ID < cursor)
	})
	slices.SortFunc(all, func(a, b Block) int { return strings.Compare(b.ID, a.ID) })
	if len(all) > most {
		all = all[:most]
		next = all[most-1].ID
	}
	return all, next, nil
}

// record is what a row seals.
type record struct {
	Network string `json:"network"`
	Reason  string `json:"reason"`
}

func aad(id string, automatic bool) []byte {
	return fmt.Appendf(nil, "coffer/block/v1\x00%s\x00%t", id, automatic)
}

func (s *Service) subject(ctx context.Context, network string, automatic bool) ([]byte, error) {
	return s.Ring.Index(ctx, "blocks.subject", fmt.Sprintf("%s %t", network, automatic))
}

func (s *Service) seal(ctx context.Context, b Block) (row, error) {
	plain, err := json.Marshal(record{b.Network.String(), b.Reason})
	if err != nil {
		return row{}, err
	}
	r := row{ID: b.ID, Automatic: b.Automatic, CreatedAt: b.CreatedAt.UnixMilli(), ExpiresAt: never}
	if !b.ExpiresAt.IsZero() {
		r.ExpiresAt = b.ExpiresAt.UnixMilli()
	}
	if r.Sealed, err = s.Ring.Seal(ctx, keyring.Field, plain, aad(b.ID, b.Automatic)); err != nil {
		return row{}, err
	}
	r.Subject, err = s.subject(ctx, b.Network.String(), b.Automatic)
	return r, err
}

func (s *Service) open(ctx context.Context, r row) (Block, error) {
	plain, err := s.Ring.Open(ctx, keyring.Field, r.Sealed, aad(r.ID, r.Automatic))
	if err != nil {
		return Block{}, err
	}
	var is record
	if err := json.Unmarshal(plain, &is); err != nil {
		return Block{}, err
	}
	b := Block{ID: r.ID, Reason: is.Reason, Automatic: r.Automatic, CreatedAt: time.UnixMilli(r.CreatedAt).UTC()}
	if b.Network, err = netip.ParsePrefix(is.Network); err != nil {
		return Block{}, err
	}
	if r.ExpiresAt != never {
		b.ExpiresAt = time.UnixMilli(r.ExpiresAt).UTC()
	}
	return b, nil
}

// renew is a step of a walk: it seals rows under the active key, and indexes them afresh.
func (s *Service) renew(ctx context.Context, cursor string, most int, skip keyring.Skip) (next string, done int, err error) {
	rows, err := readBatch(ctx, s.DB, cursor, most)
	if err != nil {
		return "", 0, err
	}
	for _, r := range rows {
		again := r
		var changed bool
		again.Sealed, changed, err = s.Ring.Renew(ctx, keyring.Field, r.Sealed, aad(r.ID, r.Automatic))
		var b Block
		if err == nil {
			b, err = s.open(ctx, r)
		}
		if err == nil {
			again.Subject, err = s.subject(ctx, b.Network.String(), r.Automatic)
		}
		if err == nil && (changed || string(again.Subject) != string(r.Subject)) {
			err = replaceSealed(ctx, s.DB, r, again)
		}
		if err != nil {
			if err := skip(ctx, "blocks.sealed", r.ID, err); err != nil {
				return "", 0, err
			}
		}
	}
	if len(rows) < most {
		return "", len(rows), nil
	}
	return rows[len(rows)-1].ID, len(rows), nil
}

// Prune removes rows that nothing needs: automatic ones that ended a calm month ago, others
// that ended a day ago, and automatic ones over the bound.
func (s *Service) Prune(ctx context.Context) error {
	now := s.Now()
	if err := pruneEnded(ctx, s.DB, true, now.Add(-calm).UnixMilli()); err != nil {
		return err
	}
	if err := pruneEnded(ctx, s.DB, false, now.Add(-endedTime).UnixMilli()); err != nil {
		return err
	}
	return pruneOver(ctx, s.DB, mostRows)
}
