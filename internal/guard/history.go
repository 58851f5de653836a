package guard

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/event"
	"coffer/internal/habit"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/rest"
	"coffer/internal/seal"
	"coffer/internal/session"
)

// The outcomes of a happening.
const (
	ok      = "ok"      // the owner, or a person with the owner's proofs, did it
	failed  = "failed"  // a person without a right proof tried
	held    = "held"    // the proof was right, and the server wants the mailbox too
	noticed = "noticed" // the server found it
)

// outcomes are those of kinds that are not ok.
var outcomes = map[string]string{
	signInFailed: failed, "sign-up-exists": failed, "change-email-exists": failed,
	signInHeld:      held,
	"refresh-reuse": noticed, "passkey-cloned": noticed, "security-alert": noticed,
}

// keeps is how many happenings of each outcome an account keeps, the newest.
var keeps = map[string]int{ok: 2000, failed: 500, held: 500, noticed: 500}

// unkept are kinds that the history leaves out: another happening says it, or it is none of the
// account's doors.
var unkept = map[string]bool{"new-device": true, "files-received": true, "pin-failed": true, "account-deleted": true, account.FirstAdminMade: true}

const (
	signedIn     = "signed-in"
	signInFailed = "sign-in-failed"
	signInHeld   = "sign-in-held"
	deviceEnded  = "device-ended"  // an owner said No to "was this you?"
	sessionEnded = "session-ended" // by its owner, from the list
)

