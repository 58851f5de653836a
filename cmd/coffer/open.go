package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"coffer/client/drop/disk"
	"coffer/internal/ipfs"
	"coffer/internal/parcel"
)

// openCmd opens the link of an encrypted pin. It needs no account, and believes no server:
// each block is compared with its digest, and each file with its hash.
type openCmd struct {
	Link    string `arg:"" help:"The link, with what follows the #. Other users of this machine can see a command line; - reads the link from standard input."`
	Gateway string `placeholder:"https://HOST" help:"IPFS gateway that serves raw blocks. Default: the server that the link names."`
	Out     string `short:"o" default:"." placeholder:"DIR" help:"Folder for what arrives; made if there is none. Default: the current one."`
	Force   bool   `help:"Replace files that are there."`
}

// Run opens a link.
func (c openCmd) Run(ctx context.Context) error {
	t := newTerminal()
	if c.Link == "-" {
		line, err := t.line(ctx)
		if err != nil {
			return asked(ctx, err)
		}
		c.Link = strings.TrimSpace(line)
	}
	server, root, key, err := parcel.ParseLink(c.Link)
	if err != nil {
		return err
	}
	g := gateway{strings.TrimRight(cmp.Or(c.Gateway, server), "/"), &http.Client{Timeout: time.Minute}}
	if u, err := url.Parse(g.base); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("--gateway: not of the form https://HOST")
	}
	p, err := parcel.Open(ctx, g.block, root, key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Out, 0o777); err != nil {
		return err
	}
	dir, err := os.OpenRoot(c.Out)
	if err != nil {
		return err
	}
	defer dir.Close()
	o := opening{p: p, dir: dir, force: c.Force}
	return o.run(ctx, t.out)
}

// gateway is where blocks come from.
type gateway struct {
	base string
	http *http.Client
}

// maxRawBlock is twice a chunk: no exchange of blocks takes more.
const maxRawBlock = 2 << 20

// block fetches a block, several times if it must. Its caller checks it.
func (g gateway) block(ctx context.Context, c ipfs.CID) (b []byte, err error) {
	for attempt := range 4 {
		var wait time.Duration
		if b, wait, err = g.get(ctx, c); err == nil || wait == 0 {
			return b, err
		}
		pause := time.NewTimer(min(max(wait, time.Second<<attempt), 30*time.Second))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return nil, errInterrupted
		}
	}
	return nil, err
}

// get fetches a block once. wait is above zero when another attempt may succeed.
func (g gateway) get(ctx context.Context, c ipfs.CID) (b []byte, wait time.Duration, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, g.base+"/ipfs/"+c.String()+"?format=raw", nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Accept", "application/vnd.ipld.raw")
	res, err := g.http.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return nil, 0, errInterrupted
		}
		return nil, time.Second, fmt.Errorf("%s does not answer: %w", req.URL.Host, err)
	}
	defer res.Body.Close()
	switch {
	case res.StatusCode == http.StatusOK:
		b, err = io.ReadAll(io.LimitReader(res.Body, maxRawBlock+1))
		if err != nil {
			return nil, time.Second, err
		}
		return b, 0, nil
	case res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500:
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		wait = max(time.Second, time.Duration(min(seconds, 3600))*time.Second)
	}
	return nil, wait, fmt.Errorf("%s has no block %s (status %d); --gateway names another place", req.URL.Host, c, res.StatusCode)
}

// maxPath is the most bytes of a path that a parcel may have.
const maxPath = 64 << 10

// opening writes a parcel into a folder. Every path stays in it, links included.
type opening struct {
	p     *parcel.Parcel
	dir   *os.Root
	force bool
}

func (o opening) run(ctx context.Context, out io.Writer) error {
	top, err := disk.SafeName(o.p.Name)
	if err != nil {
		return err
	}
	single := len(o.p.Files) == 1 && len(o.p.Folders) == 0 && o.p.Files[0].Path == o.p.Name
	if !single {
		if _, err := o.dir.Lstat(top); err == nil && !o.force {
			return fmt.Errorf("%s is there already; --force writes into it", disk.Clean(top))
		}
		if err := o.folder(top); err != nil {
			return err
		}
	}
	places := disk.NewPlaces(maxPath)
	for _, f := range o.p.Folders {
		at, err := places.Place(f, true)
		if err != nil {
			return err
		}
		if err := o.folder(top + "/" + at); err != nil {
			return err
		}
	}
	for _, f := range o.p.Files {
		at := top
		if !single {
			if at, err = places.Place(f.Path, false); err != nil {
				return err
			}
			at = top + "/" + at
			if err := o.folder(path.Dir(at)); err != nil {
				return err
			}
		}
		if err := o.file(ctx, f, at); err != nil {
			return fmt.Errorf("%s: %w", disk.Clean(at), err)
		}
		if _, err := fmt.Fprintln(out, disk.Clean(at)); err != nil {
			return err
		}
	}
	return nil
}

// folder makes a folder and those above it.
func (o opening) folder(at string) error {
	if above := path.Dir(at); above != "." {
		if err := o.folder(above); err != nil {
			return err
		}
	}
	err := o.dir.Mkdir(at, 0o777)
	if errors.Is(err, fs.ErrExist) {
		info, err := o.dir.Lstat(at)
		if err == nil && !info.IsDir() {
			err = fmt.Errorf("%s is no folder", disk.Clean(at))
		}
		return err
	}
	return err
}

// file writes one file. It has its name only once it is whole.
func (o opening) file(ctx context.Context, f parcel.File, at string) (err error) {
	if _, err := o.dir.Lstat(at); err == nil && !o.force {
		return errors.New("it is there already; --force replaces it")
	}
	part := at + disk.Suffix
	w, err := o.dir.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is left of an earlier attempt; remove it first", disk.Clean(part))
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, o.dir.Remove(part))
		}
	}()
	if err := errors.Join(o.p.Write(ctx, f, w), w.Sync(), w.Close()); err != nil {
		return err
	}
	if err := o.dir.Chtimes(part, f.Modified, f.Modified); err != nil {
		return err
	}
	if o.force {
		return o.dir.Rename(part, at)
	}
	if err := o.dir.Link(part, at); err != nil { // in one step, and only while the name is free
		if errors.Is(err, fs.ErrExist) {
			return err
		}
		return o.dir.Rename(part, at) // a file system without links
	}
	return o.dir.Remove(part)
}
