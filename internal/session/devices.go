package session

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/rest"
)

// The cookies, and what tokens start with. A __Host- cookie is Secure, of this host alone
// and of every path (RFC 6265bis §4.1.3.2).
const (
	refreshCookie = "__Host-coffer-refresh"
	deviceCookie  = "__Host-coffer-device"
	deviceVersion = "cd1."
	inBody        = "body"
)

func cookie(name, value string, life time.Duration) http.Cookie {
	return http.Cookie{
		Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		MaxAge: max(1, int(seconds(life))),
	}
}

// seconds counts what is begun as whole: what has just been given out says its full life.
func seconds(d time.Duration) int64 { return max(0, int64((d+time.Second-1)/time.Second)) }

// Device is a session as its owner sees it.
type Device struct {
	ID         string    `json:"id"`
	Name       string    `json:"name" doc:"What the owner, or the client, calls it; may be empty."`
	Device     string    `json:"device" doc:"Browser and system, as far as they say."`
	Address    string    `json:"address" doc:"Where it signed in from."`
	Place      string    `json:"place" doc:"Where that address is, as far as the operator's database knows."`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at" doc:"The last sign-in or refresh."`
	ExpiresAt  time.Time `json:"expires_at" doc:"When it ends unless it is used before."`
	AAL        string    `json:"aal"`
	Current    bool      `json:"current" doc:"This is the session that asks."`
}

var errNoSession = fault.New(fault.NotFound, "not_found", "There is no such session.")

// unknownDevice is shown of a session whose label does not open.
const unknownDevice = "unknown device"

func (s *Service) deviceFrom(ctx context.Context, key *keyring.DataKey, r row, current string) Device {
	l := s.labelOf(ctx, key, r)
	return Device{
		ID: r.ID, Name: l.Name, Device: l.Device, Address: l.Addr, Place: l.Place, AAL: r.AAL, Current: r.ID == current,
		CreatedAt: time.UnixMilli(r.Created).UTC(), LastUsedAt: time.UnixMilli(r.RefreshedAt).UTC(),
		ExpiresAt: time.UnixMilli(min(r.RefreshExpires, r.Expires)).UTC(),
	}
}

// labelOf opens a session's label. One that is damaged must not hide the session, nor the
// others, from an owner who looks for what to end.
func (s *Service) labelOf(ctx context.Context, key *keyring.DataKey, r row) label {
	l, err := openLabel(key, r.ID, r.Label)
	if err != nil {
		s.Log.ErrorContext(ctx, "session: a label does not open", "id", r.ID, "err", err)
		return label{Device: unknownDevice}
	}
	return l
}

// List returns the live sessions of the caller's account, the newest first.
func (s *Service) List(ctx context.Context, c rest.Caller, page rest.Paging) (rest.Page[Device], error) {
	out := rest.Page[Device]{Items: []Device{}}
	created, id, err := parseCursor(page.Cursor)
	if err != nil {
		return out, err
	}
	who := account.ID(c.Account)
	st, err := s.Accounts.State(ctx, who)
	if err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		out = rest.Page[Device]{Items: []Device{}}
		key, err := s.Accounts.DataKey(ctx, tx, who)
		if err != nil {
			return err
		}
		rows, err := listSessions(ctx, tx, who, st.SessionEpoch, s.Now().UnixMilli(), created, id, page.Limit+1)
		if err != nil {
			return err
		}
		if len(rows) > page.Limit {
			rows = rows[:page.Limit]
			last := rows[page.Limit-1]
			out.NextCursor = b64.EncodeToString([]byte(strconv.FormatInt(last.Created, 10) + " " + last.ID))
		}
		for _, r := range rows {
			switch err := s.checkRow(ctx, r); {
			case errors.Is(err, errAltered): // not this account's, or no session that anything opens
			case err != nil:
				return err
			default:
				out.Items = append(out.Items, s.deviceFrom(ctx, key, r, c.Session))
			}
		}
		return nil
	})
	return out, err
}

func parseCursor(cursor string) (created int64, id string, err error) {
	if cursor == "" {
		return math.MaxInt64, "", nil
	}
	b, ok := decode(cursor)
	first, id, _ := strings.Cut(string(b), " ")
	created, err = strconv.ParseInt(first, 10, 64)
	if !ok || err != nil || !isID(id) {
		return 0, "", fault.InvalidField("query.cursor", "invalid", "That is not a next_cursor of this list.")
	}
	return created, id, nil
}

// live returns what reads a live session of an account: one whose time is not over and
// that the account's version still counts.
func (s *Service) live(ctx context.Context, who account.ID, id string) (func(db.Querier) (row, error), error) {
	if !isID(id) {
		return nil, errNoSession
	}
	st, err := s.Accounts.State(ctx, who)
	if err != nil {
		return nil, err
	}
	return func(q db.Querier) (row, error) {
		r, err := readSession(ctx, q, who, id, st.SessionEpoch, s.Now().UnixMilli())
		if err == nil {
			err = s.checkRow(ctx, r)
		}
		if errors.Is(err, db.ErrNoRows) || errors.Is(err, errAltered) {
			err = errNoSession
		}
		return r, err
	}, nil
}

