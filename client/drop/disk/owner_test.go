//go:build unix

package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// In a folder that others write to, a part that another user planted stays that user's: what is
// written into it could be altered after it was verified. The receive begins a part of its own.
func TestPartOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("COFFER_TEST_REQUIRE") == "1" {
			t.Fatal("only root can make a file of another user")
		}
		t.Skip("only root can make a file of another user; CI runs as root")
	}
	send := t.TempDir()
	write(t, send, map[string]string{"letter.txt": "dear reader", "folder/a": "content of a"})
	for _, name := range []string{"letter.txt", "folder"} {
		out := t.TempDir()
		planted := filepath.Join(out, name+Suffix)
		if name == "folder" {
			write(t, out, map[string]string{name + Suffix + "/" + treeHeader: "", name + Suffix + "/" + treeContent + "/": ""})
		} else {
			write(t, out, map[string]string{name + Suffix: "dear"})
		}
		if err := filepath.WalkDir(planted, func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Chown(path, 4711, 4711))
		}); err != nil {
			t.Fatal(err)
		}
		s := openSource(t, filepath.Join(send, name))
		p := begin(t, openTarget(t, out), s)
		if p.Bytes() != 0 {
			t.Errorf("%s: goes on after %d bytes of another user", name, p.Bytes())
		}
		copyTo(t, p, s, s.Info().Size, 5)
		finish(t, p, Refuse, name)
		if _, err := os.Lstat(planted); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		info, err := os.Stat(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		if !own(info) {
			t.Errorf("%s belongs to another user", name)
		}
	}
}
