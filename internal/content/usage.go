package content

import (
	"cmp"
	"context"
	"math"

	"coffer/internal/account"
	"coffer/internal/db"
)

// Quota is how much an account may keep.
type Quota struct{ Bytes, Files int64 }

// Usage is what an account keeps, and may. A quota of 0 is no bound.
type Usage struct {
	Bytes    int64 // of objects
	Files    int64 // references to objects, and objects that grow
	Folders  int64 // beside them in the quota of files
	Reserved int64 // bytes that growing and pending objects may come to, with what they have

	QuotaBytes, QuotaFiles int64
}

// Left returns how many bytes the quota leaves.
func (u Usage) Left() int64 {
	if u.QuotaBytes == 0 {
		return math.MaxInt64
	}
	return u.QuotaBytes - u.Bytes - u.Reserved
}

// LeftFiles returns how many files the quota leaves.
func (u Usage) LeftFiles() int64 {
	if u.QuotaFiles == 0 {
		return math.MaxInt64
	}
	return u.QuotaFiles - u.Files - u.Folders
}

// quota is the setting, with every bound a number.
func (s *Service) quota() Quota {
	return Quota{cmp.Or(s.Quota, math.MaxInt64), cmp.Or(s.QuotaFiles, math.MaxInt64)}
}

// Usage returns what an account keeps, and may.
func (s *Service) Usage(ctx context.Context, q db.Querier, owner account.ID) (Usage, error) {
	row, err := readUsage(ctx, q, owner)
	if err != nil {
		return Usage{}, err
	}
	u := Usage{Bytes: row.bytes, Files: row.files, Folders: row.folders, Reserved: row.reserved, QuotaBytes: s.Quota, QuotaFiles: s.QuotaFiles}
	for quota, own := range map[*int64]*int64{&u.QuotaBytes: row.quotaBytes, &u.QuotaFiles: row.quotaFiles} {
		if own != nil {
			*quota = *own
		}
		if *quota == math.MaxInt64 {
			*quota = 0
		}
	}
	return u, nil
}

// Total returns what all accounts keep together, and in how many objects; no quotas.
func (s *Service) Total(ctx context.Context, q db.Querier) (u Usage, objects int64, err error) {
	all, objects, err := sumUsage(ctx, q)
	return Usage{Bytes: all.bytes, Files: all.files, Folders: all.folders, Reserved: all.reserved}, objects, err
}

// SetQuota gives an account its own quotas: nil is the setting, 0 no bound.
func (s *Service) SetQuota(ctx context.Context, tx *db.Tx, owner account.ID, bytes, files *int64) error {
	unbounded := func(quota *int64) *int64 {
		if quota == nil {
			return nil
		}
		n := cmp.Or(*quota, math.MaxInt64)
		return &n
	}
	return writeQuota(ctx, tx, owner, unbounded(bytes), unbounded(files))
}

// OwnQuota returns the account's own quotas: nil is the setting, 0 no bound.
func (s *Service) OwnQuota(ctx context.Context, q db.Querier, owner account.ID) (bytes, files *int64, err error) {
	row, err := readUsage(ctx, q, owner)
	for _, own := range []*int64{row.quotaBytes, row.quotaFiles} {
		if own != nil && *own == math.MaxInt64 {
			*own = 0
		}
	}
	return row.quotaBytes, row.quotaFiles, err
}

// charge counts what an account comes to have.
func (s *Service) charge(ctx context.Context, tx *db.Tx, owner account.ID, more use) error {
	room, err := addUsage(ctx, tx, owner, more, s.quota())
	if err != nil || room {
		return err
	}
	u, err := readUsage(ctx, tx, owner)
	if err == nil && u.forgotten {
		err = ErrExpired
	} else if err == nil {
		err = ErrQuota
	}
	return err
}

// CountFolders counts folders that the caller's transaction makes, or with n below zero
// removes. They stand beside the files in their quota, so it refuses with [ErrQuota]. It comes behind
// [Service.Share] and [Service.Release], which lock objects first and the account's usage after them.
func (s *Service) CountFolders(ctx context.Context, tx *db.Tx, owner account.ID, n int) error {
	if n > 0 {
		return s.charge(ctx, tx, owner, use{folders: int64(n)})
	}
	if n == 0 {
		return nil
	}
	return subUsage(ctx, tx, owner, use{folders: int64(-n)})
}

// Share adds a reference to each live object of the owner's, in the caller's transaction that
// stores it. An id may stand several times. It refuses with [ErrQuota] what exceeds the quota
// of files; bytes are counted once, however many references there are.
func (s *Service) Share(ctx context.Context, tx *db.Tx, owner account.ID, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	unique, n := times(ids)
	found, err := addRefs(ctx, tx, owner, unique, n)
	if err != nil {
		return err
	}
	if found != int64(len(unique)) {
		return errDamaged
	}
	return s.charge(ctx, tx, owner, use{files: int64(len(ids))})
}

// Release removes a reference to each live object of the owner's, in the caller's transaction
// that removes it. An id may stand several times. An object without a reference is out of
// reach at once, its bytes are no longer counted, and a job removes it.
func (s *Service) Release(ctx context.Context, tx *db.Tx, owner account.ID, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	unique, n := times(ids)
	less, marked, err := dropRefs(ctx, tx, owner, unique, n)
	if err != nil {
		return err
	}
	if err := subUsage(ctx, tx, owner, less); err != nil || len(marked) == 0 {
		return err
	}
	for _, fn := range s.dropped {
		if err := fn(ctx, tx, owner, marked); err != nil {
			return err
		}
	}
	return s.enqueuePurge(ctx, tx, owner)
}
