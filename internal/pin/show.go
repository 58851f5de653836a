package pin

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/ipfs"
	"coffer/internal/keyring"
)

// showAll returns pins with their targets. Of one that does not open it tells where it is.
func (s *Service) showAll(ctx context.Context, owner account.ID, key *keyring.DataKey, rows []row) ([]Pin, error) {
	ids, entries := make([]string, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		ids[i], entries[i] = r.ID, r.Entry
	}
	targets, err := readTargets(ctx, s.DB, ids)
	if err != nil {
		return nil, err
	}
	gone, err := s.Files.Missing(ctx, s.DB, owner, entries)
	if err != nil {
		return nil, err
	}
	all := []Pin{}
	for _, r := range rows {
		d, err := r.open(key)
		if err != nil {
			s.Log.ErrorContext(ctx, "pin: a pin is damaged", "account", owner, "pin", r.ID, "error", err)
			all = append(all, showDamaged(r, targets[r.ID]))
			continue
		}
		p := s.show(r, d, key, targets[r.ID])
		if !slices.Contains(gone, r.Entry) {
			p.FileID = &r.Entry
		}
		all = append(all, p)
	}
	return all, nil
}

// showDamaged tells of a pin what its owner needs to remove it.
func showDamaged(r row, targets []targetRow) Pin {
	p := Pin{
		ID: r.ID, Damaged: true, Kind: r.Kind, Encrypt: r.Encrypt, State: Failed, Reason: reasonDamaged, Targets: []PinPlace{},
		CreatedAt: time.UnixMilli(r.CreatedAt).UTC(), Ledger: []int64{},
	}
	left := false
	for _, t := range targets {
		at := PinPlace{Name: t.Target, State: Failed, Reason: reasonDamaged}
		if t.State == Removing {
			at.State, at.Reason = Removing, t.Reason
		}
		left = left || at.State != Removing
		p.Targets = append(p.Targets, at)
	}
	if len(targets) > 0 && !left {
		p.State, p.Reason = Removing, ""
	}
	return p
}

// stages are the states of a target, the one that decides a pin's first. It is the order of [settleState].
var stages = []State{Failed, Queued, Sending, Pinned, Verified, Removing}

// show tells of a pin that has opened. A target that claims something without a proof has failed. The pin's
// own state is therefore that of the targets, and not that of its column.
func (s *Service) show(r row, d details, key *keyring.DataKey, targets []targetRow) Pin {
	p := Pin{
		ID: r.ID, Name: d.Name, Kind: r.Kind, Encrypt: r.Encrypt, Size: r.Size, State: r.State, Targets: []PinPlace{},
		CreatedAt: time.UnixMilli(r.CreatedAt).UTC(), Ledger: []int64{},
	}
	root, err := ipfs.Parse(r.CID)
	if known := r.CID != "" && err == nil; known {
		p.CID = &r.CID
		if r.Encrypt {
			p.Link = d.key().Link(s.BaseURL, root)
		}
	}
	for text := range strings.SplitSeq(strings.TrimSuffix(r.Entries, ","), ",") {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			p.Ledger = append(p.Ledger, n)
		}
	}
	stage := len(stages)
	for _, t := range targets {
		if !t.proven(key) {
			t.disown()
		}
		if i := slices.Index(stages, t.State); i >= 0 {
			stage = min(stage, i)
		}
		at := PinPlace{Name: t.Target, State: t.State, Reason: t.Reason, PinnedAt: moment(t.PinnedAt), VerifiedAt: moment(t.VerifiedAt)}
		if t.NextAt != never && (t.Reason != "" || t.State == Verified) && t.State != Failed {
			at.NextTryAt = moment(&t.NextAt)
		}
		if named := s.targets[t.Target]; named.Gateway != "" && r.CID != "" && (t.State == Pinned || t.State == Verified) {
			at.GatewayURL = named.Gateway + "/ipfs/" + r.CID
		}
		if t.State == Failed {
			p.Reason = cmp.Or(p.Reason, t.Reason)
		}
		p.Targets = append(p.Targets, at)
	}
	if stage < len(stages) {
		p.State = stages[stage]
	}
	if p.State == Verified {
		for _, t := range p.Targets {
			if t.State == Verified && t.VerifiedAt != nil && (p.VerifiedAt == nil || t.VerifiedAt.Before(*p.VerifiedAt)) {
				p.VerifiedAt = t.VerifiedAt
			}
		}
	}
	return p
}

func moment(ms *int64) *time.Time {
	if ms == nil {
		return nil
	}
	t := time.UnixMilli(*ms).UTC()
	return &t
}
