package blob

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Dir is a store in a folder: one file per object, in 256 folders by the first two
// characters of the id, and a public object at its place. A Put writes and syncs a file under tmp, then links it to its place
// and syncs that folder. The link fails when the place is taken. A killed process leaves at
// most a file under tmp, which no reader sees and OpenDir removes. Several processes may
// use one folder. Deletions are not synced: a power cut may restore an object without a
// record.
type Dir struct {
	root string
	keep int64 // per object, in the page cache
}

var _ Store = (*Dir)(nil)

const temporary = "tmp"

// OpenDir opens the store in the folder path, and creates it if absent. It removes
// leftovers of crashes older than a day.
func OpenDir(path string) (*Dir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("blob: %w", err)
	}
	d := &Dir{root: path, keep: cacheShare()}
	// Every folder exists, durably, before the first object, so a Put syncs only one.
	made := false
	for _, name := range append([]string{"", temporary}, shards()...) {
		switch err := os.MkdirAll(filepath.Join(path, name), 0o700); {
		case err != nil:
			return nil, fmt.Errorf("blob: %w", err)
		case name == "":
			_, err := os.Stat(filepath.Join(path, "ff"))
			made = err != nil
		}
	}
	if made {
		if err := errors.Join(syncDir(path), syncDir(filepath.Dir(path))); err != nil {
			return nil, fmt.Errorf("blob: %w", err)
		}
	}
	return d, d.sweep(time.Now().Add(-leftoverAge))
}

func shards() []string {
	names := make([]string, 256)
	for i := range names {
		names[i] = fmt.Sprintf("%02x", i)
	}
	return names
}

