// Package drop forwards files live between devices that share a code, end-to-end encrypted.
//
// The members of a drop speak docs/drop-protocol.md through the server. The server stores
// names of drops, digests of tokens and the members that are connected. It forwards everything else.
//
// # What it defends against
//
//   - A server that reads: codes, keys, names and contents of files never reach it in clear.
//     Messages and chunks are opaque here, and no log line has one.
//   - Strangers: a name alone opens no drop. Joins are limited by address; four joins of an address
//     wait at a time, for a minute; three rejected joins close the drop to that address for
//     a while. So wrong codes burn slowly, and keep few people out. A guest that waits has three
//     sockets at most.
//   - Members that ask, open and cut without end: requests, and sockets beyond the first, are
//     counted by address and by member. Each costs durable writes, and others have to read it.
//   - Addresses that hold many sockets: so many members of one address are connected at once.
//   - Races: the last place, a name, a ticket and a stream have one winner each. One
//     conditional statement decides, or the removal from a queue.
//   - Cross-site sockets: package rest checks the Origin. The token of a socket is a header
//     or a ticket that works once and for seconds.
//   - Memory: chunks wait within the credits that the server gave, and every waiting byte
//     counts against a budget of the node. One drop gets a quarter of what others leave. A slow receiver
//     holds up its own transfer only.
//   - Slow, silent and noisy ends: pings, deadlines for every write, a rate of messages, and
//     an end for a socket whose output piles up, or that is slow to hear that it is over.
//   - Dead nodes: a connection counts while its process renews its row. Drops of a killed
//     process end after the grace, unless their hosts come back.
//
// # What it leaves to others
//
// The ends prove the code to each other and count wrong ones (client/drop, web/src/drop).
// Package kv carries messages and chunks between processes.
package drop

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/kv"
	"coffer/internal/limit"
	"coffer/internal/metric"
	"coffer/internal/rest"
)

// The limits of docs/drop-protocol.md that are no settings.
const (
	maxWaiting   = 16               // guests that are not admitted
	maxTogether  = 4                // of those, joins from one address
	maxTold      = 12               // messages of such a guest: an exchange, a greeting and its offers
	maxSockets   = 3                // of such a guest, one after the other
	toldAgain    = 4                // its messages on each but the first
	comeBack     = 3 * time.Second  // for a guest that was cut, until its guess counts
	joinPause    = 2 * time.Second  // until a join that has to wait is tried again
	joinTime     = time.Minute      // from a join to its admission
	transferTime = time.Minute      // from a request for a file to its stream
	rejections   = 3                // of one address and drop
	rejectPause  = 15 * time.Minute // after those
	ticketTime   = 30 * time.Second
	mostTickets  = 1200 // of one member, a minute
	maxReceiving = 8    // transfers at once of one receiver
	maxSending   = 64   // of one sender
	minChunk     = 64 << 10
	maxChunk     = 1 << 20
	overhead     = 16 // bytes of a chunk beyond its plaintext
	maxText      = 64 << 10
	maxBody      = 48 << 10
)

// ErrNoDrop says that a name is no live drop's.
var ErrNoDrop = fault.New(fault.NotFound, "drop_not_found", "There is no such drop, or it is over.")

var (
	errFull       = fault.New(fault.Conflict, "drop_full", "The drop has no free place.")
	errJoining    = fault.New(fault.Limited, "join_pending", "Other joins wait for the host. Try again in a few seconds.")
	errToken      = fault.New(fault.Unauthenticated, "invalid_drop_token", "The token belongs to no member of this drop.")
	errNotHost    = fault.New(fault.Forbidden, "not_host", "Only the host of the drop may do this.")
	errOutside    = fault.New(fault.Forbidden, "not_admitted", "The host has not admitted this guest yet.")
	errTaken      = fault.New(fault.Conflict, "name_taken", "Another drop has this name.")
	errNoFile     = fault.New(fault.NotFound, "file_not_found", "The member that offers this file is not here.")
	errTooMany    = fault.New(fault.Limited, "too_many_transfers", "This member receives as many files at once as it may. Wait for one to end.")
	errNoTransfer = fault.New(fault.NotFound, "transfer_not_found", "This member has no such transfer.")
	errStreamed   = fault.New(fault.Conflict, "transfer_taken", "The stream of this transfer was opened before. Ask again for the file.")
	errUpgrade    = fault.New(fault.Malformed, "upgrade_required", "This address is a WebSocket with the subprotocol coffer.drop.v1.")
	errDraining   = &fault.Error{Kind: fault.Unavailable, Code: "unavailable", RetryAfter: time.Second, Detail: fault.ErrUnavailable.Detail}
)

