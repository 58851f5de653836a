// Command ipfscheck computes identifiers and reads archives with boxo and go-car, so that tests can
// compare Coffer's with them. It applies the profile unixfs-v1-2025.
//
//	ipfscheck file [-chunk N] [-width N] [-car OUT] < CONTENT   prints CID and cumulative size
//	ipfscheck folder [-car OUT] FOLDER                          the same
//	ipfscheck entries < [{"name","cid","total"}]                the same, of one folder
//	ipfscheck car < ARCHIVE                                     checks every block and reads the files again
//
// The last one prints "root CID", then one line for each file below a root: its path in quotes, its
// length and its SHA-256.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"path"
	"path/filepath"

	"github.com/ipfs/boxo/blockservice"
	"github.com/ipfs/boxo/blockstore"
	chunk "github.com/ipfs/boxo/chunker"
	"github.com/ipfs/boxo/exchange/offline"
	"github.com/ipfs/boxo/ipld/merkledag"
	"github.com/ipfs/boxo/ipld/unixfs/importer/balanced"
	"github.com/ipfs/boxo/ipld/unixfs/importer/helpers"
	uio "github.com/ipfs/boxo/ipld/unixfs/io"
	"github.com/ipfs/go-cid"
	"github.com/ipfs/go-datastore"
	dssync "github.com/ipfs/go-datastore/sync"
	ipld "github.com/ipfs/go-ipld-format"
	"github.com/ipld/go-car/v2"
	"github.com/ipld/go-car/v2/storage"
)

var profile = uio.UnixFS_v1_2025

func main() {
	log.SetFlags(0)
	profile.ApplyGlobals()
	if len(os.Args) < 2 {
		log.Fatal("usage: ipfscheck file|folder|entries|car")
	}
	set := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	size := set.Int64("chunk", profile.ChunkSize, "bytes of a chunk")
	width := set.Int("width", profile.FileDAGWidth, "links of a node")
	out := set.String("car", "", "file that gets all blocks")
	if err := set.Parse(os.Args[2:]); err != nil {
		log.Fatal(err)
	}
	b := &builder{dag: nothing{}, chunk: *size, width: *width}
	if *out != "" {
		b.keep()
	}
	var root ipld.Node
	var err error
	switch os.Args[1] {
	case "file":
		root, err = b.file(bufio.NewReaderSize(os.Stdin, 1<<20))
	case "folder":
		root, err = b.folder(set.Arg(0))
	case "entries":
		root, err = b.entries(os.Stdin)
	case "car":
		err = read(os.Stdin, os.Stdout)
	default:
		err = errors.New("unknown command " + os.Args[1])
	}
	if err == nil && *out != "" {
		err = b.write(*out, root)
	}
	if err != nil {
		log.Fatal(err)
	}
	if root != nil {
		total, err := root.Size()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(root.Cid(), total)
	}
}

// nothing takes blocks and keeps none.
type nothing struct{ ipld.DAGService }

func (nothing) Add(context.Context, ipld.Node) error       { return nil }
func (nothing) AddMany(context.Context, []ipld.Node) error { return nil }

// builder makes files and folders as the profile says.
type builder struct {
	dag   ipld.DAGService
	store blockstore.Blockstore
	chunk int64
	width int
}

// keep makes b hold all blocks in memory.
func (b *builder) keep() {
	b.store = blockstore.NewBlockstore(dssync.MutexWrap(datastore.NewMapDatastore()))
	b.dag = merkledag.NewDAGService(blockservice.New(b.store, offline.Exchange(b.store)))
}

func (b *builder) file(r io.Reader) (ipld.Node, error) {
	params := helpers.DagBuilderParams{Dagserv: b.dag, Maxlinks: b.width, RawLeaves: profile.RawLeaves, CidBuilder: profile.CidBuilder()}
	d, err := params.New(chunk.NewSizeSplitter(r, b.chunk))
	if err != nil {
		return nil, err
	}
	return balanced.Layout(d)
}

