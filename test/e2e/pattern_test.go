package e2e

import (
	"io"
	"math/rand/v2"
	"testing"

	"coffer/client"
)

// pattern is n bytes without repetition, generated on reading.
func pattern(n int64) io.Reader { return io.LimitReader(rand.NewChaCha8([32]byte{1}), n) }

func uploadPattern(t *testing.T, c *client.Client, n int64) (id string) {
	t.Helper()
	stored, err := c.Upload(t.Context(), "", client.Source{Name: "pattern.bin", Content: pattern(n)})
	if err != nil {
		t.Fatal(err)
	}
	return stored[0].ID
}

// downloadPattern reads the file to its end, where the client checks the digest.
func downloadPattern(t *testing.T, c *client.Client, id string, n int64) {
	t.Helper()
	d, err := c.Download(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Body.Close()
	if got, err := io.Copy(io.Discard, d.Body); err != nil || got != n || d.SHA256 == nil {
		t.Errorf("downloaded %d bytes, %v", got, err)
	}
}