// details are what is sealed of a happening.
type details struct {
	Address  string    `json:"address,omitempty"`
	Place    string    `json:"place,omitempty"`
	Device   string    `json:"device,omitempty"`
	Methods  []string  `json:"methods,omitempty"`
	Session  string    `json:"session,omitempty"`
	Flags    []string  `json:"flags,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
}

// Finding is what a rule of the security check found.
type Finding struct {
	Rule        string `json:"rule"`
	Score       int    `json:"score" minimum:"0" maximum:"100"`
	Consequence string `json:"consequence" enum:"note,tell,ask_all,hold,block"`
}

// SignIn is one happening as its owner sees it.
type SignIn struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Kind      string    `json:"kind" doc:"signed-in, sign-in-failed, stepped-up, or the name of an event such as password-changed."`
	Outcome   string    `json:"outcome" enum:"ok,failed,held,noticed"`
	Address   string    `json:"address" doc:"Empty where none is known."`
	Place     *string   `json:"place" doc:"Place of the address, if the operator's database knows it."`
	Device    *string   `json:"device" doc:"Kind of client, such as Firefox on Linux."`
	Methods   []string  `json:"methods" doc:"Methods of the proof: RFC 8176 for one that was right, else its name, such as password or totp."`
	SessionID *string   `json:"session_id"`
	Here      bool      `json:"here" doc:"Whether it happened in the caller's session."`
	Flags     []string  `json:"flags" enum:"new_device,new_place,impossible_travel,odd_hour,after_failures,spraying,stuffing"`
	Findings  []Finding `json:"findings"`
}

// place is the row that the details of a happening are bound to.
func (r *eventRow) place() string {
	return string(seal.LP([]byte(r.ID), []byte(r.Account), binary.BigEndian.AppendUint64(nil, uint64(r.At)), []byte(r.Kind), []byte(r.Outcome)))
}

// hear is the listener that keeps events.
func (s *Service) hear(ctx context.Context, tx *db.Tx, e event.Event) error {
	if unkept[e.Kind] {
		return nil
	}
	d := details{Methods: strings.Fields(e.Data["methods"]), Session: e.Data["session"]}
	// An act by the caller of another account shows nothing of that caller.
	if c := rest.CallerIn(ctx); c.Account == "" || c.Account == e.Account {
		d.Session = cmp.Or(d.Session, c.Session)
		d.Address, d.Place, d.Device = e.Data["address"], e.Data["place"], e.Data["device"]
	}
	found := findingsOf(e.Data["rules"]) // of an alert
	if e.Kind == signedIn {
		var err error
		if found, err = s.check(ctx, tx, e); err != nil {
			return err
		}
		if e.Data["known"] == "false" && e.Data["first"] == "false" {
			d.Flags = append(d.Flags, habit.NewDevice)
		}
	}
	switch e.Kind {
	case deviceEnded:
		if err := s.disown(ctx, tx, e); err != nil {
			return err
		}
		if err := s.disownSessions(ctx, tx, account.ID(e.Account), strings.Fields(e.Data["sessions"])); err != nil {
			return err
		}
	case sessionEnded:
		if err := s.disownSessions(ctx, tx, account.ID(e.Account), []string{e.Data["session"]}); err != nil {
			return err
		}
	}
	d.note(found)
	r := eventRow{ID: uuid.Must(uuid.NewV7()).String(), Account: account.ID(e.Account), At: e.At.UnixMilli(), Kind: e.Kind}
	if err := s.keep(ctx, tx, r, d); err != nil || e.Kind != signedIn {
		return err
	}
	return s.alert(ctx, tx, r.Account, found, session.Doubt{Session: d.Session, Device: d.Device, Place: d.Place, Address: d.Address, At: e.At})
}

// keep adds a happening to an account's history.
func (s *Service) keep(ctx context.Context, tx *db.Tx, r eventRow, d details) error {
	key, err := s.Accounts.DataKey(ctx, tx, r.Account)
	if err != nil {
		return err
	}
	plain, err := json.Marshal(d)
	if err != nil {
		return err
	}
	r.Outcome = cmp.Or(outcomes[r.Kind], ok)
	r.Sealed = key.Seal("sign_in_events", "sealed", r.place(), plain)
	return insertEvent(ctx, tx, r, keeps[r.Outcome])
}

// failedJob adds a wrong proof, or a right one that was held, to the history of its account, if
// there is one.
const failedJob = "guard.failed"

// failure is the payload of the job.
type failure struct {
	ID      string     `json:"id"` // of the happening: a job may run twice
	Account account.ID `json:"account"`
	At      int64      `json:"at"`
	Address string     `json:"address"`
	Place   string     `json:"place"`
	Device  string     `json:"device"`
	Method  string     `json:"method"`
	Session string     `json:"session"`
	Held    bool       `json:"held"` // the proof was right
}

// failed hears of a wrong proof, in the request that gave it. It does the same for every
// account and for none.
func (s *Service) failed(ctx context.Context, f session.Failure) error {
	p := failure{ID: uuid.Must(uuid.NewV7()).String(), Account: f.Account, At: s.Now().UnixMilli(), Method: f.Method, Session: f.Session, Held: f.Held}
	p.Device, p.Place = s.Sessions.Client(f.Client)
	if f.Client.Addr.IsValid() {
		p.Address = f.Client.Addr.String()
	}
	var network []byte
	err := s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		if network, err = s.count(ctx, tx, p.ID, f); err != nil {
			return err
		}
		return s.Jobs.Enqueue(ctx, tx, failedJob, p)
	})
	if err != nil || network == nil {
		return err
	}
	return s.offend(ctx, network, f.Client)
}

func (s *Service) noteFailed(ctx context.Context, payload []byte) error {
	var f failure
	if err := json.Unmarshal(payload, &f); err != nil {
		return jobs.Permanent(fmt.Errorf("%s: %w", failedJob, err))
	}
	if f.Account == "" {
		return nil
	}
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, f.Account); err != nil {
			return err
		}
		found, tell, err := s.checkFailed(ctx, tx, f)
		if err != nil {
			return err
		}
		r := eventRow{ID: f.ID, Account: f.Account, At: f.At, Kind: signInFailed}
		if f.Held {
			r.Kind = signInHeld
		}
		d := details{Address: f.Address, Place: f.Place, Device: f.Device, Methods: []string{f.Method}, Session: f.Session}
		d.note(found)
		if err := s.keep(ctx, tx, r, d); err != nil || !tell {
			return err
		}
		return s.alert(ctx, tx, f.Account, found, session.Doubt{Device: f.Device, Place: f.Place, Address: f.Address, At: time.UnixMilli(f.At).UTC()})
	})
	if errors.Is(err, account.ErrNotFound) {
		return nil // deleted meanwhile
	}
	return err
}

// Filter chooses happenings. The zero value of a field chooses all.
type Filter struct {
	Kind    string
	Outcome string
	Since   time.Time // then or later
	Until   time.Time // before
}

// List returns one page of the caller's history, the newest first. A happening whose row was
// altered or moved in the database is left out.
func (s *Service) List(ctx context.Context, c rest.Caller, f Filter, page rest.Paging) (rest.Page[SignIn], error) {
	out := rest.Page[SignIn]{Items: []SignIn{}}
	who := account.ID(c.Account)
	key, err := s.Accounts.DataKey(ctx, s.DB, who)
	if err != nil {
		return out, err
	}
	after, err := key.OpenMark("sign_in_events", "", page.Cursor)
	if err != nil {
		return out, err
	}
	since := s.Now().Add(-s.HistoryTTL).UnixMilli()
	if !f.Since.IsZero() {
		since = max(since, f.Since.UnixMilli()-1)
	}
	rows, err := readEvents(ctx, s.DB, who, f, since, after, page.Limit+1)
	if err != nil {
		return out, err
	}
	if len(rows) > page.Limit {
		rows = rows[:page.Limit]
		last := rows[page.Limit-1]
		out.NextCursor = key.SealMark("sign_in_events", "", keyring.Mark{At: last.At, ID: last.ID})
	}
	for _, r := range rows {
		one, err := openEvent(key, r, c.Session)
		if err != nil {
			s.Log.ErrorContext(ctx, "guard: a happening does not open", "account", c.Account, "id", r.ID, "err", err)
			continue
		}
		out.Items = append(out.Items, one)
	}
	return out, nil
}

func openEvent(key *keyring.DataKey, r eventRow, here string) (SignIn, error) {
	var d details
	plain, err := key.Open("sign_in_events", "sealed", r.place(), r.Sealed)
	if err == nil {
		err = json.Unmarshal(plain, &d)
	}
	if err != nil {
		return SignIn{}, err
	}
	some := func(text string) *string {
		if text == "" {
			return nil
		}
		return &text
	}
	return SignIn{
		ID: r.ID, At: time.UnixMilli(r.At).UTC(), Kind: r.Kind, Outcome: r.Outcome, Address: d.Address, Place: some(d.Place), Device: some(d.Device),
		Methods: append([]string{}, d.Methods...), SessionID: some(d.Session), Here: d.Session != "" && d.Session == here,
		Flags: append([]string{}, d.Flags...), Findings: append([]Finding{}, d.Findings...),
	}, nil
}

// all iterates over what List pages through.
func (s *Service) all(ctx context.Context, c rest.Caller, f Filter) func(yield func(any, error) bool) {
	return func(yield func(any, error) bool) {
		page := rest.Paging{Limit: 200}
		for {
			list, err := s.List(ctx, c, f, page)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, one := range list.Items {
				if !yield(one, nil) {
					return
				}
			}
			if page.Cursor = list.NextCursor; page.Cursor == "" {
				return
			}
		}
	}
}
