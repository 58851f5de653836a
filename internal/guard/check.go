package guard

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/block"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/habit"
	"coffer/internal/keyring"
	"coffer/internal/limit"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// The security check judges sign-ins by the rules of package habit. docs/guard.md shows them.
//
// It judges twice: before a session opens, to ask for more or to hold, and in the transaction
// that opens it, to keep the findings, to tell the owner and to learn. Failures are judged
// when their account's history is written.

const (
	alertKind = "security-alert"
	// alertsAnHour is how many alerts of one account are mailed in an hour. The history keeps
	// every finding.
	alertsAnHour = 5
	// failuresFor is how long a wrong answer counts towards "many before a success".
	failuresFor = 24 * time.Hour
)

// flags are the rules that the history shows as flags.
var flags = []string{habit.NewDevice, habit.NewPlace, habit.ImpossibleTravel, habit.OddHour, habit.AfterFailures, habit.Spraying, habit.Stuffing}

// firstProofs are methods that begin a sign-in. Any other is a layer, asked after a right one.
var firstProofs = []string{"password", "passkey", "backup_code", "social"}

// note puts findings into what the history keeps.
func (d *details) note(found []habit.Finding) {
	for _, f := range found {
		d.Findings = append(d.Findings, Finding{f.Rule, f.Score, f.Consequence.String()})
		if slices.Contains(flags, f.Rule) && !slices.Contains(d.Flags, f.Rule) {
			d.Flags = append(d.Flags, f.Rule)
		}
	}
}

// seen is a sign-in from an address by a kind of client, as the rules see it.
func (s *Service) seen(at time.Time, address, device string) (habit.Sighting, netip.Addr) {
	sighting := habit.Sighting{At: at, Client: device}
	addr, err := netip.ParseAddr(address)
	if err != nil {
		return sighting, netip.Addr{} // a connection without an address
	}
	p := s.Sessions.Place(addr)
	sighting.Network = limit.NetKey(addr)
	sighting.Place, sighting.Lat, sighting.Lon, sighting.HasPlace = p.Name, p.Lat, p.Lon, p.Located
	return sighting, addr
}

// network is how a network stands in the tables that compare accounts. A loopback or private
// address is often a proxy's, with everybody behind it: there each account is a network of its
// own, so that nothing is compared, unless [Config].Private says otherwise.
func (s *Service) network(ctx context.Context, addr netip.Addr, subject []byte) ([]byte, error) {
	name := limit.NetKey(addr)
	if addr = addr.Unmap(); !s.Private && block.Inside(addr) {
		name += " " + string(subject)
	}
	return s.Ring.Index(ctx, "guard.network", name)
}

// subject is how an account stands there, or a name that has none.
func (s *Service) subject(ctx context.Context, who account.ID, name string) ([]byte, error) {
	if who != "" {
		name = "account " + string(who)
	} else {
		name = "name " + name
	}
	return s.Ring.Index(ctx, "guard.subject", name)
}

// habitOf reads the habit of an account. One that was altered in the database counts as none.
func (s *Service) habitOf(ctx context.Context, q db.Querier, key *keyring.DataKey, who account.ID) (habit.Profile, error) {
	var p habit.Profile
	sealed, err := readHabit(ctx, q, who)
	if errors.Is(err, db.ErrNoRows) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	plain, err := key.Open("habits", "sealed", string(who), sealed)
	if err == nil {
		err = json.Unmarshal(plain, &p)
	}
	if err != nil {
		s.Log.ErrorContext(ctx, "guard: a habit does not open", "account", string(who), "err", err)
		return habit.Profile{}, nil
	}
	return p, nil
}

func (s *Service) keepHabit(ctx context.Context, tx *db.Tx, key *keyring.DataKey, who account.ID, p habit.Profile) error {
	plain, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if len(plain) > habit.MaxProfile {
		return errors.New("guard: a habit is too long")
	}
	return setHabit(ctx, tx, who, key.Seal("habits", "sealed", string(who), plain))
}