// sweep removes the leftovers of Puts from before the time.
func (d *Dir) sweep(before time.Time) error {
	entries, err := os.ReadDir(filepath.Join(d.root, temporary))
	if err != nil {
		return fmt.Errorf("blob: sweep: %w", err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || info.ModTime().After(before) {
			continue // already gone, or another process's upload
		}
		if err := os.Remove(filepath.Join(d.root, temporary, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("blob: sweep: %w", err)
		}
	}
	return nil
}

func (d *Dir) path(id string) string {
	if isPublic(id) {
		return filepath.Join(d.root, filepath.FromSlash(id))
	}
	return filepath.Join(d.root, id[:2], id)
}

// unfinished returns the beginning of the names of an object's unfinished files.
func (d *Dir) unfinished(id string) string {
	return filepath.Join(d.root, temporary, strings.ReplaceAll(id, "/", "-")+".")
}

// makePlace makes the folders of a public object, durably.
func (d *Dir) makePlace(id string) error {
	folder := filepath.Dir(d.path(id))
	if !isPublic(id) {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return errors.Join(syncDir(filepath.Dir(folder)), syncDir(d.root))
}

// Put implements [Store]. A reader that implements io.WriterTo writes directly into the
// file.
func (d *Dir) Put(ctx context.Context, id string, r io.Reader) (int64, error) {
	if err := errors.Join(checkID(id), ctx.Err()); err != nil {
		return 0, err
	}
	if _, err := os.Lstat(d.path(id)); err == nil {
		return 0, ErrExists // an early, cheap check; the link below decides
	}
	name := d.unfinished(id) + rand.Text()
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, down(ctx, "put", err)
	}
	defer os.Remove(name)
	size, err := fill(ctx, f, r, d.keep)
	if err != nil {
		f.Close()
		return 0, err
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return 0, down(ctx, "put", err)
	}
	if err := ctx.Err(); err != nil {
		return 0, context.Cause(ctx)
	}
	if err := d.makePlace(id); err != nil {
		return 0, down(ctx, "put", err)
	}
	if err := os.Link(name, d.path(id)); errors.Is(err, fs.ErrExist) {
		return 0, ErrExists
	} else if errors.Is(err, fs.ErrNotExist) && d.Ping(ctx) == nil {
		return 0, ErrMissing // a Delete removed it
	} else if err != nil {
		return 0, down(ctx, "put", err)
	}
	if err := syncDir(filepath.Dir(d.path(id))); err != nil {
		os.Remove(d.path(id)) // not known to be durable, so removed
		return 0, down(ctx, "put", err)
	}
	return size, nil
}

// Get implements [Store].
func (d *Dir) Get(ctx context.Context, id string, off, n int64) (io.ReadCloser, int64, error) {
	if err := errors.Join(checkID(id), checkRange(off), ctx.Err()); err != nil {
		return nil, 0, err
	}
	// Lstat before opening: opening a pipe would wait for a writer.
	info, err := os.Lstat(d.path(id))
	var f *os.File
	if err == nil {
		if !info.Mode().IsRegular() {
			return nil, 0, fmt.Errorf("blob: %s is no regular file", id)
		}
		f, err = os.Open(d.path(id))
	}
	if errors.Is(err, fs.ErrNotExist) {
		if err := d.Ping(ctx); err != nil {
			return nil, 0, err
		}
		return nil, 0, ErrMissing
	} else if err != nil {
		return nil, 0, down(ctx, "get", err)
	}
	if off > 0 {
		if _, err = f.Seek(off, io.SeekStart); err != nil {
			f.Close()
			return nil, 0, down(ctx, "get", err)
		}
	}
	r := io.Reader(f)
	if n >= 0 {
		r = io.LimitReader(f, n)
	}
	return &object{ctx: ctx, r: r, close: f.Close}, info.Size(), nil
}

// Delete implements [Store].
func (d *Dir) Delete(ctx context.Context, id string) error {
	if err := errors.Join(checkID(id), ctx.Err()); err != nil {
		return err
	}
	err := os.Remove(d.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		err = d.Ping(ctx)
	}
	if isPublic(id) {
		_ = os.Remove(filepath.Dir(d.path(id))) // fails while other objects are there
	}
	unfinished, globErr := filepath.Glob(d.unfinished(id) + "*")
	for _, name := range unfinished {
		if e := os.Remove(name); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return down(ctx, "delete", errors.Join(err, globErr))
}

// List implements [Store].
func (d *Dir) List(ctx context.Context, folder, after string, fn func(id string, size int64, at time.Time) error) error {
	if err := checkFolder(folder); err != nil {
		return err
	}
	if folder != "" {
		return d.listPublic(ctx, folder, after, fn)
	}
	for _, shard := range shards() {
		if len(after) >= 2 && shard < after[:2] {
			continue
		}
		if err := d.listFolder(ctx, shard, "", after, fn); err != nil {
			return err
		}
	}
	return nil
}

// listPublic lists a folder of public objects, which is absent before the first one, and whose folders
// come and go with theirs.
func (d *Dir) listPublic(ctx context.Context, folder, after string, fn func(id string, size int64, at time.Time) error) error {
	f, err := os.Open(filepath.Join(d.root, folder))
	if errors.Is(err, fs.ErrNotExist) {
		return d.Ping(ctx)
	} else if err != nil {
		return down(ctx, "list", err)
	}
	names, err := f.Readdirnames(-1)
	if err := errors.Join(err, f.Close()); err != nil {
		return down(ctx, "list", err)
	}
	slices.Sort(names)
	for _, name := range names {
		at := folder + "/" + name
		if last := at + "/~"; last < after || !isPublic(at+"/0.webp") { // "~" is behind the names of all objects
			continue
		}
		if err := d.listFolder(ctx, at, at+"/", after, fn); err != nil {
			return err
		}
	}
	return nil
}

// listFolder lists the objects of one folder, whose ids begin with prefix.
func (d *Dir) listFolder(ctx context.Context, folder, prefix, after string, fn func(id string, size int64, at time.Time) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Join(d.root, filepath.FromSlash(folder)))
	if prefix != "" && errors.Is(err, fs.ErrNotExist) {
		return nil // deleted meanwhile
	} else if err != nil {
		return down(ctx, "list", err)
	}
	for _, e := range entries {
		id := prefix + e.Name()
		if id <= after || checkID(id) != nil || e.IsDir() {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // deleted meanwhile
		} else if err != nil {
			return down(ctx, "list", err)
		}
		if err := fn(id, info.Size(), info.ModTime()); err != nil {
			return err
		}
	}
	return nil
}

// Ping implements [Store]. An object counts as absent only while Ping succeeds: an
// unmounted folder has lost no object.
func (d *Dir) Ping(ctx context.Context) error {
	_, err := os.Stat(filepath.Join(d.root, temporary))
	return down(ctx, "ping", err)
}

// syncDir makes the names in a folder durable.
func syncDir(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// object is an open object that returns the store's errors.
type object struct {
	ctx   context.Context
	r     io.Reader
	close func() error
}

func (o *object) Read(p []byte) (int, error) {
	n, err := o.r.Read(p)
	if err != nil && err != io.EOF {
		err = down(o.ctx, "read", err)
	}
	return n, err
}

func (o *object) Close() error { return o.close() }
