package guard

import (
	"context"
	"time"

	"coffer/internal/account"
	"coffer/internal/habit"
	"coffer/internal/rest"
)

// exportedHabit is habit.json: what the security check compares sign-ins with. The server knows
// networks, clients and places by digests alone, so their times are all that can be read.
type exportedHabit struct {
	Weekdays [24]float64     `json:"weekdays_by_hour_utc"` // sign-ins; older ones count less
	Weekends [24]float64     `json:"weekends_by_hour_utc"`
	Places   []exportedPlace `json:"places"`
	Clients  []time.Time     `json:"clients_used_at"`
	Networks []time.Time     `json:"clients_on_networks_used_at"`
	LastAt   *time.Time      `json:"last_sign_in_at"`
}

type exportedPlace struct {
	At        time.Time `json:"used_at"`
	Latitude  *float64  `json:"latitude"` // null where it is not known
	Longitude *float64  `json:"longitude"`
}

// exportedEntry is a line of compared-sign-ins.json: a sign-in of the last days that is compared
// with those of other accounts on its network.
type exportedEntry struct {
	Session string    `json:"session_id"`
	At      time.Time `json:"at"`
	Told    bool      `json:"told"` // no later look tells its owner
}

// export adds the history to the owner's archive, the habit, and the sign-ins that are compared.
func (s *Service) export(ctx context.Context, who account.ID, to *account.Archive) error {
	if err := to.PutAll("sign-ins.json", s.all(ctx, rest.Caller{Account: string(who)}, Filter{})); err != nil {
		return err
	}
	key, err := s.Accounts.DataKey(ctx, s.DB, who)
	if err != nil {
		return err
	}
	p, err := s.habitOf(ctx, s.DB, key, who)
	if err != nil {
		return err
	}
	if err := to.Put("habit.json", habitShown(p)); err != nil {
		return err
	}
	entries, err := entriesOf(ctx, s.DB, who)
	if err != nil {
		return err
	}
	return to.PutAll("compared-sign-ins.json", func(yield func(any, error) bool) {
		for _, e := range entries {
			if !yield(exportedEntry{e.ID, time.UnixMilli(e.At).UTC(), e.Judged}, nil) {
				return
			}
		}
	})
}

func habitShown(p habit.Profile) exportedHabit {
	out := exportedHabit{Weekdays: p.Hours[0], Weekends: p.Hours[1], Places: []exportedPlace{}, Clients: timesOf(p.Clients), Networks: timesOf(p.Used)}
	for _, stop := range p.Places {
		one := exportedPlace{At: stop.At}
		if stop.HasPlace {
			one.Latitude, one.Longitude = &stop.Lat, &stop.Lon
		}
		out.Places = append(out.Places, one)
	}
	if !p.Last.IsZero() {
		out.LastAt = &p.Last
	}
	return out
}

func timesOf(seen []habit.Seen) []time.Time {
	all := []time.Time{}
	for _, one := range seen {
		all = append(all, one.At)
	}
	return all
}
