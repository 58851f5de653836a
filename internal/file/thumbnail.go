package file

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/picture"
	"coffer/internal/seal"
)

// A thumbnail belongs to an object: copies and versions of a picture share it, and it goes
// with the object. A job makes it after the upload. The job follows the count of changes of
// the account's tree, so it finds every picture once, however it came into the tree, and
// goes on where it ended. What is no picture it notes, and does not try again.

// The bounds of a thumbnail and of what one is made of.
const (
	thumbnailSide   = 512
	thumbnailSource = 32 << 20
)

// ErrNoThumbnail refuses a file of which there is none.
var ErrNoThumbnail = fault.New(fault.NotFound, "no_thumbnail", "The file has no thumbnail.")

// Thumbnail returns the thumbnail of a file as WebP, and its ETag.
func (s *Service) Thumbnail(ctx context.Context, owner account.ID, id string) (webp []byte, etag string, err error) {
	_, webp, etag, err = s.thumbnail(ctx, owner, id, s.row)
	return webp, etag, err
}

// finding returns an entry of the owner's, or refuses.
type finding func(ctx context.Context, q db.Querier, owner account.ID, id string) (row, error)

// thumbnail is Thumbnail of an entry that find returns. It also returns the entry.
func (s *Service) thumbnail(ctx context.Context, owner account.ID, id string, find finding) (e Entry, webp []byte, etag string, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		r, err := find(ctx, tx, owner, id)
		if err != nil {
			return err
		}
		if r.Blob == nil || !r.Thumbnail {
			return ErrNoThumbnail
		}
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		sealed, err := readThumbnail(ctx, tx, owner, *r.Blob)
		if err != nil {
			return err
		}
		webp, err = key.Open("thumbnails", "picture", thumbnailRow(r), sealed)
		if err != nil {
			return fmt.Errorf("open the thumbnail of entry %s: %w", r.ID, err)
		}
		e = s.show(ctx, owner, key, r)
		return nil
	})
	if err != nil {
		return Entry{}, nil, "", err
	}
	sum := sha256.Sum256(webp)
	return e, webp, `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`, nil
}

// trashedRow is row of an entry of the trash.
func (s *Service) trashedRow(ctx context.Context, q db.Querier, owner account.ID, id string) (row, error) {
	if _, err := s.ancestors(ctx, q, owner, ""); err != nil {
		return row{}, err
	}
	t, err := readTrashed(ctx, q, owner, id)
	return t.row, err
}

// thumbnailRow is the place in which the thumbnail of a row's object opens.
func thumbnailRow(r row) string { return string(seal.LP([]byte(*r.Blob), fmt.Append(nil, r.Size))) }

// mayBePicture tells whether a file is worth a try: by its declared type, or by its name
// where the upload declared none.
func mayBePicture(name, mediaType string, size int64) bool {
	if size <= 0 || size > thumbnailSource {
		return false
	}
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".webp":
		return true
	}
	return strings.HasPrefix(mediaType, "image/")
}

// thumbnailJob makes the thumbnails that an account's pictures lack.
const thumbnailJob = "file.thumbnail"

type drawing struct {
	Account account.ID `json:"account"`
}

// enqueueThumbnails asks for the thumbnails of the account's new pictures.
func (s *Service) enqueueThumbnails(ctx context.Context, tx *db.Tx, owner account.ID) error {
	return s.Jobs.Enqueue(ctx, tx, thumbnailJob, drawing{owner}, jobs.Key(string(owner)))
}

