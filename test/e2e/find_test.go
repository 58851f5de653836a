package e2e

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/client"
)

// found returns the paths of a search's hits.
func found(t *testing.T, c *client.Client, q, under string) (paths []string) {
	t.Helper()
	for h, err := range c.SearchFiles(t.Context(), q, under) {
		if err != nil {
			t.Fatalf("search for %q: %v", q, err)
		}
		path := ""
		for _, a := range h.Path {
			path += a.Name + "/"
		}
		paths = append(paths, path+h.Name)
	}
	return paths
}

// searching: a person finds a file by words of its name, and only what is there and theirs.
func searching(t *testing.T, s *server) {
	ctx := t.Context()
	c, eve := s.member(t).signIn(t), s.member(t).signIn(t)
	papers, err := c.CreateFolder(ctx, "", "Päpers")
	if err != nil {
		t.Fatal(err)
	}
	taxes, err := c.CreateFolder(ctx, papers.ID, "taxes")
	if err != nil {
		t.Fatal(err)
	}
	var files []client.Source
	for i := range 450 { // more than two pages
		files = append(files, client.Source{Name: fmt.Sprintf("Straße %03d.txt", i), Content: strings.NewReader("x")})
	}
	stored, err := c.Upload(ctx, taxes.ID, files...)
	if err != nil {
		t.Fatal(err)
	}
	if got := found(t, c, "strasse", ""); len(got) != len(files) {
		t.Errorf("%d hits of %d", len(got), len(files))
	}
	if diff := cmp.Diff([]string{"Päpers/taxes/Straße 044.txt"}, found(t, c, "txt 044 STRA", papers.ID)); diff != "" {
		t.Error(diff)
	}
	// Another person finds none of it, whatever they name.
	if got := found(t, eve, "strasse", ""); got != nil {
		t.Errorf("another finds %q", got)
	}
	for _, err := range eve.SearchFiles(ctx, "strasse", papers.ID) {
		if client.Code(err) != "not_found" {
			t.Errorf("below a folder of another: %v", err)
		}
	}
	// A file that moved is found at its new place, a deleted one not at all.
	if _, err := c.MoveFile(ctx, stored[44].ID, ""); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Straße 044.txt"}, found(t, c, "044", "")); diff != "" {
		t.Error(diff)
	}
	if got := found(t, c, "044", papers.ID); got != nil {
		t.Errorf("a file that moved away: %q", got)
	}
	if err := c.DeleteFile(ctx, papers.ID); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Straße 044.txt"}, found(t, c, "strasse", "")); diff != "" {
		t.Error(diff)
	}
}

// zipping: a person takes a folder, and a choice, along as a zip that another program opens.
func zipping(t *testing.T, s *server) {
	ctx := t.Context()
	c, eve := s.member(t).signIn(t), s.member(t).signIn(t)
	papers, err := c.CreateFolder(ctx, "", "Päpers")
	if err != nil {
		t.Fatal(err)
	}
	empty, err := c.CreateFolder(ctx, papers.ID, "empty")
	if err != nil {
		t.Fatal(err)
	}
	const size = 3 << 20
	if _, err := c.Upload(ctx, papers.ID, client.Source{Name: "large.bin", Content: pattern(size)}, client.Source{Name: "CON", Content: strings.NewReader("small")},
		client.Source{Name: "naïve 日本.txt", Content: strings.NewReader("")}); err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, pattern(size)); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"Päpers": "folder", "Päpers/empty": "folder", "Päpers/_CON": fmt.Sprintf("%x", sha256.Sum256([]byte("small"))),
		"Päpers/large.bin": fmt.Sprintf("%x", sum.Sum(nil)), "Päpers/naïve 日本.txt": fmt.Sprintf("%x", sha256.Sum256(nil)),
	}
	if diff := cmp.Diff(want, unpacked(t, archived(t, c, papers.ID))); diff != "" {
		t.Error(diff)
	}
	other, err := c.CreateFolder(ctx, "", "other")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"empty": "folder", "other": "folder"}, unpacked(t, archived(t, c, empty.ID, other.ID))); diff != "" {
		t.Error(diff)
	}
	if err := c.DeleteFile(ctx, other.ID); err != nil {
		t.Fatal(err)
	}
	mine, err := eve.CreateFolder(ctx, "", "mine")
	if err != nil {
		t.Fatal(err)
	}
	for name, ask := range map[string]func() (io.ReadCloser, error){
		"a folder of another":          func() (io.ReadCloser, error) { return eve.Archive(ctx, papers.ID) },
		"one of another among mine":    func() (io.ReadCloser, error) { return eve.Archive(ctx, mine.ID, papers.ID) },
		"a deleted one":                func() (io.ReadCloser, error) { return c.Archive(ctx, other.ID) },
		"a deleted one among others":   func() (io.ReadCloser, error) { return c.Archive(ctx, papers.ID, other.ID) },
		"an id that no entry can have": func() (io.ReadCloser, error) { return c.Archive(ctx, "otters") },
	} {
		if body, err := ask(); client.Code(err) != "not_found" {
			t.Errorf("%s: %v", name, err)
			if err == nil {
				body.Close()
			}
		}
	}
}

