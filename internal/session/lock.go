package session

import (
	"context"
	"encoding/binary"
	"errors"
	"strconv"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/limit"
	"coffer/internal/rest"
)

// A lock that strangers cause must not shut the owner out, and must not show. So it never
// refuses an owner; it asks for a mailed link. Two things are kept apart:
//
//   - The limit of an identifier decides what an answer looks like. Above it the door is held:
//     every sign-in with that identifier from a device that is not remembered gets
//     sign_in_held, for a right, a wrong and an unknown one alike.
//   - The account's count of wrong passwords in a row decides what a right password opens.
//     Above maxFailures, or after an admin's lock, it opens nothing from such a device. While
//     the door is not held, that is answered as a wrong password: whether an account is
//     locked, and that two identifiers are of one account, shows at no door.
//
// Either way the owner gets a link for a right password. It makes its browser known, and for
// confirmTime a right password opens from any device, unless the room of Judge holds it. Live sessions, remembered devices,
// passkeys, other services' words and the ways back in go on.

const (
	// maxFailures is how many wrong passwords in a row an account, a remembered device or a
	// session bears (NIST SP 800-63B §3.2.2).
	maxFailures = 100
	// confirmTime is how long a confirmed account takes a right password at a held door.
	confirmTime = 15 * time.Minute
	// decoys is how many rows count the guesses at identifiers that no account has.
	decoys = 4096
)

// ErrSignInHeld asks for the mailed link before a sign-in. A room that checks credentials
// declares it.
var ErrSignInHeld = fault.New(fault.Forbidden, "sign_in_held",
	"This sign-in needs one more step. If there is such an account and the password is right, its address has a link by mail. Open it, then sign in again.")

// Entering is a sign-in whose first proof was right.
type Entering struct {
	Client rest.Client
	Method string // of the first proof, such as AMRPassword
	Known  bool   // whether it comes from a remembered device
	At     time.Time
}

// Verdict is what a sign-in must bear beyond the usual.
type Verdict struct {
	AskAll bool // what a remembered device has passed is asked again
	// Hold asks for the mailed link. It holds a password without any layer; an account with
	// layers is asked for all of them in its place. A remembered device is never held.
	Hold bool
}

// Judge adds the room that looks at each sign-in whose first proof was right, before layers
// are asked. Its error ends the sign-in. The room calls Judge when it is made, before the first
// request.
func (s *Service) Judge(fn func(ctx context.Context, st account.State, e Entering) (Verdict, error)) {
	s.look = fn
}

// verdict asks the room of Judge. known is the remembered device that the sign-in comes from.
func (s *Service) verdict(ctx context.Context, st account.State, method string, known knownDevice, c rest.Client) (Verdict, error) {
	if s.look == nil || st.Status != account.Active {
		return Verdict{}, nil
	}
	v, err := s.askRoom(ctx, st, Entering{Client: c, Method: method, Known: known.digest != nil, At: s.Now()})
	if err != nil || !v.Hold || known.digest != nil {
		return Verdict{AskAll: v.AskAll}, err
	}
	layers, err := s.enabled(ctx, s.DB, st)
	if err != nil || len(layers) > 0 {
		return Verdict{AskAll: true}, err
	}
	// A confirmation by mail lets in the browser that opened the link, which is a known device
	// now. Any other may be the intruder's: at this door the password was right.
	return v, nil
}

// askRoom is the room's answer; an account that was deleted meanwhile counts as none.
func (s *Service) askRoom(ctx context.Context, st account.State, e Entering) (Verdict, error) {
	v, err := s.look(ctx, st, e)
	if err != nil {
		err = s.orGone(ctx, pendingSession{Account: st.ID}, err)
	}
	return v, err
}

// guess is one password that a caller tries.
type guess struct {
	found    account.Found
	known    knownDevice
	client   rest.Client
	calls    []limit.Call // that it took
	failures failures
	held     bool // its door: see above
	closed   bool // a right password opens nothing
}

// count counts a guess before it is looked at, within the limits. Of guesses at once each has
// a number of its own, and only the first maxFailures in a row may open anything.
func (s *Service) count(ctx context.Context, found account.Found, known knownDevice, c rest.Client) (guess, error) {
	g := guess{found: found, known: known, client: c}
	subject, addr := limitSubject(found, known), limit.AddrKey(c.Addr)
	g.calls = []limit.Call{{Rule: s.AddressLimit, Key: addr}, {Rule: s.PairLimit, Key: addr + " " + subject}, {Rule: s.AccountLimit, Key: subject}}
	err := s.Limit.TakeAll(ctx, g.calls...)
	if known.digest == nil && refusedBy(err, s.AccountLimit) {
		g.held, g.calls = true, g.calls[:2]
		err = s.Limit.TakeAll(ctx, g.calls...)
	}
	if err != nil {
		return g, err
	}
	if known.digest != nil {
		var counted bool
		counted, err = countOnDevice(ctx, s.DB, known.digest, maxFailures)
		g.closed = !counted
	} else {
		g.failures, err = s.countFailure(ctx, found)
		g.closed = g.failures.count > maxFailures || g.failures.locked != 0
	}
	if err != nil {
		s.giveBack(ctx, g)
		if found.ID != "" {
			err = s.orGone(ctx, pendingSession{Account: found.ID}, err)
		}
	}
	return g, err
}

