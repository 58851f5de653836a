package keyring

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

const rootSize = 32

// LoadRoot returns the root key: env, the value of COFFER_ROOT_KEY, when it is not empty,
// otherwise the content of file. It creates a missing file, readable by its owner only,
// whole and on disk before it returns. Two simultaneous first starts agree on one key.
func LoadRoot(env, file string) ([]byte, error) {
	if env != "" {
		root, err := decodeRoot(env)
		if err != nil {
			return nil, fmt.Errorf("COFFER_ROOT_KEY: %w", err)
		}
		return root, nil
	}
	root, err := readRoot(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return root, err
	}
	if err := makeRoot(file); err != nil {
		return nil, fmt.Errorf("make root key file: %w", err)
	}
	return readRoot(file)
}

func decodeRoot(text string) ([]byte, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "=")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	root, err := base64.RawStdEncoding.Strict().DecodeString(text)
	if err != nil || len(root) != rootSize {
		// The value itself must not reach a log.
		return nil, fmt.Errorf("must be %d bytes in base64", rootSize)
	}
	return root, nil
}

func readRoot(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("root key file: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("root key file: %w", err)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("root key file %s is open to others (mode %04o): chmod 600 it", file, mode)
	}
	text, err := io.ReadAll(io.LimitReader(f, 256))
	if err != nil {
		return nil, fmt.Errorf("root key file %s: %w", file, err)
	}
	root, err := decodeRoot(string(text))
	if err != nil {
		return nil, fmt.Errorf("root key file %s: %w", file, err)
	}
	return root, nil
}

// makeRoot publishes a new key under the name file unless that name is taken. A link cannot
// replace a file, and it shows only a whole one.
func makeRoot(file string) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	temp, err := os.CreateTemp(dir, ".root-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(temp.Name())
	defer temp.Close()
	var root [rootSize]byte
	rand.Read(root[:])
	if _, err := temp.WriteString(base64.StdEncoding.EncodeToString(root[:]) + "\n"); err != nil {
		return err
	}
	if err := temp.Sync(); err != nil {
		return err
	}
	if err := os.Link(temp.Name(), file); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