// Get returns one live session of the caller's account; not_found for any other.
func (s *Service) Get(ctx context.Context, c rest.Caller, id string) (Device, error) {
	var out Device
	who := account.ID(c.Account)
	live, err := s.live(ctx, who, id)
	if err != nil {
		return out, err
	}
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := live(tx)
		if err != nil {
			return err
		}
		key, err := s.Accounts.DataKey(ctx, tx, who)
		if err != nil {
			return err
		}
		out = s.deviceFrom(ctx, key, r, c.Session)
		return nil
	})
	return out, err
}

// Rename gives a session another name.
func (s *Service) Rename(ctx context.Context, c rest.Caller, id, name string) (Device, error) {
	name = cleanName(name)
	if name == "" {
		return Device{}, fault.InvalidField("/name", "required", "A name has at least one visible character.")
	}
	who := account.ID(c.Account)
	var out Device
	live, err := s.live(ctx, who, id)
	if err != nil {
		return out, err
	}
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		r, err := live(tx)
		if err != nil {
			return err
		}
		key, err := s.Accounts.DataKey(ctx, tx, who)
		if err != nil {
			return err
		}
		l := s.labelOf(ctx, key, r)
		l.Name = name
		r.Label = sealLabel(key, id, l)
		if ok, err := setLabel(ctx, tx, who, id, r.Label); err != nil {
			return err
		} else if !ok {
			return errNoSession // ended meanwhile
		}
		out = s.deviceFrom(ctx, key, r, c.Session)
		return nil
	})
	return out, err
}

// Revoke ends one session of an account and forgets the device that it was opened from: who
// ends a session from a list wants that device out. Code not_found when it is nobody's or somebody else's.
func (s *Service) Revoke(ctx context.Context, who account.ID, id string) error {
	live, err := s.live(ctx, who, id)
	if err == nil {
		_, err = live(s.DB)
	}
	if err != nil {
		return err
	}
	return s.expel(ctx, who, id)
}

// RevokeAll ends every session of an account except one ("" spares none), and forgets every
// device except that session's, also those that are signed out.
func (s *Service) RevokeAll(ctx context.Context, who account.ID, except string) error {
	ids, err := sessionIDs(ctx, s.DB, who, except)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := s.expel(ctx, who, id); err != nil {
			return err
		}
	}
	if err := forgetClients(ctx, s.DB, who, except); err != nil {
		return err
	}
	return deleteDevices(ctx, s.DB, who, except)
}

// ForgetDevices asks every device of an account for its layers again. A room whose layer is
// turned off calls it, so that no device is spared a layer that is set up anew.
func (s *Service) ForgetDevices(ctx context.Context, tx *db.Tx, who account.ID) error {
	return deleteDevices(ctx, tx, who, "")
}

// end kills first and tidies up after: the record's absence is what every node looks at.
func (s *Service) end(ctx context.Context, who account.ID, id string) error {
	if err := s.KV.Delete(ctx, recordName(id)); err != nil {
		return err
	}
	_, err := deleteSession(ctx, s.DB, who, id)
	return err
}

// expel is end for a device that is not to come back without its layers.
func (s *Service) expel(ctx context.Context, who account.ID, id string) error {
	if err := s.KV.Delete(ctx, recordName(id)); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if err := forgetClient(ctx, tx, who, id); err != nil {
			return err
		}
		_, err := deleteSessionAndDevice(ctx, tx, who, id)
		return err
	})
}

// StepUp implements rest.Authenticator: the last proof must be fresh, and as strong as the
// account can give (NIST SP 800-63B §4.1.2.1).
func (s *Service) StepUp(ctx context.Context, c rest.Caller) error {
	if s.Now().Sub(c.AuthTime) > s.StepUpTTL {
		return errStepUp
	}
	if c.AAL == AAL2 {
		return nil
	}
	layers, err := s.enabled(ctx, account.ID(c.Account))
	if err != nil {
		return err
	}
	for _, l := range layers {
		if _, aal2 := l.Assurance(); aal2 {
			return errStepUp
		}
	}
	return nil
}

// Refusals implements rest.Authenticator.
func (s *Service) Refusals(to rest.Access) []*fault.Error {
	switch to {
	case rest.StepUp:
		return []*fault.Error{errStepUp}
	case rest.Attempt:
		return []*fault.Error{errUnauthenticated, errOver}
	case rest.Refresh:
		return []*fault.Error{errRefresh}
	}
	return nil
}

var errStepUp = fault.New(fault.Forbidden, "step_up_required", "Prove once more that it is you: POST /v1/account/reauthenticate, then try again.")

// label is what a session's owner recognises it by.
type label struct {
	Name   string `json:"name"`
	Device string `json:"device"`
	Addr   string `json:"addr"`
	Place  string `json:"place"`
}

func sealLabel(key *keyring.DataKey, id string, l label) []byte {
	b, err := json.Marshal(l)
	if err != nil {
		panic("internal error: a label does not marshal: " + err.Error()) // it is strings
	}
	return key.Seal("sessions", "label", id, b)
}

func openLabel(key *keyring.DataKey, id string, sealed []byte) (label, error) {
	var l label
	b, err := key.Open("sessions", "label", id, sealed)
	if err != nil {
		return l, err
	}
	return l, json.Unmarshal(b, &l)
}
