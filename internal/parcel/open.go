package parcel

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"coffer/internal/ipfs"
	"coffer/internal/seal"
)

// Fetch returns the bytes of a block, from wherever it likes. Nothing of them is believed.
type Fetch func(ctx context.Context, c ipfs.CID) ([]byte, error)

// Parcel is one that is open. It belongs to one goroutine.
type Parcel struct {
	Manifest
	key   Key
	fetch Fetch
	root  map[string]ipfs.CID
	nodes int // of the root that may still be read
}

// Bounds of what a stranger's root may lead to.
const (
	maxBlock = 2 << 20  // bytes, twice a chunk
	maxDepth = 8        // of a file's tree: 1024 links at each level
	maxShard = 64       // levels of a sharded directory
	maxNodes = MaxFiles // blocks of the root; one of 256 slots has far fewer

	// A stream of n bytes has at most someBlocks + n/leastBlock blocks. Chunks have 1 MiB.
	someBlocks = 64
	leastBlock = 4 << 10
)

// Open fetches the root and the manifest of a parcel.
func Open(ctx context.Context, fetch Fetch, root ipfs.CID, key Key) (*Parcel, error) {
	p := &Parcel{key: key, fetch: fetch, root: map[string]ipfs.CID{}, nodes: maxNodes}
	if err := p.list(ctx, root, 0); err != nil {
		return nil, err
	}
	at, ok := p.root[ManifestName]
	if !ok {
		return nil, errDamaged("the pin")
	}
	var plain bytes.Buffer
	if err := p.open(ctx, ManifestName, at, &capped{&plain, MaxManifest}); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	m, err := parseManifest(plain.Bytes())
	if err != nil {
		return nil, err
	}
	p.Manifest = m
	return p, nil
}

// block fetches a block and checks its digest.
func (p *Parcel) block(ctx context.Context, c ipfs.CID) ([]byte, error) {
	b, err := p.fetch(ctx, c)
	if err != nil {
		return nil, err
	}
	if len(b) > maxBlock || ipfs.Sum(c.Codec, b) != c {
		return nil, errDamaged("block " + c.String())
	}
	return b, nil
}

// list notes the names of the root, which may be a tree of shards.
func (p *Parcel) list(ctx context.Context, c ipfs.CID, depth int) error {
	if p.nodes--; c.Codec != ipfs.DagPB || depth > maxShard || p.nodes < 0 {
		return errDamaged("the pin's directory")
	}
	b, err := p.block(ctx, c)
	if err != nil {
		return err
	}
	kind, links, _, _, err := ipfs.Children(b)
	if err != nil || kind != ipfs.KindDirectory && kind != ipfs.KindShard {
		return errDamaged("the pin's directory")
	}
	for _, l := range links {
		name := l.Name
		if kind == ipfs.KindShard {
			if len(name) < shardPrefix {
				return errDamaged("the pin's directory")
			}
			if name = name[shardPrefix:]; name == "" {
				if err := p.list(ctx, l.CID, depth+1); err != nil {
					return err
				}
				continue
			}
		}
		if p.root[name] = l.CID; len(p.root) > MaxFiles+1 {
			return errDamaged("the pin's directory")
		}
	}
	return nil
}

// shardPrefix is how many hexadecimal digits stand before a name in a shard of 256.
const shardPrefix = 2

// Write writes the content of a file to w. Without an error it was whole.
func (p *Parcel) Write(ctx context.Context, f File, w io.Writer) error {
	at, ok := p.root[f.File]
	if !ok {
		return errDamaged("a file")
	}
	sum := sha256.New()
	counted := &capped{io.MultiWriter(w, sum), f.Size}
	if err := p.open(ctx, f.File, at, counted); err != nil {
		return err
	}
	if counted.left != 0 || hex.EncodeToString(sum.Sum(nil)) != f.SHA256 {
		return errDamaged("a file")
	}
	return nil
}

// open writes the plaintext of a stream to w.
func (p *Parcel) open(ctx context.Context, name string, at ipfs.CID, w *capped) error {
	key, _ := p.Stream(name)
	r, err := seal.NewReader(&blocks{ctx: ctx, p: p, todo: []branch{{at, 0}}, budget: someBlocks + w.left/leastBlock}, key, []byte(AAD))
	if err != nil {
		return err
	}
	_, err = r.WriteTo(w)
	return err
}

// Stream is [Key.Stream] of the parcel's key.
func (p *Parcel) Stream(name string) (key, nonce []byte) { return p.key.Stream(name) }

// branch is a block of a file that is still to be read.
type branch struct {
	cid   ipfs.CID
	depth int
}

// blocks is the content of a file, block by block.
type blocks struct {
	ctx    context.Context
	p      *Parcel
	todo   []branch // the next one last
	left   []byte
	budget int64 // blocks that may still be read
}

// Read implements io.Reader.
func (b *blocks) Read(to []byte) (int, error) {
	for len(b.left) == 0 {
		if len(b.todo) == 0 {
			return 0, io.EOF
		}
		if b.budget--; b.budget < 0 {
			return 0, errDamaged("a file of too many blocks")
		}
		next := b.todo[len(b.todo)-1]
		b.todo = b.todo[:len(b.todo)-1]
		data, err := b.p.block(b.ctx, next.cid)
		if err != nil {
			return 0, err
		}
		if next.cid.Codec == ipfs.Raw {
			b.left = data
			continue
		}
		kind, links, sizes, inline, err := ipfs.Children(data)
		if err != nil || kind != ipfs.KindFile || next.depth >= maxDepth {
			return 0, errDamaged("a file")
		}
		b.left = inline
		for i := len(links) - 1; i >= 0; i-- {
			if sizes[i] == 0 {
				return 0, errDamaged("a file with a part of nothing")
			}
			b.todo = append(b.todo, branch{links[i].CID, next.depth + 1})
		}
	}
	n := copy(to, b.left)
	b.left = b.left[n:]
	return n, nil
}

// capped refuses more than so many bytes.
type capped struct {
	w    io.Writer
	left int64
}

// Write implements io.Writer.
func (c *capped) Write(b []byte) (int, error) {
	if int64(len(b)) > c.left {
		return 0, errDamaged("a content longer than its manifest says, or the manifest,")
	}
	n, err := c.w.Write(b)
	c.left -= int64(n)
	return n, err
}
