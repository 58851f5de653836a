package keyring

import (
	"bytes"
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func TestLoadRootFromTheEnvironment(t *testing.T) {
	file := filepath.Join(t.TempDir(), "root.key")
	want := bytes.Repeat([]byte{0xfb}, rootSize) // + and / in standard base64
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		got, err := LoadRoot(enc.EncodeToString(want), file)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%x, %v", got, err)
		}
	}
	for _, bad := range []string{"short", base64.StdEncoding.EncodeToString(want[1:]), base64.StdEncoding.EncodeToString(append(want, 1)), "!!!!"} {
		_, err := LoadRoot(bad, file)
		if err == nil || !strings.Contains(err.Error(), "COFFER_ROOT_KEY") || strings.Contains(err.Error(), bad) {
			t.Errorf("%q: %v, want an error that names the setting and not its value", bad, err)
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was made beside the environment's key")
	}
}

func TestFirstStartsAtOnceAgreeOnTheRootFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	file := filepath.Join(dir, "root.key")
	const starts = 20
	roots := make([][]byte, starts)
	var wg sync.WaitGroup
	for i := range roots {
		wg.Go(func() {
			root, err := LoadRoot("", file)
			if err != nil {
				t.Error(err)
			}
			roots[i] = root
		})
	}
	wg.Wait()
	for i, root := range roots {
		if len(root) != rootSize || !bytes.Equal(root, roots[0]) {
			t.Errorf("start %d has root %x, start 0 has %x", i, root, roots[0])
		}
	}
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o, want 600", info.Mode().Perm())
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left in the folder: %v, %v", left, err)
	}
}

func TestRootFileThatCannotBeTrusted(t *testing.T) {
	good := base64.StdEncoding.EncodeToString(rootKey) + "\n"
	for _, tc := range []struct {
		name, content string
		mode          os.FileMode
		say           string
	}{
		{"readable by the group", good, 0o640, "chmod 600"},
		{"readable by all", good, 0o604, "chmod 600"},
		{"empty", "", 0o600, "32 bytes in base64"},
		{"half", good[:20], 0o600, "32 bytes in base64"},
		{"two keys", good + good, 0o600, "32 bytes in base64"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "root.key")
			if err := os.WriteFile(file, []byte(tc.content), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, tc.mode); err != nil {
				t.Fatal(err)
			}
			_, err := LoadRoot("", file)
			if err == nil || !strings.Contains(err.Error(), tc.say) || !strings.Contains(err.Error(), file) {
				t.Errorf("%v, want an error that names the file and says %q", err, tc.say)
			}
			after, err := os.ReadFile(file)
			if err != nil || string(after) != tc.content {
				t.Errorf("the file was changed to %q, %v", after, err)
			}
		})
	}
}
