package account

import (
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"iter"
	"net/http"
	"slices"
	"time"

	"coffer/internal/lang"
	"coffer/internal/rest"
	"coffer/internal/zipstream"
)

// Archive is the zip in which an owner gets everything that the server holds about an account.
// Each room adds its parts to it, one after the other. Contents pass through; the memory keeps
// the zip's directory, some 20 bytes for each file, within what all zips may keep. An error ends the download
// without the zip's end, so that it shows.
type Archive struct {
	zip   *zipstream.Writer
	now   time.Time
	parts []string
}

// Put adds a value as the readable JSON file that name says.
func (a *Archive) Put(name string, value any) error {
	w, err := a.part(name)
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(value)
}

// PutAll is Put of a list that may be too long for the memory: an array of the values.
func (a *Archive) PutAll(name string, values iter.Seq2[any, error]) error {
	w, err := a.part(name)
	if err != nil {
		return err
	}
	before := "[\n  "
	for value, err := range values {
		if err != nil {
			return err
		}
		b, err := json.MarshalIndent(value, "  ", "  ")
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, before+string(b)); err != nil {
			return err
		}
		before = ",\n  "
	}
	end := "\n]\n"
	if before[0] == '[' {
		end = "[]\n"
	}
	_, err = io.WriteString(w, end)
	return err
}

// part begins a file that the index names.
func (a *Archive) part(name string) (io.Writer, error) {
	if slices.Contains(a.parts, name) {
		return nil, fmt.Errorf("internal error: two parts of an export are called %s", name)
	}
	a.parts = append(a.parts, name)
	return a.File(name, a.now)
}

// File begins a file. path has slashes between names that every system takes; the caller
// writes all of it before anything else is added.
func (a *Archive) File(path string, modified time.Time) (io.Writer, error) {
	return a.zip.File(path, modified, zipstream.Deflate)
}

// Stored is File for bytes that are as short as they get, as pictures are.
func (a *Archive) Stored(path string, modified time.Time) (io.Writer, error) {
	return a.zip.File(path, modified, zipstream.Store)
}

// Hold counts n more bytes that a room keeps in memory until the archive's end; below zero, what
// it keeps no more. It fails when zips keep too much.
func (a *Archive) Hold(n int) error { return a.zip.Hold(n) }

// Folder adds a folder, whether or not files of it follow.
func (a *Archive) Folder(path string, modified time.Time) error { return a.zip.Folder(path, modified) }

// exported is account.json.
type exported struct {
	ExportedAt       time.Time             `json:"exported_at"`
	ID               ID                    `json:"id"`
	Status           string                `json:"status"`
	Role             string                `json:"role"`
	Email            string                `json:"email"`
	Addresses        []exportedAddress     `json:"addresses"`
	Username         string                `json:"username"`
	FirstName        string                `json:"first_name"`
	LastName         string                `json:"last_name"`
	Bio              string                `json:"bio"`
	Language         string                `json:"language"`
	AlwaysAsk        bool                  `json:"always_ask"`
	CreatedAt        time.Time             `json:"created_at"`
	SignIns          int64                 `json:"sign_ins"`
	SignedInAt       time.Time             `json:"signed_in_at,omitzero"`
	SignedInBeforeAt time.Time             `json:"signed_in_before_at,omitzero"`
	Security         map[string]Protection `json:"security"`
}

// exportedAddress is one address in account.json.
type exportedAddress struct {
	Kind       string     `json:"kind"`
	Email      string     `json:"email"`
	VerifiedAt *time.Time `json:"verified_at"`
}

//go:embed words
var words embed.FS

var indexes = template.Must(template.ParseFS(words, "words/export.*.html"))

// Export writes everything that is held about an account to w, as a zip: account.json, the
// parts of the rooms, and index.html, which names them. ErrNotFound comes before the first byte.
// Code busy: zips keep too much in memory.
func (s *Service) Export(ctx context.Context, id ID, w io.Writer) error {
	z, err := zipstream.New(w, string(id))
	defer z.Free()
	if err == nil {
		err = s.export(ctx, id, z)
	}
	if errors.Is(err, zipstream.ErrFull) {
		err = rest.StreamsBusy(err)
	}
	return err
}

func (s *Service) export(ctx context.Context, id ID, z *zipstream.Writer) error {
	p, err := s.Profile(ctx, id)
	if err != nil {
		return err
	}
	st, err := s.State(ctx, id)
	if err != nil {
		return err
	}
	lines, err := s.Security(ctx, id)
	if err != nil {
		return err
	}
	addresses, err := s.addresses(ctx, id)
	if err != nil {
		return err
	}
	a := &Archive{zip: z, now: s.Now().UTC()}
	err = a.Put("account.json", exported{
		ExportedAt: a.now, ID: id, Status: st.Status, Role: p.Role, Email: p.Email, Addresses: addresses, Username: p.Username,
		FirstName: p.FirstName, LastName: p.LastName, Bio: p.Bio, Language: p.Lang, AlwaysAsk: p.AlwaysAsk, CreatedAt: p.CreatedAt,
		SignIns: p.SignIns, SignedInAt: p.SignedInAt, SignedInBeforeAt: p.SignedInBeforeAt, Security: lines,
	})
	for _, k := range s.keepers {
		if k.Export == nil || err != nil {
			continue
		}
		if err = k.Export(ctx, id, a); err != nil {
			err = fmt.Errorf("export %s: %w", k.room, err)
		}
	}
	if err != nil {
		return err
	}
	page, err := a.File("index.html", a.now)
	if err != nil {
		return err
	}
	t := indexes.Lookup("export." + lang.Of(p.Lang) + ".html")
	if err := t.Execute(page, map[string]any{"Name": p.FirstName, "At": a.now, "Parts": a.parts}); err != nil {
		return err
	}
	return a.zip.Close()
}

var exportDoc = rest.RawDoc{
	Produces: "application/zip",
	Headers:  []rest.RawParam{{Name: "Content-Disposition", Doc: "attachment, with a name for the archive."}},
}

// getExport streams the archive. rest cuts the connection after an error.
func (s *Service) getExport(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	late := rest.Late{ResponseWriter: w, Headers: func(h http.Header) {
		h.Set("Content-Type", "application/zip")
		h.Set("Content-Disposition", `attachment; filename="coffer-`+s.Now().UTC().Format(time.DateOnly)+`.zip"`)
	}}
	return s.Export(r.Context(), ID(rest.CallerOf(r).Account), &late)
}
