package account

import (
	"context"
	"slices"
	"time"

	"coffer/internal/db"
)

// Protection is one line of the security page.
type Protection struct {
	Enabled bool       `json:"enabled"`
	Since   *time.Time `json:"since,omitempty" doc:"When it was turned on."`
	// LastUsed is when a sign-in last passed the layer, or the owner last used the method.
	LastUsed *time.Time `json:"last_used,omitempty" doc:"When it was last used."`
	Left     *int       `json:"left,omitempty" doc:"Uses left, where the server counts them."`
	Hint     string     `json:"hint,omitempty" doc:"Hint for the owner, such as a masked address."`
}

// Used is the line of a layer that is on. since and used are unix milliseconds; nil: never.
func Used(since int64, used *int64) Protection {
	at := time.UnixMilli(since).UTC()
	p := Protection{Enabled: true, Since: &at}
	if used != nil {
		last := timeOf(used)
		p.LastUsed = &last
	}
	return p
}

// protecting is a room that answers for one line.
type protecting struct {
	name string
	read func(ctx context.Context, q db.Querier, id ID) (Protection, error)
}

// Protect gives the security page a line. A room calls it when it is made, before the first
// request. name is unique; a layer of the sign-in uses the layer's name. read gets the
// account's line from q, which sees one moment of the database for all lines.
func (s *Service) Protect(name string, read func(ctx context.Context, q db.Querier, id ID) (Protection, error)) {
	if slices.ContainsFunc(s.protections, func(p protecting) bool { return p.name == name }) {
		panic("internal error: account: two rooms protect as " + name)
	}
	s.protections = append(s.protections, protecting{name, read})
}

// Security reads the lines of all rooms in one snapshot. A layer that the account's seal
// names is enabled, as it is for sign-in, even when the layer's own row is gone.
func (s *Service) Security(ctx context.Context, id ID) (lines map[string]Protection, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		lines, err = s.Protections(ctx, tx, id)
		return err
	})
	return lines, err
}

// Protections is Security inside a transaction.
func (s *Service) Protections(ctx context.Context, tx *db.Tx, id ID) (map[string]Protection, error) {
	r, err := readState(ctx, tx, id)
	st, err := s.believe(ctx, r, err)
	if err != nil {
		return nil, err
	}
	lines := make(map[string]Protection, len(s.protections))
	for _, p := range s.protections {
		line, err := p.read(ctx, tx, id)
		if err != nil {
			return nil, err
		}
		line.Enabled = line.Enabled || slices.Contains(st.Layers, p.name)
		lines[p.name] = line
	}
	return lines, nil
}