// weigh adds to a sighting what the tables know: failures since the last sign-in, and what the
// network does to other accounts. It returns how network and account stand there; no network
// for a connection without an address.
func (s *Service) weigh(ctx context.Context, q db.Querier, who account.ID, addr netip.Addr, p habit.Profile, sighting *habit.Sighting) (network, subject []byte, err error) {
	if subject, err = s.subject(ctx, who, ""); err != nil {
		return nil, nil, err
	}
	since := sighting.At.Add(-failuresFor).UnixMilli()
	if last := p.Last.UnixMilli(); !p.Last.IsZero() && !p.Last.After(sighting.At) {
		since = max(since, last)
	}
	if sighting.Failures, err = countFailures(ctx, q, subject, since, habit.ManyFailures); err != nil || !addr.IsValid() {
		return nil, subject, err
	}
	if network, err = s.network(ctx, addr, subject); err != nil {
		return nil, nil, err
	}
	sighting.Crowd, err = s.crowd(ctx, q, network, sighting.At)
	return network, subject, err
}

// crowd is what a network did lately. It costs one short look for a network with few failures.
func (s *Service) crowd(ctx context.Context, q db.Querier, network []byte, now time.Time) (habit.Crowd, error) {
	var c habit.Crowd
	least := habit.Suspect[0].Failed
	day := now.Add(-24 * time.Hour).UnixMilli()
	n, err := countNetwork(ctx, q, network, day, least)
	if err != nil || n < least {
		return c, err
	}
	failures, entries, err := readTries(ctx, q, network, day, maxTries)
	if err != nil {
		return c, err
	}
	// Of a busy network the latest tries count, over the same time for failures and sign-ins.
	for _, tries := range [][]tryRow{failures, entries} {
		if len(tries) == maxTries {
			day = max(day, tries[maxTries-1].At-1)
		}
	}
	c.Hour = tally(failures, entries, max(day, now.Add(-time.Hour).UnixMilli()))
	c.Day = tally(failures, entries, day)
	return c, nil
}

const (
	// maxTries is how many failures, and how many sign-ins, of one network are compared.
	maxTries = 3000
	// triesAnHour is how many failures with one name, and how many sign-ins of one account, a
	// network has among those in an hour. More would add nothing to a comparison of accounts,
	// and noise of a few names would push the others out: with five, thirty names all day long
	// leave room for a whole day, and forty are found.
	triesAnHour = 5
)

// tally counts names that failed after a time and whose accounts did not sign in, and accounts
// that did.
func tally(failures, entries []tryRow, since int64) (t habit.Tally) {
	in, out := map[string]bool{}, map[string]bool{}
	for _, e := range entries {
		if e.At > since {
			in[e.Subject] = true
		}
	}
	for _, f := range failures {
		if f.At > since && !in[f.Subject] {
			out[f.Name] = true
			t.Tries++
		}
	}
	t.Failed, t.Succeeded = len(out), len(in)
	return t
}

// judge is what session asks of a sign-in whose first proof was right.
func (s *Service) judge(ctx context.Context, st account.State, e session.Entering) (session.Verdict, error) {
	key, err := s.Accounts.DataKey(ctx, s.DB, st.ID)
	if err != nil {
		return session.Verdict{}, err
	}
	p, err := s.habitOf(ctx, s.DB, key, st.ID)
	if err != nil {
		return session.Verdict{}, err
	}
	device, place := s.Sessions.Client(e.Client)
	sighting, addr := s.seen(e.At, e.Client.Addr.String(), device)
	sighting.Remembered, sighting.Layers, sighting.Strong = e.Known, len(st.Layers) > 0, e.Method != session.AMRPassword
	if _, _, err := s.weigh(ctx, s.DB, st.ID, addr, p, &sighting); err != nil {
		return session.Verdict{}, err
	}
	found := p.Judge(sighting)
	worst := habit.Worst(found)
	v := session.Verdict{AskAll: worst >= habit.AskAll, Hold: worst >= habit.Hold && !sighting.Remembered && !sighting.Strong && !sighting.Layers}
	if !v.Hold {
		return v, nil
	}
	d := details{Address: e.Client.Addr.String(), Place: place, Device: device, Methods: []string{e.Method}}
	d.note(found)
	return v, s.DB.Tx(ctx, func(tx *db.Tx) error {
		r := eventRow{ID: uuid.Must(uuid.NewV7()).String(), Account: st.ID, At: e.At.UnixMilli(), Kind: signInHeld}
		return s.keep(ctx, tx, r, d)
	})
}

