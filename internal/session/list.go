package session

import (
	"context"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/rest"
	"coffer/internal/token"
)

// ListedSession is a session as its owner sees it.
type ListedSession struct {
	ID         string    `json:"id"`
	Name       string    `json:"name" doc:"Name that the owner or the client gave it; may be empty."`
	UserAgent  string    `json:"device" doc:"Browser, its version and the system, as far as known."`
	Address    string    `json:"address" doc:"Address of the sign-in."`
	Place      string    `json:"place" doc:"Place of that address, if the operator's database knows it."`
	CreatedAt  time.Time `json:"created_at"`
	LastUsedAt time.Time `json:"last_used_at" doc:"The last sign-in or refresh."`
	ExpiresAt  time.Time `json:"expires_at" doc:"When it ends unless it is used before."`
	AAL        string    `json:"aal"`
	AMR        []string  `json:"amr" doc:"Methods that proved who is there (RFC 8176)."`
	Current    bool      `json:"current" doc:"Whether this is the caller's session."`
}

var errNoSession = fault.New(fault.NotFound, "not_found", "Session not found.")

// unknownAgent is shown of a session whose label does not open.
const unknownAgent = "unknown device"

func (s *Service) listed(ctx context.Context, key *keyring.DataKey, r row, current string) ListedSession {
	l := s.labelOf(ctx, key, r)
	return ListedSession{
		ID: r.ID, Name: l.Name, UserAgent: l.UserAgent, Address: l.Addr, Place: l.Place, AAL: r.AAL, AMR: strings.Fields(r.AMR), Current: r.ID == current,
		CreatedAt: time.UnixMilli(r.Created).UTC(), LastUsedAt: time.UnixMilli(r.RefreshedAt).UTC(),
		ExpiresAt: time.UnixMilli(min(r.RefreshExpires, r.Expires)).UTC(),
	}
}

// labelOf opens a session's label. A damaged label must not hide its session, or others, from
// an owner who looks for sessions to end.
func (s *Service) labelOf(ctx context.Context, key *keyring.DataKey, r row) label {
	l, err := openLabel(key, r.ID, r.Label)
	if err != nil {
		s.Log.ErrorContext(ctx, "session: a label does not open", "id", r.ID, "err", err)
		return label{UserAgent: unknownAgent}
	}
	return l
}

// List returns the live sessions of the caller's account, the newest first.
func (s *Service) List(ctx context.Context, c rest.Caller, page rest.Paging) (rest.Page[ListedSession], error) {
	out := rest.Page[ListedSession]{Items: []ListedSession{}}
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
		out = rest.Page[ListedSession]{Items: []ListedSession{}}
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
			case errors.Is(err, errAltered): // the server wrote no such session
			case err != nil:
				return err
			default:
				out.Items = append(out.Items, s.listed(ctx, key, r, c.Session))
			}
		}
		return nil
	})
	return out, err
}

// Count returns how many live sessions an account has.
func (s *Service) Count(ctx context.Context, q db.Querier, who account.ID) (int64, error) {
	st, err := s.Accounts.State(ctx, who)
	if err != nil {
		return 0, err
	}
	return countSessions(ctx, q, who, st.SessionEpoch, s.Now().UnixMilli())
}

func parseCursor(cursor string) (created int64, id string, err error) {
	if cursor == "" {
		return math.MaxInt64, "", nil
	}
	b, bad := b64.DecodeString(cursor)
	first, id, _ := strings.Cut(string(b), " ")
	created, err = strconv.ParseInt(first, 10, 64)
	if bad != nil || err != nil || !token.IsID(id) || strings.ContainsAny(cursor, "\r\n") {
		return 0, "", fault.InvalidField("query.cursor", "invalid_cursor", "The cursor does not belong to this list.")
	}
	return created, id, nil
}

