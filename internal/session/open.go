package session

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/keyring"
	"coffer/internal/token"
)

// pendingSession is a session that is opened, or renewed, once the layers in Asked are
// passed. An attempt holds it sealed.
type pendingSession struct {
	Account   account.ID   `json:"account"`
	Ver       int64        `json:"ver"`
	AMR       []string     `json:"amr"`
	Asked     []askedLayer `json:"asked"`
	Passed    []string     `json:"passed"` // layers that were asked and are passed
	Known     []string     `json:"known"`  // layers that the remembered device need not pass again
	PublicKey []byte       `json:"public_key"`
	Name      string       `json:"name"`
	UserAgent string       `json:"agent"`
	Addr      string       `json:"addr"`
	Remember  bool         `json:"remember"`
	InBody    bool         `json:"in_body"`
	Bound     bool         `json:"bound"`  // its requests must be signed
	Device    []byte       `json:"device"` // digest of the remembered device's token, which a new one replaces
	KnownTill int64        `json:"known_till"`
	Proven    int64        `json:"proven"`   // when the device passed a layer that it is spared now; 0: it is spared none
	Family    []byte       `json:"family"`   // of the remembered device
	Linked    bool         `json:"linked"`   // see deviceRow
	Replaces  string       `json:"replaces"` // the session that this browser had
	Owner     account.ID   `json:"owner"`    // of that session
	Renews    string       `json:"renews"`   // the session that wants a fresh proof; "" opens a new one
	Proof     []string     `json:"proof"`    // methods of a proof that passed every layer; nil: none did
}

// askedLayer is one layer that an attempt asks for.
type askedLayer struct {
	Layer string `json:"layer"`
	Held  bool   `json:"held"` // until all others are passed
	Prompt
}

func (p pendingSession) asks(layer string) bool {
	return slices.ContainsFunc(p.Asked, func(q askedLayer) bool { return q.Layer == layer })
}

// mayAnswer refuses an answer for a layer that is not asked, or not yet.
func (p pendingSession) mayAnswer(layer string) error {
	for _, q := range p.Asked {
		if q.Layer == layer && q.Held {
			return ErrHeld
		}
	}
	if !p.asks(layer) {
		return ErrNotAsked
	}
	return nil
}

func (p pendingSession) passed(layer string) bool { return slices.Contains(p.Passed, layer) }

// Opened is an open session, with the tokens that its client gets now. Lives are counted
// from now.
type Opened struct {
	ID           string
	Account      account.ID
	AAL          string
	AMR          []string
	ServerKey    *token.PublicKey
	Bound        bool
	AccessToken  string
	AccessLife   time.Duration
	RefreshToken string // "" when the client keeps the one that it has
	RefreshLife  time.Duration
	DeviceToken  string // "" unless the device is remembered anew
	DeviceLife   time.Duration
	Recovery     *Recovery // of a recovery session; else nil
	InBody       bool      // the client wants refresh and device tokens where it can read them
}

