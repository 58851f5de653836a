package e2e

import (
	"io"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"coffer/internal/blob"
)

// redis opens the Redis database that url names.
func redis(t *testing.T, url string) rueidis.Client {
	t.Helper()
	opt, err := rueidis.ParseURL(url)
	if err != nil {
		t.Fatal(err)
	}
	opt.DisableCache = true
	c, err := rueidis.NewClient(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func clearRedis(t *testing.T, url string) {
	t.Helper()
	c := redis(t, url)
	if err := c.Do(t.Context(), c.B().Flushdb().Build()).Error(); err != nil {
		t.Fatal(err)
	}
}

// dumpRedis returns every key with its value.
func dumpRedis(t *testing.T, url string) []byte {
	t.Helper()
	c := redis(t, url)
	ctx := t.Context()
	var all []byte
	keys := 0
	var cursor uint64
	for {
		page, err := c.Do(ctx, c.B().Scan().Cursor(cursor).Count(1000).Build()).AsScanEntry()
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range page.Elements {
			keys++
			all = append(append(all, key...), '\n')
			value, err := c.Do(ctx, c.B().Get().Key(key).Build()).AsBytes()
			if err != nil { // not a string, or expired meanwhile: its serialised form
				value, _ = c.Do(ctx, c.B().Dump().Key(key).Build()).AsBytes()
			}
			all = append(append(all, value...), '\n')
		}
		if cursor = page.Cursor; cursor == 0 {
			break
		}
	}
	if keys < 3 {
		t.Errorf("Redis holds %d keys: is it in use?", keys)
	}
	return all
}

// dumpS3 returns every object below the address, with its name.
func dumpS3(t *testing.T, spec string) []byte {
	t.Helper()
	s, err := blob.OpenS3(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	var all []byte
	objects := 0
	if err := s.List(t.Context(), "", "", func(id string, size int64, _ time.Time) error {
		objects++
		r, _, err := s.Get(t.Context(), id, 0, size)
		if err != nil {
			return err
		}
		defer r.Close()
		raw, err := io.ReadAll(r)
		all = append(append(all, id...), raw...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if objects == 0 {
		t.Error("S3 holds nothing: is it in use?")
	}
	return all
}