func (b *builder) folder(name string) (ipld.Node, error) {
	entries, err := os.ReadDir(name)
	if err != nil {
		return nil, err
	}
	d, err := uio.NewDirectory(b.dag, uio.WithCidBuilder(profile.CidBuilder()))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		var child ipld.Node
		if e.IsDir() {
			child, err = b.folder(filepath.Join(name, e.Name()))
		} else {
			child, err = b.open(filepath.Join(name, e.Name()))
		}
		if err != nil {
			return nil, err
		}
		if err := d.AddChild(context.Background(), e.Name(), child); err != nil {
			return nil, err
		}
	}
	return b.finish(d)
}

func (b *builder) open(name string) (ipld.Node, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return b.file(f)
}

func (b *builder) finish(d uio.Directory) (ipld.Node, error) {
	n, err := d.GetNode()
	if err != nil {
		return nil, err
	}
	return n, b.dag.Add(context.Background(), n)
}

// stub is an entry of which only the identifier and the size are known.
type stub struct {
	ipld.Node
	id    cid.Cid
	total uint64
}

func (s stub) Cid() cid.Cid          { return s.id }
func (s stub) Size() (uint64, error) { return s.total, nil }

func (b *builder) entries(r io.Reader) (ipld.Node, error) {
	var entries []struct {
		Name  string
		CID   string
		Total uint64
	}
	if err := json.NewDecoder(r).Decode(&entries); err != nil {
		return nil, err
	}
	d, err := uio.NewDirectory(b.dag, uio.WithCidBuilder(profile.CidBuilder()))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		id, err := cid.Decode(e.CID)
		if err != nil {
			return nil, err
		}
		if err := d.AddChild(context.Background(), e.Name, stub{id: id, total: e.Total}); err != nil {
			return nil, err
		}
	}
	return b.finish(d)
}

// write stores all blocks as an archive of version 1.
func (b *builder) write(name string, root ipld.Node) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := storage.NewWritable(f, []cid.Cid{root.Cid()}, car.WriteAsCarV1(true))
	if err != nil {
		return err
	}
	// Each block once, parents first.
	seen := cid.NewSet()
	var put func(id cid.Cid) error
	put = func(id cid.Cid) error {
		if !seen.Visit(id) {
			return nil
		}
		n, err := b.dag.Get(context.Background(), id)
		if err != nil {
			return err
		}
		if err := w.Put(context.Background(), id.KeyString(), n.RawData()); err != nil {
			return err
		}
		for _, l := range n.Links() {
			if err := put(l.Cid); err != nil {
				return err
			}
		}
		return nil
	}
	if err := put(root.Cid()); err != nil {
		return err
	}
	return w.Finalize()
}

// read checks an archive and prints what stands below its roots.
func read(r io.Reader, w io.Writer) error {
	b := &builder{}
	b.keep()
	in, err := car.NewBlockReader(bufio.NewReader(r))
	if err != nil {
		return err
	}
	if in.Version != 1 {
		return fmt.Errorf("the archive has version %d", in.Version)
	}
	for {
		block, err := in.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := b.store.Put(context.Background(), block); err != nil {
			return err
		}
	}
	for _, root := range in.Roots {
		fmt.Fprintln(w, "root", root)
		n, err := b.dag.Get(context.Background(), root)
		if err != nil {
			return err
		}
		if err := b.print(w, ".", n); err != nil {
			return err
		}
	}
	return nil
}

func (b *builder) print(w io.Writer, name string, n ipld.Node) error {
	ctx := context.Background()
	d, err := uio.NewDirectoryFromNode(b.dag, n)
	if err == nil {
		return d.ForEachLink(ctx, func(l *ipld.Link) error {
			child, err := b.dag.Get(ctx, l.Cid)
			if err != nil {
				return err
			}
			return b.print(w, path.Join(name, l.Name), child)
		})
	}
	if !errors.Is(err, uio.ErrNotADir) {
		return err
	}
	content, err := uio.NewDagReader(ctx, n, b.dag)
	if err != nil {
		return err
	}
	hash := sha256.New()
	size, err := io.Copy(hash, content)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%q %d %x\n", name, size, hash.Sum(nil))
	return err
}
