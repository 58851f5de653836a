package session

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/keyring"
	"coffer/internal/rest"
)

// Opening is what every call that may open a session accepts.
type Opening struct {
	PublicKey      *PublicKey `json:"public_key,omitempty" doc:"The client's public key; without one the server makes a throw-away pair."`
	DeviceName     string     `json:"device_name,omitempty" maxLength:"100" doc:"What the list of devices calls this one."`
	RememberDevice bool       `json:"remember_device,omitempty" doc:"Do not ask this device again for the layers it passes now."`
	DeviceToken    string     `json:"device_token,omitempty" maxLength:"100" doc:"Of an earlier sign-in with remember_device, for clients without cookies."`
	RefreshIn      string     `json:"refresh_in,omitempty" enum:"cookie,body" default:"cookie" doc:"Where refresh and device tokens go: browsers want the cookie, which scripts cannot read."`
}

// Browser is the part of a request that only browsers send.
type Browser struct {
	RefreshCookie string `cookie:"__Host-coffer-refresh" doc:"Set by the server."`
	DeviceCookie  string `cookie:"__Host-coffer-device" doc:"Set by the server."`
}

// Entry is a first proof of who somebody is: a right password, to begin with.
type Entry struct {
	Account account.State
	AMR     string // the method (RFC 8176)
	Opening
	Browser
	Client rest.Client
}

// plan is a session that may be opened once Asked is passed. It lies sealed in attempts.
type plan struct {
	Account   account.ID `json:"account"`
	Ver       int64      `json:"ver"`
	AMR       []string   `json:"amr"`
	Asked     []asked    `json:"asked"`
	Passed    []string   `json:"passed"` // layers that were asked and are passed
	Known     []string   `json:"known"`  // layers that this device need not pass again
	PublicKey []byte     `json:"public_key"`
	Name      string     `json:"name"`
	Agent     string     `json:"agent"`
	Addr      string     `json:"addr"`
	Remember  bool       `json:"remember"`
	InBody    bool       `json:"in_body"`
	Device    []byte     `json:"device"` // digest of this device's token, which a new one replaces
	KnownTill int64      `json:"known_till"`
	Replaces  string     `json:"replaces"` // the session that this browser had
	Owner     account.ID `json:"owner"`    // of that session
	Renews    string     `json:"renews"`   // the session that wants a fresh proof; "" opens a new one
}

// asked is one layer that an attempt asks for.
type asked struct {
	Layer string `json:"layer"`
	Prompt
}

var errDeactivated = fault.New(fault.Forbidden, "account_deactivated", "This account is deactivated. Activate it to sign in again.")

// Enter goes on from a first proof: it opens a session, or begins an attempt for the
// layers that this device has yet to pass. Codes: account_deactivated, invalid_public_key.
func (s *Service) Enter(ctx context.Context, e Entry) (*Answer, error) {
	if e.Account.Status != account.Active {
		return nil, errDeactivated
	}
	p := plan{
		Account: e.Account.ID, Ver: e.Account.SessionEpoch, AMR: []string{e.AMR}, Name: cleanName(e.DeviceName), Agent: e.Client.UserAgent,
		Addr: e.Client.Addr.String(), Remember: e.RememberDevice, InBody: e.RefreshIn == inBody,
	}
	if e.PublicKey != nil {
		k, err := parseClientKey(e.PublicKey)
		if err != nil {
			return nil, err
		}
		p.PublicKey = k.public.Bytes()
	}
	d, digest, err := s.deviceOf(ctx, e.Opening, e.Browser)
	if err != nil {
		return nil, err
	}
	if d.Account == p.Account && d.Ver == p.Ver {
		p.Known, p.Device, p.KnownTill = d.Layers, digest, d.Expires
	}
	if p.Owner, p.Replaces, err = s.sessionOf(ctx, e.RefreshCookie); err != nil {
		return nil, err
	}
	layers, err := s.enabled(ctx, p.Account)
	if err != nil {
		return nil, err
	}
	layers = slices.DeleteFunc(layers, func(l Layer) bool { return slices.Contains(p.Known, l.Name()) })
	if len(layers) > 0 {
		return s.begin(ctx, p, layers)
	}
	return s.open(ctx, p, AAL1, nil)
}