// check judges a sign-in in the transaction that opens its session: it learns from it, and
// returns what stands out. The account's row is locked.
func (s *Service) check(ctx context.Context, tx *db.Tx, e event.Event) ([]habit.Finding, error) {
	who := account.ID(e.Account)
	st, err := s.Accounts.Hold(ctx, tx, who)
	if err != nil {
		return nil, err
	}
	key, err := s.Accounts.DataKey(ctx, tx, who)
	if err != nil {
		return nil, err
	}
	p, err := s.habitOf(ctx, tx, key, who)
	if err != nil {
		return nil, err
	}
	sighting, addr := s.seen(e.At, e.Data["address"], e.Data["device"])
	sighting.Remembered, sighting.Layers = e.Data["remembered"] == "true", len(st.Layers) > 0
	sighting.Strong = !slices.Contains(strings.Fields(e.Data["methods"]), session.AMRPassword)
	network, subject, err := s.weigh(ctx, tx, who, addr, p, &sighting)
	if err != nil {
		return nil, err
	}
	found := p.Judge(sighting)
	if e.Data["known"] == "true" { // its kind of client came from that network before
		found = slices.DeleteFunc(found, func(f habit.Finding) bool { return f.Rule == habit.NewDevice || f.Rule == habit.Stranger })
	}
	if err := s.keepHabit(ctx, tx, key, who, p.Learn(sighting)); err != nil {
		return nil, err
	}
	if network == nil {
		return found, nil
	}
	// LookBack passes this sign-in over: its owner is told now, or the device is remembered.
	judged := sighting.Remembered || slices.ContainsFunc(found, func(f habit.Finding) bool { return f.Rule == habit.Spraying || f.Rule == habit.Stuffing })
	return found, insertEntry(ctx, tx, entryRow{e.Data["session"], who, network, subject, e.At.UnixMilli(), judged}, e.At.Add(-time.Hour).UnixMilli(), triesAnHour)
}

// disown forgets what the owner of an account says was another person's sign-in.
func (s *Service) disown(ctx context.Context, tx *db.Tx, e event.Event) error {
	who := account.ID(e.Account)
	key, err := s.Accounts.DataKey(ctx, tx, who)
	if err != nil {
		return err
	}
	p, err := s.habitOf(ctx, tx, key, who)
	if err != nil {
		return err
	}
	sighting, _ := s.seen(e.At, e.Data["address"], e.Data["device"])
	return s.keepHabit(ctx, tx, key, who, p.Forget(sighting))
}

// disownSessions is disown for the sign-ins of sessions that their owner ended, wherever each
// came from.
func (s *Service) disownSessions(ctx context.Context, tx *db.Tx, who account.ID, ended []string) error {
	if len(ended) == 0 {
		return nil
	}
	rows, err := readEvents(ctx, tx, who, Filter{Kind: signedIn}, s.Now().Add(-s.HistoryTTL).UnixMilli(), nil, 200)
	if err != nil || len(rows) == 0 {
		return err
	}
	key, err := s.Accounts.DataKey(ctx, tx, who)
	if err != nil {
		return err
	}
	for _, r := range rows {
		one, err := openEvent(key, r, "")
		if err != nil || one.SessionID == nil || !slices.Contains(ended, *one.SessionID) || one.Device == nil {
			continue
		}
		e := event.Event{Account: string(who), At: one.At, Data: map[string]string{"address": one.Address, "device": *one.Device}}
		if err := s.disown(ctx, tx, e); err != nil {
			return err
		}
	}
	return nil
}

