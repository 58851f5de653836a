package e2e

import (
	"bytes"
	"io"
	"testing"

	"coffer/client"
	"coffer/internal/blob/blobtest"

	"github.com/google/go-cmp/cmp"
)

// desk is a person at work on files.
type desk struct {
	*client.Client
	t   *testing.T
	big []byte // goes to the store
}

func (d desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

func (d desk) upload(over bool, parent, name string, content []byte) client.Entry {
	d.t.Helper()
	up := d.Upload
	if over {
		up = d.UploadOver
	}
	stored, err := up(d.t.Context(), parent, client.Source{Name: name, MediaType: "text/plain", Content: bytes.NewReader(content)})
	d.must(err)
	return stored[0]
}

func (d desk) trash() (all []client.Trashed) {
	d.t.Helper()
	for e, err := range d.Trash(d.t.Context()) {
		d.must(err)
		all = append(all, e)
	}
	return all
}

func (d desk) versions(id string) (all []client.Version) {
	d.t.Helper()
	for v, err := range d.Versions(d.t.Context(), id) {
		d.must(err)
		all = append(all, v)
	}
	return all
}

// undone deletes, replaces and copies, and takes it back: from the trash, from versions, and
// by deleting the original of a copy.
func undone(t *testing.T, s *server) {
	d := desk{s.member(t).signIn(t), t, blobtest.Pattern(300_000)}
	paper := d.fromTrash()
	d.fromVersions(paper)
	copies := d.fromCopies(paper)

	// What is emptied is gone.
	ctx := t.Context()
	d.must(d.DeleteFile(ctx, copies.ID))
	lone := d.upload(false, "", "lone", []byte("x"))
	d.must(d.DeleteFile(ctx, lone.ID))
	if all := d.trash(); len(all) != 2 || all[0].ID != lone.ID || all[1].ID != copies.ID {
		t.Errorf("in the trash are %+v", all)
	}
	d.must(d.DeleteTrashed(ctx, lone.ID))
	d.must(d.EmptyTrash(ctx))
	if all := d.trash(); len(all) != 0 {
		t.Errorf("in the emptied trash are %+v", all)
	}
	if _, err := d.RestoreFile(ctx, copies.ID); client.Code(err) != "not_found" {
		t.Errorf("restored from an emptied trash: %v", err)
	}
}

// fromTrash restores a folder with what is below it, and a file whose folder is gone. It
// returns the file.
func (d desk) fromTrash() client.Entry {
	t, ctx := d.t, d.t.Context()
	folder, err := d.CreateFolder(ctx, "", "Papers")
	d.must(err)
	paper := d.upload(false, folder.ID, "paper.txt", d.big)
	d.must(d.DeleteFile(ctx, folder.ID))
	if _, err := d.File(ctx, paper.ID); client.Code(err) != "not_found" {
		t.Errorf("below a deleted folder: %v", err)
	}
	if _, err := d.Download(ctx, paper.ID); client.Code(err) != "not_found" {
		t.Errorf("the content below a deleted folder: %v", err)
	}
	all := d.trash()
	if len(all) != 1 || all[0].ID != folder.ID || all[0].Origin.ID != nil || len(all[0].Origin.Path) != 0 || all[0].ExpiresAt == nil || !all[0].ExpiresAt.After(all[0].DeletedAt) {
		t.Fatalf("in the trash are %+v", all)
	}
	back, err := d.RestoreFile(ctx, folder.ID)
	d.must(err)
	if diff := cmp.Diff(folder, back); diff != "" {
		t.Error(diff)
	}
	if !bytes.Equal(content(t, d.Client, paper.ID), d.big) {
		t.Error("the content came back another")
	}
	d.must(d.DeleteFile(ctx, paper.ID))
	all = d.trash()
	if len(all) != 1 || all[0].Origin.ID == nil || *all[0].Origin.ID != folder.ID || !cmp.Equal(all[0].Origin.Path, []string{"Papers"}) {
		t.Fatalf("in the trash are %+v", all)
	}
	d.must(d.DeleteFileForGood(ctx, folder.ID))
	again, err := d.RestoreFile(ctx, paper.ID)
	d.must(err)
	if diff := cmp.Diff([]string{"Papers"}, names(t, d.Client, "", "")); diff != "" || *again.Parent == folder.ID {
		t.Errorf("restored into %v: %s", again.Parent, diff)
	}
	return again
}

// fromVersions uploads over a file, and takes that back.
func (d desk) fromVersions(paper client.Entry) {
	t, ctx := d.t, d.t.Context()
	over := d.upload(true, *paper.Parent, "paper.txt", []byte("second"))
	if over.ID != paper.ID || string(content(t, d.Client, paper.ID)) != "second" {
		t.Errorf("replaced is %+v", over)
	}
	kept := d.versions(paper.ID)
	if len(kept) != 1 || kept[0].SHA256 != paper.SHA256 || kept[0].Size != paper.Size {
		t.Fatalf("versions are %+v", kept)
	}
	download, err := d.DownloadVersion(ctx, paper.ID, kept[0].ID)
	d.must(err)
	held, err := io.ReadAll(download.Body)
	d.must(err)
	d.must(download.Body.Close())
	if !bytes.Equal(held, d.big) || download.Name != "paper.txt" {
		t.Errorf("the version is %d bytes of %q", len(held), download.Name)
	}
	restored, err := d.RestoreVersion(ctx, paper.ID, kept[0].ID)
	d.must(err)
	if restored.SHA256 != paper.SHA256 || !bytes.Equal(content(t, d.Client, paper.ID), d.big) {
		t.Errorf("restored is %+v", restored)
	}
	kept = d.versions(paper.ID)
	if len(kept) != 1 || kept[0].Size != int64(len("second")) {
		t.Fatalf("versions are %+v", kept)
	}
	d.must(d.DeleteVersion(ctx, paper.ID, kept[0].ID))
	if kept := d.versions(paper.ID); len(kept) != 0 {
		t.Errorf("versions are %+v", kept)
	}
}

// fromCopies copies a file and its folder, and deletes the originals. It returns the copy of
// the folder.
func (d desk) fromCopies(paper client.Entry) client.Entry {
	t, ctx := d.t, d.t.Context()
	copied, err := d.CopyFile(ctx, *paper.Parent, "", "Copies")
	d.must(err)
	beside, err := d.CopyFile(ctx, paper.ID, *paper.Parent, "")
	d.must(err)
	if beside.Name != "paper (1).txt" || beside.SHA256 != paper.SHA256 {
		t.Errorf("beside is %+v", beside)
	}
	if _, err := d.CopyFile(ctx, copied.ID, copied.ID, ""); client.Code(err) != "folder_cycle" {
		t.Errorf("a copy into itself: %v", err)
	}
	d.must(d.DeleteFileForGood(ctx, *paper.Parent))
	n := 0
	for e, err := range d.Files(ctx, copied.ID, "") {
		d.must(err)
		if n++; !bytes.Equal(content(t, d.Client, e.ID), d.big) {
			t.Errorf("the copy %q has another content", e.Name)
		}
	}
	if n != 1 {
		t.Errorf("the copy holds %d files", n)
	}
	return copied
}