// enabled lists the layers that the account has on: those whose room says so, and those that
// the account's seal names. One whose row was deleted by hand is asked for, and not passed.
func (s *Service) enabled(ctx context.Context, id account.ID) ([]Layer, error) {
	st, err := s.Accounts.State(ctx, id)
	if err != nil {
		return nil, err
	}
	var on []Layer
	for _, l := range s.layers {
		ok, err := l.Enabled(ctx, s.DB, id)
		if err != nil {
			return nil, err
		}
		if ok || slices.Contains(st.Layers, l.Name()) {
			on = append(on, l)
		}
	}
	return on, nil
}

// open makes the session. first runs in the transaction that does, and may refuse.
//
// The record is stored before the transaction commits, so that a session that was
// acknowledged has both; a record without a row opens nothing and expires.
func (s *Service) open(ctx context.Context, p plan, aal string, first func(context.Context, *db.Tx) error) (*Answer, error) {
	raw, err := s.random(idSize + 16 + 32)
	if err != nil {
		return nil, err
	}
	sid, family, secret := b64.EncodeToString(raw[:idSize]), raw[idSize:idSize+16], raw[idSize+16:]
	now := s.Now()
	r := row{
		ID: sid, Account: p.Account, Ver: p.Ver, AAL: aal, AMR: strings.Join(p.AMR, " "), AuthTime: now.UnixMilli(), PublicKey: p.PublicKey,
		Family: familyDigest(family), RefreshHash: tokenDigest(secret), RefreshedAt: now.UnixMilli(),
		RefreshExpires: now.Add(min(s.RefreshTTL, s.SessionTTL)).UnixMilli(), Created: now.UnixMilli(), Expires: now.Add(s.SessionTTL).UnixMilli(),
	}
	d, err := s.newRecord(ctx, &r)
	if err != nil {
		return nil, err
	}
	out := s.newAnswer(r, d)
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		if first != nil {
			if err := first(ctx, tx); err != nil {
				return err
			}
		}
		key, err := s.Accounts.DataKey(ctx, tx, p.Account)
		if err != nil {
			return err
		}
		r.Label = sealLabel(key, sid, s.describe(p))
		if r.Device, err = s.remember(ctx, tx, key, p, out); err != nil {
			return err
		}
		if err := s.sealRow(ctx, &r); err != nil {
			return err
		}
		if err := insertSession(ctx, tx, r); err != nil {
			return err
		}
		return s.signedIn(ctx, tx, key, p, sid)
	})
	if err != nil {
		if derr := s.KV.Delete(context.WithoutCancel(ctx), recordName(sid)); derr != nil {
			s.Log.WarnContext(ctx, "session: a record stays until it expires", "err", derr)
		}
		return nil, err
	}
	if p.Replaces != "" {
		if err := s.end(context.WithoutCancel(ctx), p.Owner, p.Replaces); err != nil {
			s.Log.WarnContext(ctx, "session: the browser's former session lives on", "err", err)
		}
	}
	return out, s.issue(ctx, out, r, d, refreshToken(family, secret), p.InBody)
}

// newRecord makes the server's key, and the client's where it brought none, and stores
// the session's record.
func (s *Service) newRecord(ctx context.Context, r *row) (*derived, error) {
	c := suites[0]
	if r.PublicKey == nil {
		thrown, err := s.newPair(c)
		if err != nil {
			return nil, err
		}
		r.PublicKey = thrown.PublicKey().Bytes()
	} else {
		c = suiteOf(r.PublicKey)
	}
	private, err := s.newPair(c)
	if err != nil {
		return nil, err
	}
	rec := record{private: private.Bytes(), client: sha256.Sum256(r.PublicKey), expires: r.Expires}
	sealed, err := s.putRecord(ctx, r.ID, rec)
	if err != nil {
		return nil, err
	}
	d, err := s.deriveFrom(r.ID, rec, sealed, r.PublicKey)
	if err != nil {
		return nil, err
	}
	s.derived.Set(derivedKey{r.ID, sha256.Sum256(sealed), rec.client}, d)
	return d, nil
}