// open makes the session. first runs in the transaction that does so, and may refuse. key
// is the account's data key, nil when it was not looked up yet.
//
// The record is stored before the transaction commits: a session that was acknowledged has
// both its record and its row. A record without a row opens nothing and expires.
func (s *Service) open(ctx context.Context, p pendingSession, aal string, key *keyring.DataKey, first func(ctx context.Context, tx *db.Tx, id string) error) (Outcome, error) {
	raw, err := s.random(familySize + secretSize)
	if err != nil {
		return Outcome{}, err
	}
	family, secret := raw[:familySize], raw[familySize:]
	now := s.Now()
	life := s.SessionTTL
	if aal == AALRecovery {
		life = min(life, s.RecoveryTTL)
	}
	end := now.Add(life)
	keys, err := s.Tokens.Open(ctx, p.PublicKey, p.Bound, end)
	if err != nil {
		return Outcome{}, err
	}
	r := row{
		ID: keys.Session, Account: p.Account, Ver: p.Ver, AAL: aal, AMR: strings.Join(p.AMR, " "), AuthTime: now.UnixMilli(), PublicKey: keys.Client,
		Family: familyDigest(family), RefreshHash: tokenDigest(secret), RefreshedAt: now.UnixMilli(),
		RefreshExpires: now.Add(min(s.RefreshTTL, life)).UnixMilli(), Created: now.UnixMilli(), Expires: end.UnixMilli(),
	}
	if p.Proven != 0 {
		r.AuthTime = min(r.AuthTime, p.Proven) // the password alone is no fresh proof
	}
	var remembered newDevice
	var ended []string
	err = s.DB.Tx(ctx, func(tx *db.Tx) (err error) {
		// The account's row comes first, as in the transaction that deletes the account: of the
		// two one waits, and a session is either refused or seen by the deletion.
		firstTime, err := s.Accounts.SignedIn(ctx, tx, p.Account)
		if errors.Is(err, account.ErrNotFound) {
			return account.ErrCredentials.Because(err) // deleted meanwhile: as if it never was
		}
		if err != nil {
			return err
		}
		if first != nil {
			if err := first(ctx, tx, r.ID); err != nil {
				return err
			}
		}
		if key == nil {
			if key, err = s.Accounts.DataKey(ctx, tx, p.Account); err != nil {
				return err
			}
		}
		r.Device, r.DeviceFamily = p.Device, p.Family
		if p.Remember {
			// The row is locked, so an owner who chose "always ask" a moment ago is obeyed.
			st, err := s.Accounts.Hold(ctx, tx, p.Account)
			if err != nil {
				return err
			}
			p.Remember = !st.AlwaysAsk
		}
		if p.Remember {
			if remembered, err = s.remember(ctx, tx, key, p); err != nil {
				return err
			}
			r.Device, r.DeviceFamily = remembered.digest, remembered.family
		}
		r.Label = sealLabel(key, r.ID, s.describe(p))
		if err := s.sealRow(ctx, &r); err != nil {
			return err
		}
		if err := insertSession(ctx, tx, r); err != nil {
			return err
		}
		if ended, err = s.endSurplus(ctx, tx, r, p.Replaces); err != nil {
			return err
		}
		return s.noteDevice(ctx, tx, key, p, r, firstTime)
	})
	if err != nil {
		if kept := s.Tokens.End(context.WithoutCancel(ctx), r.ID); kept != nil {
			s.Log.WarnContext(ctx, "session: a record stays until it expires", "err", kept)
		}
		return Outcome{}, err
	}
	s.countOpened(p.AMR)
	s.endRecords(ctx, ended)
	if p.Replaces != "" {
		if err := s.end(context.WithoutCancel(ctx), p.Owner, p.Replaces); err != nil {
			s.Log.WarnContext(ctx, "session: the browser's former session lives on", "err", err)
		}
	}
	out, err := s.issue(ctx, r, keys)
	if err != nil {
		return Outcome{}, err
	}
	out.RefreshToken, out.InBody = refreshToken(family, secret), p.InBody
	out.DeviceToken, out.DeviceLife = remembered.token, remembered.life
	return Outcome{Opened: out}, nil
}

// issue makes the access token of a session.
func (s *Service) issue(ctx context.Context, r row, keys *token.Keys) (*Opened, error) {
	amr, end := strings.Fields(r.AMR), time.UnixMilli(min(r.RefreshExpires, r.Expires))
	access, life, err := s.Tokens.Mint(ctx, keys, token.Payload{
		Account: r.Account, AAL: r.AAL, AMR: amr, AuthTime: r.AuthTime / 1000, Ver: r.Ver,
	}, end)
	if err != nil {
		return nil, err
	}
	recovery, err := s.recoveryOf(ctx, r)
	if err != nil {
		return nil, err
	}
	return &Opened{
		Recovery: recovery, ID: r.ID, Account: r.Account, AAL: r.AAL, AMR: amr, ServerKey: keys.ServerKey(), Bound: keys.Bound(), AccessToken: access, AccessLife: life,
		RefreshLife: time.UnixMilli(r.RefreshExpires).Sub(s.Now()),
	}, nil
}

// keysOf returns the keys of a session; token.ErrEnded when its record is gone.
func (s *Service) keysOf(ctx context.Context, r row) (*token.Keys, error) {
	return s.Tokens.Keys(ctx, r.ID, r.PublicKey)
}

// rowOf returns the session that a good refresh token belongs to; the zero row for any other
// token.
func (s *Service) rowOf(ctx context.Context, text string) (row, error) {
	family, secret, ok := parseRefresh(text)
	if !ok {
		return row{}, nil
	}
	r, err := readByFamily(ctx, s.DB, familyDigest(family))
	if errors.Is(err, db.ErrNoRows) || err == nil && !equal(r.RefreshHash, tokenDigest(secret)) {
		return row{}, nil
	}
	if err == nil {
		err = s.checkRow(ctx, r)
	}
	if errors.Is(err, errAltered) {
		return row{}, nil
	}
	return r, err
}