// refusedBy reports whether a limit's refusal is of this rule.
func refusedBy(err error, r limit.Rule) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Kind == fault.Limited && f.Policy != nil && f.Policy.Name == r.Name
}

// countFailure counts a guess in the row of its account, or in that of an identifier that no
// account has. The ring's key chooses the latter: a stranger cannot keep that row busy and
// learn by the time of a guess whether it waits there.
func (s *Service) countFailure(ctx context.Context, found account.Found) (failures, error) {
	index, err := s.Ring.Index(ctx, "session.decoy", found.LimitKey)
	if err != nil {
		return failures{}, err
	}
	return countFailure(ctx, s.DB, found.ID, decoy(index))
}

func decoy(index []byte) string {
	return "none " + strconv.Itoa(int(binary.BigEndian.Uint16(index)%decoys))
}

// settle says what a guess comes to whose password is right (nil), wrong, or was not judged.
func (s *Service) settle(ctx context.Context, g guess, err error) error {
	right := err == nil
	if right && g.closed && g.known.digest == nil && g.failures.locked == 0 {
		// Many right ones at once count before the first is judged.
		opens, err := forgetFailures(ctx, s.DB, g.found.ID, maxFailures)
		if err != nil {
			return err
		}
		g.closed = !opens
	}
	switch {
	case !right && !errors.Is(err, account.ErrCredentials):
		s.giveBack(ctx, g)
		s.uncount(ctx, g, false)
		return err
	case right && !g.closed && (!g.held || g.failures.confirmedAt(s.Now())):
		s.giveBack(ctx, g)
		s.uncount(ctx, g, true)
		return nil
	}
	// From here on a right password is a failure like others: whatever is given back shows.
	if right || g.held || g.failures.count == maxFailures {
		s.later(func(ctx context.Context) error { return s.tellHeld(ctx, g, right) })
	}
	if g.held {
		return ErrSignInHeld
	}
	return account.ErrCredentials
}

// giveBack takes back what a guess took from the limits.
func (s *Service) giveBack(ctx context.Context, g guess) {
	if back := s.Limit.RefundAll(context.WithoutCancel(ctx), g.calls...); back != nil {
		s.Log.WarnContext(ctx, "session: a limit stays taken", "err", back)
	}
}

// uncount takes one guess back from its durable count, or all of them after a right one.
func (s *Service) uncount(ctx context.Context, g guess, all bool) {
	ctx = context.WithoutCancel(ctx)
	var err error
	if g.known.digest != nil {
		err = takeBackOnDevice(ctx, s.DB, g.known.digest, all)
	} else {
		err = takeBackFailure(ctx, s.DB, g.found.ID, all)
	}
	if err != nil {
		s.Log.WarnContext(ctx, "session: a failure stays counted", "err", err)
	}
}

// hold refuses a sign-in that the room of Judge holds, and mails its owner. That the password
// was right shows here, as it does where an account has layers.
func (s *Service) hold(st account.State, c rest.Client) error {
	s.countFailed(Failure{Method: passwordMethod, Held: true})
	g := guess{found: account.Found{State: st}, client: c}
	s.later(func(ctx context.Context) error { return s.tellHeld(ctx, g, true) })
	return ErrSignInHeld
}

// Lock makes the password open nothing from new devices until its owner has confirmed the
// account by mail, or set a new one from the mailbox. It reports false for one that is locked
// so already.
func (s *Service) Lock(ctx context.Context, tx *db.Tx, id account.ID) (bool, error) {
	return lockAccount(ctx, tx, id, s.Now().UnixMilli())
}

// Unlock takes back a lock, and the failures that were counted.
func (s *Service) Unlock(ctx context.Context, tx *db.Tx, id account.ID) error {
	return errors.Join(unlockAccount(ctx, tx, id), s.forgiveLayers(ctx, tx, id))
}

// AddConfirmed adds what a room does when an account's owner has confirmed it: its layer takes
// answers again after too many wrong ones. The room calls it when it is made, before the first
// request.
func (s *Service) AddConfirmed(fn func(ctx context.Context, tx *db.Tx, id account.ID) error) {
	s.sure = append(s.sure, fn)
}

func (s *Service) forgiveLayers(ctx context.Context, tx *db.Tx, id account.ID) error {
	for _, fn := range s.sure {
		if err := fn(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// confirm notes that the owner of an account has confirmed it from the mailbox.
func (s *Service) confirm(ctx context.Context, tx *db.Tx, id account.ID) error {
	return errors.Join(confirmAccount(ctx, tx, id, s.Now().UnixMilli()), s.forgiveLayers(ctx, tx, id))
}

// Locked reports whether the password of an account opens nothing from new devices, by an
// admin's lock or by failures.
func (s *Service) Locked(ctx context.Context, q db.Querier, id account.ID) (bool, error) {
	f, err := readFailures(ctx, q, id)
	return f.locked != 0 || f.count >= maxFailures, err
}

// later runs fn after the answer, or beside it: no caller can measure what it does. It ends
// before Close does.
func (s *Service) later(fn func(context.Context) error) {
	// Not the request's context: a limit shows in the answer of its request, which another
	// goroutine writes.
	s.beside.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := fn(ctx); err != nil {
			s.Log.WarnContext(ctx, "session: a held sign-in was not mailed", "err", err)
		}
	})
}

// Close waits for mails about held sign-ins to be enqueued.
func (s *Service) Close() error {
	s.beside.Wait()
	return nil
}
