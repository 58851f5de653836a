package file

import (
	"context"
	"net/http"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/keyring"
	"coffer/internal/rest"
)

// Amount is a number of files and their bytes.
type Amount struct {
	Bytes int64 `json:"bytes"`
	Files int64 `json:"files"`
}

// Placed is an entry and the folders above it.
type Placed struct {
	Entry
	Path []Step `json:"path" doc:"The folders above it, outermost first."`
}

// Usage is what an account keeps, what it may keep, and what takes the room.
type Usage struct {
	Bytes      int64    `json:"bytes" doc:"Bytes of all contents. One that several entries or versions share counts once."`
	Files      int64    `json:"files" doc:"Files, versions and unfinished uploads, those in the trash too."`
	Folders    int64    `json:"folders" doc:"Folders, those in the trash too. They count against quota_files."`
	Reserved   int64    `json:"reserved" doc:"Bytes that unfinished uploads may come to. They count against the quota."`
	QuotaBytes *int64   `json:"quota_bytes" nullable:"true" doc:"Most bytes that the account may keep; null is no bound."`
	QuotaFiles *int64   `json:"quota_files" nullable:"true" doc:"Most files and folders that the account may keep; null is no bound."`
	Trash      Amount   `json:"trash" doc:"What is in the trash. A content that several entries share counts for each."`
	Versions   Amount   `json:"versions" doc:"Earlier contents of files. A content that several share counts for each."`
	Largest    []Placed `json:"largest" doc:"The ten largest files, without the trash."`
}

func (s *Service) usageRoutes(a *rest.API) {
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/files/usage", ID: "file-usage", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F10",
		Summary:     "What the account keeps and may keep",
		Description: "Trash, versions and unfinished uploads count against the quota. An upload that exceeds it is `quota_exceeded`.",
	}, s.getUsage)
}

type usageInput struct{ rest.Request }

type usageOutput struct{ Body Usage }

func (s *Service) getUsage(ctx context.Context, in *usageInput) (*usageOutput, error) {
	u, err := s.Usage(ctx, account.ID(in.Caller.Account))
	if err != nil {
		return nil, err
	}
	return &usageOutput{u}, nil
}

// Usage returns what an account keeps, of one moment.
func (s *Service) Usage(ctx context.Context, owner account.ID) (u Usage, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		kept, err := s.Contents.Usage(ctx, tx, owner)
		if err != nil {
			return err
		}
		u = Usage{Bytes: kept.Bytes, Files: kept.Files, Folders: kept.Folders, Reserved: kept.Reserved}
		if kept.QuotaBytes > 0 {
			u.QuotaBytes = &kept.QuotaBytes
		}
		if kept.QuotaFiles > 0 {
			u.QuotaFiles = &kept.QuotaFiles
		}
		if u.Trash, err = readTrashAmount(ctx, tx, owner); err != nil {
			return err
		}
		if u.Versions, err = readVersionsAmount(ctx, tx, owner); err != nil {
			return err
		}
		u.Largest, err = s.largest(ctx, tx, key, owner)
		return err
	})
	return u, err
}

// How many files are shown as the largest, and how many are looked at: deleted ones, which
// stand among them until a job removes them, and those in the trash are passed over.
const (
	largestShown  = 10
	largestLooked = 5_000
	largestPage   = 50
)

// largest returns the largest files that the root leads to. The folders above a page of them
// are read together: each file may stand in a folder of its own, and all in the trash.
func (s *Service) largest(ctx context.Context, tx *db.Tx, key *keyring.DataKey, owner account.ID) ([]Placed, error) {
	found := []Placed{}
	above := locating{tx: tx, owner: owner, rows: map[string]row{}}
	var after *row
	for looked := 0; looked < largestLooked; looked += largestPage {
		rows, err := readLargest(ctx, tx, owner, after, largestPage)
		if err != nil || len(rows) == 0 {
			return found, err
		}
		if len(above.rows) > largestPage*MaxDepth {
			clear(above.rows)
		}
		parents := make([]string, len(rows))
		for i, r := range rows {
			parents[i] = r.Parent
		}
		if err := above.read(ctx, parents); err != nil {
			return nil, err
		}
		for _, r := range rows {
			path, ok := above.path(key, r.Parent, "")
			if !ok {
				continue
			}
			if found = append(found, Placed{s.show(ctx, owner, key, r), path}); len(found) == largestShown {
				return found, nil
			}
		}
		after = &rows[len(rows)-1]
	}
	return found, nil
}

// frame is how many bytes of a form may be other than content.
const frame = 1 << 20

// checkRoom refuses a request whose length says that its contents exceed the quota. One that
// replaces may need no room for files.
func (s *Service) checkRoom(ctx context.Context, owner account.ID, length int64, replaces bool) error {
	u, err := s.Contents.Usage(ctx, s.DB, owner)
	if err != nil {
		return err
	}
	if length-frame > max(u.Left(), 0) || u.LeftFiles() <= 0 && !replaces {
		return content.ErrQuota
	}
	return nil
}