// drawAll asks for the thumbnails of all accounts whose trees changed since theirs were made:
// of pictures that came before their kind was known, and of those whose job was given up.
func (s *Service) drawAll(ctx context.Context) error {
	for after := ""; ; {
		owners, err := readUnpicturedAccounts(ctx, s.DB, after, clearRows)
		if err != nil || len(owners) == 0 {
			return err
		}
		err = s.DB.Tx(ctx, func(tx *db.Tx) error {
			for _, owner := range owners {
				if err := s.enqueueThumbnails(ctx, tx, account.ID(owner)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		after = owners[len(owners)-1]
	}
}

// drawRows is how many files the job looks at in one transaction, and drawMost how many
// pictures it draws before it lets other jobs, and the end of the server, go first.
const (
	drawRows = 200
	drawMost = 5
	drawRest = 2 * time.Second // at most, behind each
)

func (s *Service) draw(ctx context.Context, payload []byte) error {
	var of drawing
	if err := json.Unmarshal(payload, &of); err != nil {
		return jobs.Permanent(fmt.Errorf("%s: %w", thumbnailJob, err))
	}
	// One at a time in a process: a source in memory has up to thumbnailSource bytes.
	select {
	case s.drawing <- struct{}{}:
		defer func() { <-s.drawing }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	err := s.drawAccount(ctx, of.Account)
	if errors.Is(err, errNotFound) {
		return nil // the account is gone
	}
	return err
}

// drawAccount draws the pictures behind the account's mark.
func (s *Service) drawAccount(ctx context.Context, owner account.ID) error {
	for drawn := 0; ; {
		rows, err := s.nextPictures(ctx, owner)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, p := range rows {
			if drawn == drawMost {
				return s.DB.Tx(ctx, func(tx *db.Tx) error { return s.enqueueThumbnails(ctx, tx, owner) })
			}
			drawn++
			began := time.Now()
			if err := s.drawOne(ctx, owner, p); err != nil {
				return err
			}
			// A queue of pictures leaves the machine to people for twice as long as it takes.
			select {
			case <-time.After(min(2*time.Since(began), s.rest)):
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
	}
}

// nextPictures returns files that may be pictures and have no thumbnail yet, and moves the mark
// over those before that are none. It returns none at the end. It holds the account's lock, so
// that what it does not see has a higher count than the mark.
func (s *Service) nextPictures(ctx context.Context, owner account.ID) (some []row, err error) {
	for more := true; more && len(some) == 0; {
		err = s.changeNames(ctx, owner, func(c *changing) error {
			some, more = nil, false
			at, err := readPictureMark(ctx, c.tx, owner)
			if err != nil {
				return err
			}
			rows, err := readUnpictured(ctx, c.tx, owner, at, thumbnailSource, drawRows)
			if err != nil {
				return err
			}
			for _, r := range rows {
				if e, err := open(c.key, r); err == nil && mayBePicture(e.Name, e.MediaType, r.Size) {
					some = append(some, r)
				}
			}
			switch more = len(rows) == drawRows; {
			case len(some) > 0:
				return nil // drawOne moves the mark over each
			case more:
				at = pictureMark{rows[len(rows)-1].Change, rows[len(rows)-1].ID}
			default:
				at = pictureMark{change: c.count + 1}
			}
			return writePictureMark(ctx, c.tx, owner, at)
		})
		if err != nil {
			return nil, err
		}
	}
	return some, nil
}

// drawOne stores the thumbnail of a file's content, or that it is no picture.
func (s *Service) drawOne(ctx context.Context, owner account.ID, r row) error {
	webp, err := s.drawContent(ctx, owner, r)
	lost := errors.Is(err, errNotFound) || content.IsLost(err)
	if err != nil && !lost {
		return fmt.Errorf("thumbnail of entry %s: %w", r.ID, err)
	}
	return s.keepThumbnail(ctx, owner, r, webp, lost)
}

// keepThumbnail moves the mark over a file, and stores the thumbnail of its content unless that
// is lost; nil is no picture.
func (s *Service) keepThumbnail(ctx context.Context, owner account.ID, r row, webp []byte, lost bool) error {
	return s.changeNames(ctx, owner, func(c *changing) error {
		if err := writePictureMark(ctx, c.tx, owner, pictureMark{r.Change, r.ID}); err != nil || lost {
			return err
		}
		// Behind the account's lock: an object that is live now loses its last reference
		// later, and its thumbnail then.
		if _, err := s.Contents.Find(ctx, c.tx, owner, *r.Blob, r.Size); content.IsLost(err) {
			return nil
		} else if err != nil {
			return err
		}
		var sealed []byte
		if webp != nil {
			sealed = c.key.Seal("thumbnails", "picture", thumbnailRow(r), webp)
			c.news(r.Parent)
		}
		return insertThumbnail(ctx, c.tx, owner, *r.Blob, sealed)
	})
}

// drawContent draws a file's content; nil when it is no picture.
func (s *Service) drawContent(ctx context.Context, owner account.ID, r row) (webp []byte, err error) {
	o, err := s.Contents.Find(ctx, s.DB, owner, *r.Blob, r.Size)
	if err != nil {
		return nil, err
	}
	body, err := o.Open(ctx, 0, r.Size)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(body)
	if err = errors.Join(err, body.Close()); err != nil {
		return nil, err
	}
	err = s.Pictures.Work(ctx, picture.Jobs, data, func(p *picture.Picture) (err error) {
		webp, err = p.Fit(thumbnailSide).WebP()
		return err
	})
	if errors.Is(err, picture.ErrUnsupported) || errors.Is(err, picture.ErrTooLarge) || errors.Is(err, picture.ErrDamaged) {
		return nil, nil
	}
	return webp, err
}
