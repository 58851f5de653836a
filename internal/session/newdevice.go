package session

import (
	"context"
	"embed"
	"net/netip"
	"time"

	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/mail"
	"coffer/internal/rest"
)

// The server tells the owner of a sign-in from a new device (security.md row 20). A device
// is new when all of these hold:
//
//   - the account has signed in before;
//   - the sign-in does not come with the token of a remembered device, unless a mailed link
//     alone made that device known;
//   - no sign-in of the account within clientTTL came from the same kind of client
//     ("Firefox on Linux") on the same network (one IPv4 address, one IPv6 /48).
//
// A client is kept as an index under the account's data key: a reader of the table learns
// neither networks nor browsers, and a writer cannot make a client known. An owner who ends
// a session from the list makes its client unknown again, if no later session came from it.

const (
	clientTTL = 90 * 24 * time.Hour
	// maxNewClients is how many new devices an hour the server tells an owner of. Further
	// ones change nothing that the owner has not been told, and would only fill a mailbox.
	maxNewClients = 20
)

//go:embed words
var words embed.FS

// declare tells which events this room records. Their mails are those of api.md.
func (s *Service) declare() {
	s.Events.Describe(func(c rest.Client) map[string]string { return s.told(c.UserAgent, c.Addr.String()) })
	s.Events.Declare(mail.Kind{Name: "new-device"}, words)
	s.Events.Declare(mail.Kind{Name: "refresh-reuse", Header: "security-notice"}, words)
	s.Events.Declare(mail.Kind{Name: passwordChanged, Header: "security-notice"}, words)
	s.Accounts.Mail.Declare(mail.Kind{Name: unlockMail}, words)
	s.Accounts.Mail.Declare(mail.Kind{Name: guessedMail, Header: unlockMail}, words)
	s.Events.Declare(mail.Kind{Name: passwordSet, Header: "security-notice"}, words)
	for _, kind := range []string{signedInKind, steppedUp, sessionEnded, deviceEnded, deviceConfirmed} {
		s.Events.DeclareQuiet(kind)
	}
}

// noteDevice notes a sign-in and where it came from, in the transaction that opens its session,
// and tells the owner when its device is new. first says that the account never signed in before.
// The caller holds the account's row, so of two sign-ins at once from one new device the
// owner is told of one.
func (s *Service) noteDevice(ctx context.Context, tx *db.Tx, key *keyring.DataKey, p pendingSession, r row, first bool) error {
	l := s.describe(p)
	kind, _ := namesOfAgent(p.UserAgent) // an update makes no new device
	now := s.Now()
	known, err := noteClient(ctx, tx, p.Account, clientOf(key, kind, l.Addr), r.ID, now.UnixMilli(), now.Add(clientTTL).UnixMilli())
	known = known || p.Device != nil && !p.Linked
	if err == nil {
		err = s.noteSignIn(ctx, tx, p, r, known, first)
	}
	if err != nil || known || first {
		return err
	}
	fresh, err := countClients(ctx, tx, p.Account, now.Add(-time.Hour).UnixMilli(), maxNewClients+1)
	if err != nil || fresh > maxNewClients {
		return err
	}
	data := s.told(p.UserAgent, p.Addr)
	if data["link"], err = s.AskOwner(ctx, tx, p.Account, Doubt{Session: r.ID}); err != nil {
		return err
	}
	return s.Events.Record(ctx, tx, event.Event{Kind: "new-device", Account: string(p.Account), Data: data})
}

// told is what an owner is told of a client: the kind of device, place and address.
func (s *Service) told(agent, addr string) map[string]string {
	l := s.describe(pendingSession{UserAgent: agent, Addr: addr})
	kind, _ := namesOfAgent(agent)
	return map[string]string{"device": kind, "place": l.Place, "address": l.Addr}
}

// Client returns what owners are told of a client: the kind of device, and the place. Either
// is "" when the server does not know it.
func (s *Service) Client(c rest.Client) (device, place string) {
	told := s.told(c.UserAgent, c.Addr.String())
	return told["device"], told["place"]
}

// networkOf is the network of an address in text, as limits count it.
func networkOf(addr string) string {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return ""
	}
	return limit.NetKey(a)
}

// clientOf is how a client stands in the table.
func clientOf(key *keyring.DataKey, kind, addr string) []byte {
	return key.Index("session.client", kind+"\n"+networkOf(addr))
}