// remember makes this device one that has passed its layers, and returns the digest of its
// token; none for a device that is not remembered. What it passed at an earlier sign-in it
// is spared no longer for being remembered again.
func (s *Service) remember(ctx context.Context, tx *db.Tx, key *keyring.DataKey, p plan, out *Answer) ([]byte, error) {
	if !p.Remember {
		return p.Device, nil
	}
	raw, err := s.random(32)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	expires := now.Add(s.DeviceTTL)
	if till := time.UnixMilli(p.KnownTill); len(p.Known) > 0 && till.Before(expires) {
		expires = till
	}
	layers := slices.Clone(p.Known)
	for _, a := range p.Asked {
		layers = append(layers, a.Layer)
	}
	if p.Device != nil {
		if err := deleteDevice(ctx, tx, p.Device); err != nil {
			return nil, err
		}
	}
	token := deviceVersion + b64.EncodeToString(raw)
	if p.InBody {
		out.Body.Session.DeviceToken = token
	} else {
		out.SetCookie = append(out.SetCookie[:0], cookie(deviceCookie, token, expires.Sub(now)))
	}
	digest := tokenDigest([]byte(token))
	d := device{Account: p.Account, Ver: p.Ver, Layers: layers, Expires: expires.UnixMilli()}
	d.Seal = d.sealed(key, digest)
	return digest, insertDevice(ctx, tx, digest, d)
}

// issue completes an answer with an access token and, when there is one, the refresh
// token. No token outlives its session.
func (s *Service) issue(ctx context.Context, out *Answer, r row, d *derived, refresh string, inBody bool) error {
	now := s.Now()
	end := now.Add(s.AccessTTL)
	for _, e := range []int64{r.RefreshExpires, r.Expires} {
		if t := time.UnixMilli(e); t.Before(end) {
			end = t
		}
	}
	// NumericDate counts whole seconds; a token is never good for none.
	end = now.Truncate(time.Second).Add(max(time.Second, end.Sub(now).Truncate(time.Second)))
	token, err := s.mint(ctx, r.ID, payload{
		UID: r.Account, AAL: r.AAL, AMR: strings.Fields(r.AMR), AuthTime: r.AuthTime / 1000, Ver: r.Ver,
	}, d, r.PublicKey, now, end)
	if err != nil {
		return err
	}
	b := out.Body.Session
	b.AccessToken, b.TokenType, b.ExpiresIn = token, "Bearer", int64(end.Sub(now.Truncate(time.Second))/time.Second)
	idle := time.UnixMilli(r.RefreshExpires).Sub(now)
	b.RefreshExpiresIn = seconds(idle)
	switch {
	case refresh == "":
	case inBody:
		b.RefreshToken = refresh
	default:
		out.SetCookie = append(out.SetCookie, cookie(refreshCookie, refresh, idle))
	}
	return nil
}

// sessionOf returns whose session a good refresh token belongs to; nothing for any other.
func (s *Service) sessionOf(ctx context.Context, token string) (account.ID, string, error) {
	family, secret, ok := parseRefresh(token)
	if !ok {
		return "", "", nil
	}
	r, err := readByFamily(ctx, s.DB, familyDigest(family))
	if errors.Is(err, db.ErrNoRows) || err == nil && !equal(r.RefreshHash, tokenDigest(secret)) {
		return "", "", nil
	}
	if err == nil {
		err = s.checkRow(ctx, r)
	}
	if errors.Is(err, errAltered) {
		return "", "", nil
	}
	return r.Account, r.ID, err
}

// deviceOf returns the remembered device that a request comes from, and its digest; the
// zero device when it comes from none.
func (s *Service) deviceOf(ctx context.Context, o Opening, b Browser) (device, []byte, error) {
	token := o.DeviceToken
	if token == "" {
		token = b.DeviceCookie
	}
	if !strings.HasPrefix(token, deviceVersion) || len(token) > 100 {
		return device{}, nil, nil
	}
	digest := tokenDigest([]byte(token))
	d, err := readDevice(ctx, s.DB, digest, s.Now().UnixMilli())
	if err == nil {
		err = s.checkDevice(ctx, digest, d)
	}
	if errors.Is(err, db.ErrNoRows) || errors.Is(err, errAltered) {
		return device{}, nil, nil
	}
	return d, digest, err
}