// Config configures a Service. DB, Bus, Limit and Index are required.
type Config struct {
	Settings
	DB    *db.DB
	Bus   kv.Bus
	Limit *limit.Limiter
	// Index computes a blind index: [coffer/internal/keyring.Ring.Index].
	Index   func(ctx context.Context, column, canonical string) ([]byte, error)
	Now     func() time.Time // zero: time.Now
	Rand    io.Reader        // zero: crypto/rand
	Log     *slog.Logger     // nil discards
	Metrics *metric.Set      // nil shows no counts
}

// Service is the room. It is safe for concurrent use.
type Service struct {
	Config
	node        string // of this process
	registering sync.Mutex
	registered  atomic.Bool // the database knows the node
	sweeping    atomic.Bool
	hub         hub
	budget      budget
	crowd       crowd
	reject      limit.Rule
	comeBack    time.Duration // for a guest that was cut, until its guess counts
	passed      *metric.Counter
	ended       metric.Counters
	// drained ends when the server stops.
	drained context.Context
	drain   context.CancelFunc
}

// New returns the room.
func New(c Config) (*Service, error) {
	if err := c.Settings.AfterApply(); err != nil {
		return nil, err
	}
	c.nameRules()
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	s := &Service{Config: c, budget: newBudget(c.DropMemory), crowd: newCrowd(), comeBack: comeBack, reject: limit.Rule{Name: "drop-reject", Limit: rejections, Window: rejectPause}}
	s.hub = newHub()
	s.measure(c.Metrics)
	s.drained, s.drain = context.WithCancel(context.Background())
	var err error
	s.node, err = s.random(16)
	return s, err
}

func (s *Service) clock() clock {
	return clock{s.Now().UnixMilli(), s.DropGrace.Milliseconds()}
}

// lateBefore is the moment at or before which a join is too old to be admitted.
func (s *Service) lateBefore() int64 { return s.Now().Add(-joinTime).UnixMilli() }

// random returns n random bytes in base64url.
func (s *Service) random(n int) (string, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(s.Rand, b); err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// digest is what the stores see of a secret.
func digest(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func hexDigest(secret string) string { return hex.EncodeToString(digest(secret)) }

var nameForm = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func validName(name string) bool {
	return len(name) >= 3 && len(name) <= 40 && nameForm.MatchString(name)
}

// Opened is a new drop.
type Opened struct {
	Name    string
	Token   string
	Expires time.Time
}

// Open makes a drop whose name is two random words. The live drop of the host with that token
// closes, if there is one: a host has one.
func (s *Service) Open(ctx context.Context, from netip.Addr, former string) (Opened, error) {
	if err := s.Limit.Take(ctx, s.OpenLimit, limit.AddrKey(from)); err != nil {
		return Opened{}, err
	}
	token, err := s.random(32)
	if err != nil {
		return Opened{}, err
	}
	rid, err := s.random(16)
	if err != nil {
		return Opened{}, err
	}
	id, err := s.random(16)
	if err != nil {
		return Opened{}, err
	}
	expires := s.Now().Add(s.DropTTL).UTC().Truncate(time.Second)
	for range 20 {
		name, err := s.newName()
		if err != nil {
			return Opened{}, err
		}
		if err := s.bury(ctx, name); err != nil {
			return Opened{}, err
		}
		made := false
		err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
			made, err = insertDrop(ctx, tx, id, name, expires.UnixMilli())
			if err != nil || !made {
				return err
			}
			return insertHost(ctx, tx, id, rid, digest(token), s.Now().UnixMilli())
		})
		if err != nil {
			return Opened{}, err
		}
		if made {
			return Opened{name, token, expires}, s.closeFormer(ctx, former)
		}
	}
	return Opened{}, errors.New("drop: no free name")
}

