package account

import (
	"context"
	"fmt"
	"time"

	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/seal"
)

// Profile is what an account's owner reads about it.
type Profile struct {
	ID                                        ID
	Email, Username, FirstName, LastName, Bio string
	Lang, Role                                string
	AlwaysAsk, HasPassword                    bool
	CreatedAt                                 time.Time
	SignIns                                   int64
	SignedInAt, SignedInBeforeAt              time.Time // zero: never

	Pending      string // an address that waits for its confirmation
	PendingUntil time.Time

	Avatar *Avatar // nil: none
}

// Changes are new values for a profile; nil leaves a value as it is.
type Changes struct {
	FirstName, LastName, Username, Bio, Lang *string
}

// Profile reads an account; ErrNotFound when it does not exist. The process that owns the
// database keeps recent profiles in memory.
func (s *Service) Profile(ctx context.Context, id ID) (Profile, error) {
	return s.profiles.Get(ctx, string(id), func(ctx context.Context) (Profile, error) {
		return s.readProfile(ctx, s.DB, id)
	})
}

func (s *Service) readProfile(ctx context.Context, q db.Querier, id ID) (Profile, error) {
	r, err := readAccount(ctx, q, id)
	if err != nil {
		return Profile{}, err
	}
	p, key, err := s.open(ctx, r)
	if err != nil {
		return Profile{}, err
	}
	pending, until, err := s.pendingEmail(ctx, q, key, id)
	if err != nil {
		return Profile{}, err
	}
	has, err := s.isSet(ctx, id, r.Password)
	if err != nil {
		return Profile{}, err
	}
	avatar, err := s.avatar(ctx, q, key, id)
	if err != nil {
		return Profile{}, err
	}
	st, err := s.believed(ctx, r.stored)
	return Profile{
		Avatar: avatar, Pending: pending, PendingUntil: until,
		ID: r.ID, Email: p.Email, Username: p.Username, FirstName: p.FirstName, LastName: p.LastName, Bio: p.Bio,
		Lang: r.Lang, Role: st.Role, AlwaysAsk: st.AlwaysAsk, HasPassword: has, CreatedAt: time.UnixMilli(r.CreatedAt).UTC(),
		SignIns: r.SignIns, SignedInAt: timeOf(r.SignedInAt), SignedInBeforeAt: timeOf(r.SignedInBeforeAt),
	}, err
}

func timeOf(ms *int64) time.Time {
	if ms == nil {
		return time.Time{}
	}
	return time.UnixMilli(*ms).UTC()
}

// Change changes an account's profile and returns it. All values are good and all are
// changed, or none is. A username of another account is code "username_taken". The statement
// that writes it decides, so of two callers at once one gets it.
func (s *Service) Change(ctx context.Context, id ID, c Changes) (Profile, error) {
	c, err := c.checked()
	if err != nil {
		return Profile{}, err
	}
	if c.Username != nil {
		if err := s.Limit.Take(ctx, s.UsernameLimit, "account:"+string(id)); err != nil {
			return Profile{}, err
		}
	}
	var out Profile
	err = s.DB.Tx(ctx, func(tx *db.Tx) error {
		key, err := s.DataKey(ctx, tx, id)
		if err != nil {
			return err
		}
		u := update{ID: id, Lang: c.Lang}
		for _, v := range []struct {
			column string
			value  *string
			to     *[]byte
		}{
			{"username", c.Username, &u.Username}, {"first_name", c.FirstName, &u.FirstName},
			{"last_name", c.LastName, &u.LastName}, {"bio", c.Bio, &u.Bio},
		} {
			if v.value != nil {
				*v.to = sealColumn(key, id, v.column, *v.value)
			}
		}
		if c.Username != nil {
			if u.Usernames, err = s.indexes(ctx, usernameColumn, *c.Username); err != nil {
				return err
			}
		}
		n, err := updateProfile(ctx, tx, u)
		if db.IsUnique(err) || err == nil && n == 0 {
			return ErrUsernameTaken
		} else if err != nil {
			return err
		}
		out, err = s.readProfile(ctx, tx, id)
		return err
	})
	if err != nil {
		return Profile{}, err
	}
	return out, nil
}

// checked returns the changes in their stored form, or names every one that is refused.
func (c Changes) checked() (Changes, error) {
	var fields []fault.Field
	for _, v := range []struct {
		pointer string
		value   **string
		check   func(pointer, s string) (string, *fault.Field)
	}{
		{"/first_name", &c.FirstName, checkName},
		{"/last_name", &c.LastName, checkName},
		{"/username", &c.Username, checkUsername},
		{"/bio", &c.Bio, checkBio},
		{"/language", &c.Lang, checkLanguage},
	} {
		if *v.value == nil {
			continue
		}
		good, f := v.check(v.pointer, **v.value)
		if f != nil {
			fields = append(fields, *f)
		}
		*v.value = &good
	}
	if len(fields) > 0 {
		return Changes{}, fault.InvalidFields(fields...)
	}
	return c, nil
}

// Contact is how to write to an account's owner.
type Contact struct{ Email, FirstName, Lang string }

// Contact reads the primary address; ErrNotFound when the account does not exist.
func (s *Service) Contact(ctx context.Context, q db.Querier, id ID) (Contact, error) {
	r, err := readAccount(ctx, q, id)
	if err != nil {
		return Contact{}, err
	}
	p, _, err := s.open(ctx, r)
	if err != nil {
		return Contact{}, err
	}
	if p.Email == "" {
		return Contact{}, fmt.Errorf("the primary address of %s: %w", id, seal.ErrOpen)
	}
	return Contact{Email: p.Email, FirstName: p.FirstName, Lang: r.Lang}, nil
}