// archived fetches an archive into a file.
func archived(t *testing.T, c *client.Client, ids ...string) (path string) {
	t.Helper()
	body, err := c.Archive(t.Context(), ids...)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	path = filepath.Join(t.TempDir(), "archive.zip")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(f, body); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// unpacked unpacks an archive with unzip, a program of others, and returns the SHA-256 of
// each file, and "folder" for folders, by path.
func unpacked(t *testing.T, archive string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.CommandContext(t.Context(), needs(t, "unzip"), "-q", archive, "-d", dir)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("unzip: %v %s", err, out)
	}
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		name, relErr := filepath.Rel(dir, path)
		if err != nil || relErr != nil || name == "." {
			return err
		}
		if d.IsDir() {
			all[filepath.ToSlash(name)] = "folder"
			return nil
		}
		content, err := os.ReadFile(path)
		all[filepath.ToSlash(name)] = fmt.Sprintf("%x", sha256.Sum256(content))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// An archive of many files, and of more bytes than the server may hold, streams in little
// memory. One that breaks off does not open.
func TestArchiveInLittleMemory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("reads /proc, which only Linux has")
	}
	s := start(t, alone)
	c := s.member(t).signIn(t)
	folder, err := c.CreateFolder(t.Context(), "", "many")
	if err != nil {
		t.Fatal(err)
	}
	const size = 192 << 20
	if _, err := c.Upload(t.Context(), folder.ID, client.Source{Name: "large.bin", Content: pattern(size)}); err != nil {
		t.Fatal(err)
	}
	files := 5_000
	if os.Getenv("COFFER_TEST_LONG") == "1" {
		files = 100_000
	}
	for done := 0; done < files; {
		batch := make([]client.Source, 1000)
		for i := range batch {
			batch[i] = client.Source{Name: fmt.Sprintf("file %06d.txt", done), Content: strings.NewReader("otters")}
			done++
		}
		if _, err := c.Upload(t.Context(), folder.ID, batch...); err != nil {
			t.Fatal(err)
		}
	}
	before := s.memory(t, "VmHWM")
	path := archived(t, c, folder.ID)
	peak := s.memory(t, "VmHWM")
	t.Logf("peak %d MiB, %d before", peak>>20, before>>20)
	if grown := peak - before; grown > 48<<20 {
		t.Errorf("memory grew by %d MiB for an archive of %d files", grown>>20, files+1)
	}
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	if len(z.File) != files+2 {
		t.Errorf("%d entries of %d", len(z.File), files+2)
	}
	test := exec.CommandContext(t.Context(), needs(t, "unzip"), "-tqq", path)
	if out, err := test.CombinedOutput(); err != nil {
		t.Errorf("unzip: %v %s", err, out)
	}

	// Killed in the middle.
	body, err := c.Archive(t.Context(), folder.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	var part bytes.Buffer
	if _, err := io.CopyN(&part, body, 1<<20); err != nil {
		t.Fatal(err)
	}
	s.kill()
	if n, err := io.Copy(&part, body); err == nil {
		t.Errorf("a broken archive ended well after %d bytes", n)
	}
	broken := filepath.Join(t.TempDir(), "broken.zip")
	if err := os.WriteFile(broken, part.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := exec.CommandContext(t.Context(), needs(t, "unzip"), "-tqq", broken).Run(); err == nil {
		t.Error("unzip takes a broken archive for whole")
	}
}