// alert tells the owner of findings, if one of them is to be told and was not within the hour.
// A new device has a mail of its own.
func (s *Service) alert(ctx context.Context, tx *db.Tx, who account.ID, found []habit.Finding, d session.Doubt) error {
	found = slices.DeleteFunc(slices.Clone(found), func(f habit.Finding) bool { return f.Consequence < habit.Tell || f.Rule == habit.NewDevice })
	if habit.Worst(found) < habit.Tell {
		return nil
	}
	told, err := s.toldLately(ctx, tx, who)
	if err != nil || len(told) >= alertsAnHour {
		return err
	}
	fresh := slices.ContainsFunc(found, func(f habit.Finding) bool {
		return !slices.ContainsFunc(told, func(rules []string) bool { return slices.Contains(rules, f.Rule) })
	})
	if !fresh {
		return nil
	}
	link, err := s.Sessions.AskOwner(ctx, tx, who, d)
	if err != nil {
		return err
	}
	data := map[string]string{"link": link, "device": d.Device, "place": d.Place, "address": d.Address}
	var rules []string
	for _, f := range found {
		rules = append(rules, f.Rule)
		data[f.Rule] = "yes" // the words of the mail ask for each
	}
	data["rules"], data["session"] = strings.Join(rules, " "), d.Session
	return s.Events.Record(ctx, tx, event.Event{Kind: alertKind, Account: string(who), Data: data})
}

// toldLately lists the rules of each alert of the last hour.
func (s *Service) toldLately(ctx context.Context, q db.Querier, who account.ID) ([][]string, error) {
	rows, err := readEvents(ctx, q, who, Filter{Kind: alertKind}, s.Now().Add(-time.Hour).UnixMilli(), nil, alertsAnHour)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	key, err := s.Accounts.DataKey(ctx, q, who)
	if err != nil {
		return nil, err
	}
	all := make([][]string, len(rows))
	for i, r := range rows {
		one, err := openEvent(key, r, "")
		if err != nil {
			continue // altered in the database: it still counts as one
		}
		for _, f := range one.Findings {
			all[i] = append(all[i], f.Rule)
		}
	}
	return all, nil
}

// findingsOf returns the findings that an alert names.
func findingsOf(rules string) (found []habit.Finding) {
	for _, name := range strings.Fields(rules) {
		for _, r := range habit.Rules {
			if r.Name == name {
				found = append(found, habit.Finding{Rule: r.Name, Score: r.Score, Consequence: r.Consequence})
			}
		}
	}
	return found
}

// checkFailed judges a wrong proof, as its account's history is written.
// tell says whether the owner hears of it: a campaign must not become one of mails.
func (s *Service) checkFailed(ctx context.Context, tx *db.Tx, f failure) (found []habit.Finding, tell bool, err error) {
	sighting, _ := s.seen(time.UnixMilli(f.At).UTC(), f.Address, f.Device)
	if sighting.Outcome = habit.Halfway; slices.Contains(firstProofs, f.Method) {
		sighting.Outcome = habit.Failed
	}
	if f.Session != "" {
		return nil, false, nil // the caller is signed in
	}
	// Its network is not judged here: an owner would learn from a failure of his own what others
	// did there.
	found = habit.Profile{}.Judge(sighting)
	return found, sighting.Outcome == habit.Halfway, nil
}