// closeFormer closes the live drop of the host with that token.
func (s *Service) closeFormer(ctx context.Context, token string) error {
	if token == "" {
		return nil
	}
	m, err := findMember(ctx, s.DB, s.clock(), "token", digest(token))
	if errors.Is(err, db.ErrNoRows) || err == nil && !m.Host {
		return nil
	}
	if err != nil {
		return err
	}
	return s.Close(ctx, m)
}

// Look returns the live drop of a name.
func (s *Service) Look(ctx context.Context, from netip.Addr, name string) (found, error) {
	if err := s.Limit.Take(ctx, s.ReadLimit, limit.AddrKey(from)); err != nil {
		return found{}, err
	}
	if !validName(name) {
		return found{}, ErrNoDrop
	}
	f, err := findDrop(ctx, s.DB, s.clock(), name, s.lateBefore())
	if errors.Is(err, db.ErrNoRows) {
		err = ErrNoDrop
	}
	return f, err
}

// Join takes a place for a guest, which its host has to admit.
func (s *Service) Join(ctx context.Context, from netip.Addr, name string) (token, rid string, err error) {
	if err := s.Limit.Take(ctx, s.JoinLimit, limit.AddrKey(from)); err != nil {
		return "", "", err
	}
	if !validName(name) {
		return "", "", ErrNoDrop
	}
	if token, err = s.random(32); err != nil {
		return "", "", err
	}
	if rid, err = s.random(16); err != nil {
		return "", "", err
	}
	f, err := findDrop(ctx, s.DB, s.clock(), name, s.lateBefore())
	if errors.Is(err, db.ErrNoRows) {
		return "", "", ErrNoDrop
	}
	if err != nil {
		return "", "", err
	}
	address, err := s.Index(ctx, "drop.address", f.ID+" "+limit.AddrKey(from))
	if err != nil {
		return "", "", err
	}
	if err := s.Limit.Ask(ctx, s.reject, rejectKey(f.ID, address)); err != nil {
		return "", "", err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		id, err := holdDrop(ctx, tx, s.clock(), name)
		if errors.Is(err, db.ErrNoRows) || err == nil && id != f.ID {
			return ErrNoDrop
		}
		if err != nil {
			return err
		}
		if err := deleteLate(ctx, tx, id, s.lateBefore()); err != nil {
			return err
		}
		g, err := countGuests(ctx, tx, id, address)
		switch {
		case err != nil:
			return err
		case g.all >= s.DropGuests:
			return errFull
		case g.waiting >= maxWaiting || g.together >= maxTogether:
			refusal := errJoining.Because(nil)
			refusal.RetryAfter = joinPause
			return refusal
		}
		return insertGuest(ctx, tx, id, rid, digest(token), address, s.Now().UnixMilli())
	})
	return token, rid, err
}

// rejectKey is the key under which rejected joins of an address count.
func rejectKey(drop string, address []byte) string { return drop + " " + hex.EncodeToString(address) }

// Member returns the member of a live drop with that token. name is the drop's, or a former
// one that no other live drop has.
func (s *Service) Member(ctx context.Context, name, token string) (member, error) {
	c := s.clock()
	m, err := findMember(ctx, s.DB, c, "token", digest(token))
	return s.checkName(ctx, c, m, name, err)
}

// memberByTicket is Member for a ticket, which it uses up.
func (s *Service) memberByTicket(ctx context.Context, name, ticket string) (member, error) {
	rid, err := s.Bus.Pop(ctx, ticketQueue(ticket), 0)
	if errors.Is(err, kv.ErrMissing) {
		return member{}, errToken
	}
	if err != nil {
		return member{}, err
	}
	c := s.clock()
	m, err := findMember(ctx, s.DB, c, "rid", string(rid))
	return s.checkName(ctx, c, m, name, err)
}

