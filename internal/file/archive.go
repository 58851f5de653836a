package file

import (
	"context"
	"errors"
	"io"
	"iter"
	"net/http"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/fault"
	"coffer/internal/rest"
	"coffer/internal/zipstream"
)

// An archive is a zip that the server makes while it sends it. Contents pass through as they
// are stored, a segment at a time. The memory holds the zip's directory, some 20 bytes an entry,
// and where the walk is, within what all zips may keep: code busy before the first byte, or an
// archive that breaks off. That has no directory at its end, so no program takes it for whole.

// archiveName is the name of an archive of several entries.
const archiveName = "Coffer.zip"

func (s *Service) archiveRoutes(a *rest.API) {
	const how = "The archive is made while it is sent: its length is not known, and a connection that breaks off leaves a zip that does not open. " +
		"Contents are stored, not compressed. Names that some system does not take are altered."
	rest.Register(a, rest.Op{
		Method: http.MethodGet, Path: "/files/{id}/archive", ID: "download-archive", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F8",
		Summary:     "Download a folder as a zip",
		Description: how,
		Produces:    "application/zip",
		Errors:      []*fault.Error{errNotFound},
	}, s.getArchive)
	rest.Register(a, rest.Op{
		Method: http.MethodPost, Path: "/files/archive", ID: "download-chosen", Tag: tag, Access: rest.Session, Status: http.StatusOK, Rows: "F-F14",
		Summary:     "Download chosen files and folders as a zip",
		Description: "The chosen entries stand at the top of the archive. " + how,
		Produces:    "application/zip",
		Errors:      []*fault.Error{errNotFound},
	}, s.postArchive)
}

func (s *Service) getArchive(ctx context.Context, in *idInput) (*rest.Streamed, error) {
	return s.sendArchive(ctx, account.ID(in.Caller.Account), []string{in.ID})
}

type archiveInput struct {
	rest.Request
	Body struct {
		IDs []string `json:"ids" minItems:"1" maxItems:"1000" doc:"Ids of files and folders."`
	}
}

func (s *Service) postArchive(ctx context.Context, in *archiveInput) (*rest.Streamed, error) {
	return s.sendArchive(ctx, account.ID(in.Caller.Account), in.Body.IDs)
}

// sendArchive refuses ids that are not the owner's before the first byte.
func (s *Service) sendArchive(ctx context.Context, owner account.ID, ids []string) (*rest.Streamed, error) {
	chosen, err := s.choose(ctx, owner, ids)
	if err != nil {
		return nil, err
	}
	name := archiveName
	if len(chosen) == 1 {
		name = portable(chosen[0].Name) + ".zip"
	}
	headers := func(h http.Header) {
		h.Set("Content-Type", "application/zip")
		h.Set("Content-Disposition", content.Attachment(name))
	}
	return rest.Stream(func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Cache-Control", "private, no-store")
		if r.Method == http.MethodHead {
			headers(w.Header())
			w.WriteHeader(http.StatusOK)
			return nil
		}
		return s.writeArchive(r.Context(), owner, "", chosen, &rest.Late{ResponseWriter: w, Headers: headers}, func(context.Context) error { return nil })
	}), nil
}

// choose returns the entries with these ids, each once, in the order of the ids.
func (s *Service) choose(ctx context.Context, owner account.ID, ids []string) (chosen []Entry, err error) {
	err = s.DB.Read(ctx, func(tx *db.Tx) error {
		key, err := s.dataKey(ctx, tx, owner)
		if err != nil {
			return err
		}
		chosen = nil
		seen := map[string]bool{}
		for _, id := range ids {
			if seen[id] {
				continue
			}
			seen[id] = true
			r, err := s.row(ctx, tx, owner, id)
			if err != nil {
				return err
			}
			chosen = append(chosen, s.show(ctx, owner, key, r))
		}
		return nil
	})
	return chosen, err
}

// writeArchive sends the chosen entries, folders with all that is in them. It leaves out
// what is deleted meanwhile, or is not below the top any more. A content that cannot be read
// ends it: an archive that opens lacks nothing. last may refuse its end.
func (s *Service) writeArchive(ctx context.Context, owner account.ID, top string, chosen []Entry, to io.Writer, last func(context.Context) error) error {
	z, err := zipstream.New(to, string(owner))
	defer z.Free()
	if err == nil {
		err = s.addChosen(ctx, owner, top, chosen, z)
	}
	if err == nil {
		err = last(ctx)
	}
	if err == nil {
		err = z.Close()
	}
	if errors.Is(err, zipstream.ErrFull) {
		err = rest.StreamsBusy(err)
	}
	return err
}

func (s *Service) addChosen(ctx context.Context, owner account.ID, top string, chosen []Entry, z *zipstream.Writer) error {
	for at, err := range s.walkChosen(ctx, owner, top, chosen, z.Hold) {
		if err != nil {
			return err
		}
		if at.Kind == Folder {
			err = z.Folder(at.Path, at.ModifiedAt)
		} else if err = s.archiveContent(ctx, owner, top, at, z); errors.Is(err, errNotFound) {
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// archiveContent adds a file once its first bytes have authenticated.
func (s *Service) archiveContent(ctx context.Context, owner account.ID, top string, at exportedEntry, z *zipstream.Writer) error {
	o, _, err := s.contentBelow(ctx, owner, top, at.ID)
	if err != nil {
		return err
	}
	return o.Send(ctx, 0, o.Size(), func() (io.Writer, error) { return z.File(at.Path, at.ModifiedAt, zipstream.Store) })
}

// walkChosen yields each chosen entry, and a folder before what is in it, with its path in
// the archive.
func (s *Service) walkChosen(ctx context.Context, owner account.ID, top string, chosen []Entry, hold holder) iter.Seq2[exportedEntry, error] {
	return func(yield func(exportedEntry, error) bool) {
		w, taken := walking{owner, s.reachable(top), hold}, newSiblings()
		level := level{hold: hold}
		defer level.leave()
		if err := level.page(weight(chosen), taken); err != nil {
			yield(exportedEntry{}, err)
			return
		}
		for _, e := range chosen {
			if !w.entry(ctx, exportedEntry{Path: taken.name(e.Name, e.Kind), Entry: e}, yield) {
				return
			}
		}
	}
}
