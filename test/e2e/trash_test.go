package e2e

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"coffer/client"
	"coffer/internal/blob/blobtest"

	"github.com/google/go-cmp/cmp"
)

// undone deletes, replaces and copies, and takes it back: from the trash, from versions, and
// by deleting the original of a copy.
func undone(t *testing.T, s *server) {
	ctx := t.Context()
	c := s.member(t).signIn(t)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	big := blobtest.Pattern(300_000) // goes to the store
	upload := func(over bool, parent, name string, content []byte) client.Entry {
		t.Helper()
		up := c.Upload
		if over {
			up = c.UploadOver
		}
		stored, err := up(ctx, parent, client.Source{Name: name, MediaType: "text/plain", Content: bytes.NewReader(content)})
		must(err)
		return stored[0]
	}
	folder, err := c.CreateFolder(ctx, "", "Papers")
	must(err)
	paper := upload(false, folder.ID, "paper.txt", big)

	// A folder goes into the trash and comes back with what is below it.
	must(c.DeleteFile(ctx, folder.ID))
	if _, err := c.File(ctx, paper.ID); client.Code(err) != "not_found" {
		t.Errorf("below a deleted folder: %v", err)
	}
	if _, err := c.Download(ctx, paper.ID); client.Code(err) != "not_found" {
		t.Errorf("the content below a deleted folder: %v", err)
	}
	trash := func() (names []string) {
		t.Helper()
		for e, err := range c.Trash(ctx) {
			must(err)
			names = append(names, e.Name)
		}
		return names
	}
	for e, err := range c.Trash(ctx) {
		must(err)
		if e.ID != folder.ID || e.Origin.ID != nil || len(e.Origin.Path) != 0 || e.ExpiresAt == nil || !e.ExpiresAt.After(e.DeletedAt) {
			t.Errorf("in the trash is %+v", e)
		}
	}
	back, err := c.RestoreFile(ctx, folder.ID)
	must(err)
	if diff := cmp.Diff(folder, back); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(content(t, c, paper.ID), big) {
		t.Error("the content came back another")
	}

	// A file comes back although its folder is gone for good.
	must(c.DeleteFile(ctx, paper.ID))
	for e, err := range c.Trash(ctx) {
		must(err)
		if e.Origin.ID == nil || *e.Origin.ID != folder.ID || !cmp.Equal(e.Origin.Path, []string{"Papers"}) {
			t.Errorf("the origin is %+v", e.Origin)
		}
	}
	must(c.DeleteFileForGood(ctx, folder.ID))
	again, err := c.RestoreFile(ctx, paper.ID)
	must(err)
	if diff := cmp.Diff([]string{"Papers"}, names(t, c, "", "")); diff != "" || *again.Parent == folder.ID {
		t.Errorf("restored into %v: %s", again.Parent, diff)
	}

	// An upload over it keeps what it held.
	over := upload(true, *again.Parent, "paper.txt", []byte("second"))
	if over.ID != paper.ID || string(content(t, c, paper.ID)) != "second" {
		t.Errorf("replaced is %+v", over)
	}
	versions := func() (all []client.Version) {
		t.Helper()
		for v, err := range c.Versions(ctx, paper.ID) {
			must(err)
			all = append(all, v)
		}
		return all
	}
	kept := versions()
	if len(kept) != 1 || kept[0].SHA256 != paper.SHA256 || kept[0].Size != paper.Size {
		t.Fatalf("versions are %+v", kept)
	}
	d, err := c.DownloadVersion(ctx, paper.ID, kept[0].ID)
	must(err)
	held, err := io.ReadAll(d.Body)
	must(err)
	must(d.Body.Close())
	if !bytes.Equal(held, big) || d.Name != "paper.txt" {
		t.Errorf("the version is %d bytes of %q", len(held), d.Name)
	}
	restored, err := c.RestoreVersion(ctx, paper.ID, kept[0].ID)
	must(err)
	if restored.SHA256 != paper.SHA256 || !bytes.Equal(content(t, c, paper.ID), big) {
		t.Errorf("restored is %+v", restored)
	}
	kept = versions()
	if len(kept) != 1 || kept[0].Size != int64(len("second")) {
		t.Fatalf("versions are %+v", kept)
	}
	must(c.DeleteVersion(ctx, paper.ID, kept[0].ID))
	if kept := versions(); len(kept) != 0 {
		t.Errorf("versions are %+v", kept)
	}

	// A copy has the content, whatever becomes of the original.
	copied, err := c.CopyFile(ctx, *again.Parent, "", "Copies")
	must(err)
	beside, err := c.CopyFile(ctx, paper.ID, *again.Parent, "")
	must(err)
	if beside.Name != "paper (1).txt" || beside.SHA256 != paper.SHA256 {
		t.Errorf("beside is %+v", beside)
	}
	if _, err := c.CopyFile(ctx, copied.ID, copied.ID, ""); client.Code(err) != "folder_cycle" {
		t.Errorf("a copy into itself: %v", err)
	}
	must(c.DeleteFileForGood(ctx, *again.Parent))
	for e, err := range c.Files(ctx, copied.ID, "") {
		must(err)
		if !bytes.Equal(content(t, c, e.ID), big) {
			t.Errorf("the copy %q has another content", e.Name)
		}
	}

	// What is emptied is gone.
	must(c.DeleteFile(ctx, copied.ID))
	lone := upload(false, "", "lone", []byte("x"))
	must(c.DeleteFile(ctx, lone.ID))
	if got := strings.Join(trash(), " "); got != "lone Copies" {
		t.Errorf("the trash holds %q", got)
	}
	must(c.DeleteTrashed(ctx, lone.ID))
	must(c.EmptyTrash(ctx))
	if got := trash(); len(got) != 0 {
		t.Errorf("the emptied trash holds %q", got)
	}
	if _, err := c.RestoreFile(ctx, copied.ID); client.Code(err) != "not_found" {
		t.Errorf("restored from an emptied trash: %v", err)
	}
}