func (s *Service) checkName(ctx context.Context, c clock, m member, name string, err error) (member, error) {
	if err == nil && m.Name == name {
		return m, nil
	}
	if err != nil && !errors.Is(err, db.ErrNoRows) {
		return member{}, err
	}
	if err := s.countLook(ctx); err != nil {
		return member{}, err
	}
	taken, terr := nameTaken(ctx, s.DB, c, name)
	switch {
	case terr != nil:
		return member{}, terr
	case taken:
		return member{}, errToken
	case err != nil:
		return member{}, ErrNoDrop
	}
	return m, nil
}

// countLook counts a request that learns whether a name is in use, or changes a drop, as Look
// does.
func (s *Service) countLook(ctx context.Context) error {
	client, ok := rest.ClientIn(ctx)
	if !ok {
		return nil
	}
	return s.Limit.Take(ctx, s.ReadLimit, limit.AddrKey(client.Addr))
}

// askersTogether is how many members' requests an address may make: a class, or an office.
const askersTogether = 5

// countAsk counts a request of a member for an item, or for another socket. An address with many
// drops is few askers, and a member with many addresses is one. The ends ask again by themselves,
// so a refusal is no reason to block their address, as those of other limits are.
func (s *Service) countAsk(ctx context.Context, m member) error {
	client, ok := rest.ClientIn(ctx)
	if !ok {
		return nil
	}
	ofAll := s.AskLimit
	ofAll.Limit *= askersTogether
	err := s.Limit.TakeAll(ctx, limit.Call{Rule: ofAll, Key: limit.AddrKey(client.Addr)}, limit.Call{Rule: s.AskLimit, Key: m.RID})
	if f := fault.Of(err); err != nil && f.Kind == fault.Limited {
		again := *f
		again.Policy = nil
		return &again
	}
	return err
}

func ticketQueue(ticket string) string { return "drop:ticket:" + hexDigest(ticket) }

// Ticket returns a secret that stands for the member's token once.
func (s *Service) Ticket(ctx context.Context, m member) (string, error) {
	if err := s.Limit.Take(ctx, limit.Rule{Name: "drop-ticket", Limit: mostTickets, Window: time.Minute}, m.RID); err != nil {
		return "", err
	}
	ticket, err := s.random(32)
	if err != nil {
		return "", err
	}
	return ticket, s.Bus.Push(ctx, ticketQueue(ticket), []byte(m.RID), ticketTime)
}

// Change renames and prolongs the member's drop; nil keeps a value.
func (s *Service) Change(ctx context.Context, m member, name *string, expires *time.Time) (string, time.Time, error) {
	if !m.Host {
		return "", time.Time{}, errNotHost
	}
	now := s.Now()
	if name != nil && !validName(*name) {
		return "", time.Time{}, fault.InvalidField("/name", "invalid", "A name is 3 to 40 letters a to z and digits, in words joined by hyphens.")
	}
	var until *int64
	if expires != nil {
		if !expires.After(now) || expires.After(now.Add(maxTTL)) {
			return "", time.Time{}, fault.InvalidField("/expires_at", "out_of_range", "A drop ends at most 7 days from now.")
		}
		ms := expires.UnixMilli()
		until = &ms
	}
	// Every change is a durable write and a word to all members, which no account pays for.
	if err := s.countLook(ctx); err != nil {
		return "", time.Time{}, err
	}
	if (name == nil || *name == m.Name) && (until == nil || *until == m.Expires) {
		return m.Name, time.UnixMilli(m.Expires).UTC(), nil
	}
	if name != nil {
		if err := s.bury(ctx, *name); err != nil {
			return "", time.Time{}, err
		}
	}
	newName, ms, err := changeDrop(ctx, s.DB, m.Drop, name, until)
	if errors.Is(err, db.ErrNoRows) || db.IsUnique(err) {
		// The drop may have ended since, too. Then its former name is no better.
		return "", time.Time{}, errTaken
	}
	if err != nil {
		return "", time.Time{}, err
	}
	end := time.UnixMilli(ms).UTC()
	return newName, end, s.tellAll(ctx, m.Drop, nameFrame(newName, end))
}