// live returns a function that reads a live session of an account: its time is not over, and
// its version is the account's. An id of the wrong form is answered as not found without
// asking the database, which may reject such text.
func (s *Service) live(ctx context.Context, who account.ID, id string) (func(db.Querier) (row, error), error) {
	if !token.IsID(id) {
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
func (s *Service) Get(ctx context.Context, c rest.Caller, id string) (ListedSession, error) {
	var out ListedSession
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
		out = s.listed(ctx, key, r, c.Session)
		return nil
	})
	return out, err
}

// Rename gives a session another name.
func (s *Service) Rename(ctx context.Context, c rest.Caller, id, name string) (ListedSession, error) {
	name = cleanName(name)
	if name == "" {
		return ListedSession{}, fault.InvalidField("/name", "required", "A name needs a visible character.")
	}
	who := account.ID(c.Account)
	var out ListedSession
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
		out = s.listed(ctx, key, r, c.Session)
		return nil
	})
	return out, err
}

// Revoke ends one session of an account and forgets the device that it was opened from: an
// owner who ends a session from the list wants that device out. Code not_found when the
// account has no such session.
func (s *Service) Revoke(ctx context.Context, who account.ID, id string) error {
	live, err := s.live(ctx, who, id)
	if err == nil {
		_, err = live(s.DB)
	}
	if err != nil {
		return err
	}
	return s.revokeAndForget(ctx, who, id)
}

// RevokeAll ends every session of an account except one ("" spares none). It forgets every
// remembered device except that session's, also those that are signed out.
//
// A device that signs in meanwhile either finds itself forgotten, or its session is among
// those that end: both hold the account's row. So the rows go before their records. After an
// error the rows may be gone; a job removes the records that are left.
func (s *Service) RevokeAll(ctx context.Context, who account.ID, except string) error {
	var ids []string
	err := s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, who); err != nil {
			return ended(err)
		}
		if err := deleteDevices(ctx, tx, who, except); err != nil {
			return err
		}
		if err := forgetClients(ctx, tx, who, except); err != nil {
			return err
		}
		if err := s.takeBack(ctx, tx, who); err != nil {
			return err
		}
		var err error
		if ids, err = sessionIDs(ctx, tx, who, except); err != nil {
			return err
		}
		for _, id := range ids {
			was, err := deleteSession(ctx, tx, who, id)
			if err == nil && was {
				err = s.noteEnd(ctx, tx, who, id)
			}
			if err != nil {
				return err
			}
		}
		return s.forgetLater(ctx, tx, ids)
	})
	if err != nil {
		return err
	}
	return s.removeRecords(context.WithoutCancel(ctx), ids)
}

// AddBegun adds what a room takes back when an owner shuts a session out: what its holder may have
// begun, and could complete without it. It runs in the transaction that deletes the session, when
// the account's row is held. The link of a reset is none of that: an intruder with a session could
// void an owner's again and again. The room calls AddBegun when it is made, before the first request.
func (s *Service) AddBegun(fn func(ctx context.Context, tx *db.Tx, id account.ID) error) {
	s.begun = append(s.begun, fn)
}

func (s *Service) takeBack(ctx context.Context, tx *db.Tx, id account.ID) error {
	for _, fn := range s.begun {
		if err := fn(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

// end removes the record first: from then on every node refuses the session.
func (s *Service) end(ctx context.Context, who account.ID, id string) error {
	if err := s.Tokens.End(ctx, id); err != nil {
		return err
	}
	_, err := deleteSession(ctx, s.DB, who, id)
	return err
}

// revokeAndForget is end, and its device must pass its layers again.
func (s *Service) revokeAndForget(ctx context.Context, who account.ID, id string) error {
	if err := s.Tokens.End(ctx, id); err != nil {
		return err
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		if _, err := s.Accounts.Hold(ctx, tx, who); err != nil {
			return ended(err)
		}
		if err := forgetClient(ctx, tx, who, id); err != nil {
			return err
		}
		was, err := deleteSessionAndDevice(ctx, tx, who, id)
		if err == nil && was {
			err = s.takeBack(ctx, tx, who)
		}
		if err != nil || !was {
			return err
		}
		return s.noteEnd(ctx, tx, who, id)
	})
}