// count notes a wrong proof among those of all accounts, in the transaction of its request. A
// proof of a signed-in caller, and one that names nothing, is no guess at an account.
func (s *Service) count(ctx context.Context, tx *db.Tx, id string, f session.Failure) (network []byte, err error) {
	if f.Apart || f.Session != "" || f.Account == "" && f.Subject == "" || !f.Client.Addr.IsValid() {
		return nil, nil
	}
	subject, err := s.subject(ctx, f.Account, f.Subject)
	if err != nil {
		return nil, err
	}
	if network, err = s.network(ctx, f.Client.Addr, subject); err != nil {
		return nil, err
	}
	// Names are counted, not accounts: a count shows neither that a name has an account, nor that
	// two names are of one.
	name, err := s.Ring.Index(ctx, "guard.name", f.Subject)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	return network, insertFailure(ctx, tx, id, f.Account, failureRow{network, subject, name}, now.UnixMilli(), now.Add(-time.Hour).UnixMilli(), triesAnHour)
}

// offend notes the network of a failure that guesses at many accounts, and blocks the address of
// one that is hostile.
func (s *Service) offend(ctx context.Context, network []byte, client rest.Client) error {
	c, err := s.crowd(ctx, s.DB, network, s.Now())
	if err != nil {
		return err
	}
	for _, f := range c.Judge() {
		if err := suspectNetwork(ctx, s.DB, network, s.Now().UnixMilli()); err != nil {
			return err
		}
		s.Log.WarnContext(ctx, "guard: a network guesses at many accounts", "rule", f.Rule, "consequence", f.Consequence.String(),
			"accounts", max(c.Hour.Failed, c.Day.Failed))
		if f.Consequence == habit.Block && s.Offence != nil {
			return s.Offence(ctx, client.Addr, f.Rule)
		}
	}
	return nil
}

// LookBack tells owners of sign-ins from networks that turned out to guess at many accounts
// after the sign-in.
func (s *Service) LookBack(ctx context.Context) error {
	now := s.Now()
	networks, err := suspectNetworks(ctx, s.DB, now.Add(-24*time.Hour).UnixMilli())
	if err != nil {
		return err
	}
	var failed []error
	for _, network := range networks {
		c, err := s.crowd(ctx, s.DB, network, now)
		if err != nil {
			return err
		}
		found := c.Judge()
		if len(found) == 0 {
			continue
		}
		since := now.Add(-24 * time.Hour)
		if len(habit.Crowd{Day: c.Day}.Judge()) == 0 { // the last hour alone stands out
			since = now.Add(-time.Hour)
		}
		entries, err := unjudged(ctx, s.DB, network, since.UnixMilli())
		if err != nil {
			return err
		}
		for _, e := range entries {
			if err := s.tellLate(ctx, e, found); err != nil { // the others are told all the same
				failed = append(failed, err)
			}
		}
	}
	return errors.Join(failed...)
}

func (s *Service) tellLate(ctx context.Context, e entryRow, found []habit.Finding) error {
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, e.Account); err != nil {
			return err
		}
		won, err := judgeEntry(ctx, tx, e.ID)
		if err != nil || !won {
			return err
		}
		d, err := s.doubtOf(ctx, tx, e)
		if err != nil {
			return err
		}
		return s.alert(ctx, tx, e.Account, found, d)
	})
	if errors.Is(err, account.ErrNotFound) {
		return nil // deleted meanwhile
	}
	return err
}

// doubtOf is what the history knows of a sign-in.
func (s *Service) doubtOf(ctx context.Context, tx *db.Tx, e entryRow) (session.Doubt, error) {
	d := session.Doubt{Session: e.ID, At: time.UnixMilli(e.At).UTC()}
	rows, err := readEvents(ctx, tx, e.Account, Filter{Kind: signedIn, Until: time.UnixMilli(e.At + 1)}, e.At-1, nil, 20)
	if err != nil || len(rows) == 0 {
		return d, err
	}
	key, err := s.Accounts.DataKey(ctx, tx, e.Account)
	if err != nil {
		return d, err
	}
	for _, r := range rows {
		one, err := openEvent(key, r, "")
		if err != nil || one.SessionID == nil || *one.SessionID != e.ID {
			continue
		}
		d.Address = one.Address
		if one.Device != nil {
			d.Device = *one.Device
		}
		if one.Place != nil {
			d.Place = *one.Place
		}
	}
	return d, nil
}