// Close ends the member's drop for everybody.
func (s *Service) Close(ctx context.Context, m member) error {
	if !m.Host {
		return errNotHost
	}
	deleted, err := deleteDrop(ctx, s.DB, m.Drop)
	if err != nil || !deleted {
		return err
	}
	return s.tellEnd(ctx, m.Drop, "closed")
}

// End closes the live drop of a name for everybody, as an operator asks for it. note runs in
// the transaction that closes it. Code drop_not_found.
func (s *Service) End(ctx context.Context, name string, note func(ctx context.Context, tx *db.Tx) error) error {
	if !validName(name) {
		return ErrNoDrop
	}
	var id string
	err := s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if id, err = holdDrop(ctx, tx, s.clock(), name); errors.Is(err, db.ErrNoRows) {
			return ErrNoDrop
		} else if err != nil {
			return err
		}
		if _, err := deleteDrop(ctx, tx, id); err != nil {
			return err
		}
		return note(ctx, tx)
	})
	if err != nil {
		return err
	}
	return s.tellEnd(ctx, id, "closed")
}

// Count returns how many drops there are.
func (s *Service) Count(ctx context.Context, q db.Querier) (int64, error) { return countDrops(ctx, q) }

// bury removes drops that are over, of one name or all for "", and tells their members.
func (s *Service) bury(ctx context.Context, name string) error {
	var all []ended
	c := s.clock()
	err := s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if name == "" {
			all, err = deleteAllDead(ctx, tx, c)
		} else {
			all, err = deleteDead(ctx, tx, c, name)
		}
		return err
	})
	for _, e := range all {
		code := "host_gone"
		if e.Expires <= c.now {
			code = "expired"
		}
		err = errors.Join(err, s.tellEnd(ctx, e.ID, code))
	}
	return err
}

// Ask records that a member wants an item of another, and passes the request on.
func (s *Service) Ask(ctx context.Context, m member, r request) (id string, err error) {
	if !m.Admitted {
		return "", errOutside
	}
	sender := r.FileID[:ridLength]
	p, err := findPerson(ctx, s.DB, m.Drop, sender)
	if errors.Is(err, db.ErrNoRows) || err == nil && !(p.Admitted && p.Here) {
		return "", errNoFile
	}
	if err != nil {
		return "", err
	}
	refusal := errTooMany.Because(nil)
	refusal.RetryAfter = time.Second
	// Most refusals come from here and write nothing.
	if n, err := countTransfers(ctx, s.DB, m.RID); err != nil {
		return "", err
	} else if n >= maxReceiving {
		return "", refusal
	}
	if id, err = s.random(16); err != nil {
		return "", err
	}
	if err := s.countAsk(ctx, m); err != nil {
		return "", err
	}
	if err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		made, err := insertTransfer(ctx, tx, hexDigest(id), m, sender, maxReceiving, s.Now().UnixMilli())
		if err == nil && !made {
			err = refusal
		}
		return err
	}); err != nil {
		return "", err
	}
	r.From, r.Transfer = m.RID, id
	return id, s.tellRequest(ctx, m.Drop, sender, r)
}

// register makes this process known before the first of its connections is.
func (s *Service) register(ctx context.Context) error {
	s.registering.Lock()
	defer s.registering.Unlock()
	if s.registered.Load() {
		return nil
	}
	err := insertNode(ctx, s.DB, s.node, s.Now().UnixMilli())
	s.registered.Store(err == nil)
	return err
}

// lose marks the members of processes as not connected that were silent since before.
func (s *Service) lose(ctx context.Context, before int64) (all []lost, err error) {
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if all, err = loseMembers(ctx, tx, before); err != nil {
			return err
		}
		return deleteNodes(ctx, tx, before)
	})
	return all, err
}
