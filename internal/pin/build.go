package pin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/ipfs"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/parcel"
	"coffer/internal/pinning"
	"coffer/internal/seal"
)

// buildJob computes the outline of a pin: its identifier and the place of each block.
const buildJob = "pin.build"

type buildOrder struct {
	Pin string `json:"pin"`
}

// errStopped says that the operator has stopped an account while a worker was busy with a pin of it.
var errStopped = errors.New("pin: the account publishes nothing now")

// errLost says that a worker has lost its row: the pin is being removed, or its account is.
var errLost = errors.New("pin: another worker has the row, or it is gone")

func (s *Service) build(ctx context.Context, payload []byte) error {
	var order buildOrder
	if err := json.Unmarshal(payload, &order); err != nil {
		return jobs.Permanent(fmt.Errorf("%s: %w", buildJob, err))
	}
	now := s.Now()
	r, err := claimOutline(ctx, s.DB, order.Pin, now.UnixMilli(), now.Add(s.times.lease).UnixMilli())
	if errors.Is(err, db.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if off, err := s.stopped(ctx, r.Account, false); err != nil {
		return err
	} else if off {
		_, err := delayOutline(ctx, s.DB, r.ID, r.Attempt, now.Add(s.times.most).UnixMilli(), 0)
		return err
	}
	work, stop := s.keep(ctx, func(ctx context.Context) error {
		ours, err := delayOutline(ctx, s.DB, r.ID, r.Attempt, s.Now().Add(s.times.lease).UnixMilli(), 0)
		return s.mayGoOn(ctx, r.Account, false, ours, err)
	})
	defer stop()
	o, err := s.outline(work, r)
	stop()
	reason := hopeless(err)
	if reason == "" && err != nil && ctx.Err() == nil && context.Cause(work) != errLost && context.Cause(work) != errStopped {
		begun, late := s.begun(ctx, r)
		if late != nil {
			return errors.Join(err, late)
		}
		if now.Sub(begun) > s.times.patience {
			reason = reasonDamaged
		}
	}
	switch {
	case err == nil:
		err = s.setOutline(ctx, r, o)
	case reason != "":
		s.Log.ErrorContext(ctx, "pin: a content cannot be read", "pin", r.ID, "reason", reason, "error", err)
		err = s.failOutline(ctx, r, reason)
	case ctx.Err() != nil:
		_, err = delayOutline(context.WithoutCancel(ctx), s.DB, r.ID, r.Attempt, s.Now().UnixMilli(), 0)
		return errors.Join(ctx.Err(), err)
	case context.Cause(work) == errLost:
		return nil
	case context.Cause(work) == errStopped:
		_, err = delayOutline(ctx, s.DB, r.ID, r.Attempt, s.Now().Add(s.times.most).UnixMilli(), 0)
	default:
		s.Log.WarnContext(ctx, "pin: an outline was not made", "pin", r.ID, "error", err)
		_, err = delayOutline(ctx, s.DB, r.ID, r.Attempt, s.Now().Add(s.backoff(r.Tries)).UnixMilli(), 1)
	}
	if errors.Is(err, errLost) {
		return nil
	}
	return err
}

// hopeless returns the reason why an outline can never be made, and "" where it may be.
func hopeless(err error) string {
	switch {
	case errors.Is(err, ipfs.ErrName):
		return reasonNames
	case errors.Is(err, parcel.ErrTooLarge):
		return string(pinning.TooLarge)
	case content.IsLost(err), errors.Is(err, errNoPin):
		return reasonDamaged
	}
	return ""
}

// begun returns when the owner last asked for a pin that is not sent yet.
func (s *Service) begun(ctx context.Context, r row) (time.Time, error) {
	targets, err := readTargets(ctx, s.DB, []string{r.ID})
	at := r.CreatedAt
	for _, t := range targets[r.ID] {
		at = max(at, t.SinceAt)
	}
	return time.UnixMilli(at), err
}

// mayGoOn judges a sign of life of work that publishes: errLost when another worker has the row,
// errStopped when the account may publish no more.
func (s *Service) mayGoOn(ctx context.Context, owner account.ID, fetches, ours bool, err error) error {
	if err == nil && !ours {
		return errLost
	}
	if err != nil {
		return err
	}
	off, err := s.stopped(ctx, owner, fetches)
	if err == nil && off {
		return errStopped
	}
	return err
}

// keep calls touch while work runs, and ends its context with what touch returns: errLost or
// errStopped. Any other error may pass.
func (s *Service) keep(ctx context.Context, touch func(context.Context) error) (work context.Context, stop func()) {
	work, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		t := time.NewTicker(s.times.beat)
		defer t.Stop()
		for {
			select {
			case <-work.Done():
				return
			case <-t.C:
			}
			if err := touch(work); errors.Is(err, errLost) || errors.Is(err, errStopped) {
				cancel(err)
				return
			}
		}
	}()
	return work, func() {
		cancel(nil)
		<-done
	}
}

// outline is what the server knows of a pin once it has read it.
type outline struct {
	root   ipfs.Node
	blocks []blockRow
	framed int64
	known  map[[32]byte]int // places in blocks
}

// add notes a block once. Where a leaf has the bytes of a node, the node stays: the gateway
// shows nodes in both codecs, and leaves as what they are.
func (o *outline) add(b blockRow) error {
	if at, known := o.known[b.CID.Digest]; known {
		if b.CID.Codec == ipfs.DagPB {
			o.blocks[at] = b
		}
		return nil
	}
	o.known[b.CID.Digest] = len(o.blocks)
	o.framed += pinning.Frame(int(b.Length))
	o.blocks = append(o.blocks, b)
	return nil
}

// sink takes the blocks of a file, or of a folder.
func (o *outline) sink(ord int64) ipfs.Sink {
	return ipfs.Sink{
		Leaf: func(l ipfs.Leaf, data []byte) error {
			b := blockRow{CID: l.CID, Ord: ord, Start: l.Offset, Length: l.Length}
			if ord == inManifest {
				b.Bytes = bytes.Clone(data)
			}
			return o.add(b)
		},
		Node: func(n ipfs.Block) error {
			return o.add(blockRow{CID: n.CID, Ord: asNode, Length: int64(len(n.Data)), Bytes: bytes.Clone(n.Data)})
		},
	}
}

// outline reads everything that a pin holds and computes its blocks.
func (s *Service) outline(ctx context.Context, r row) (*outline, error) {
	key, err := s.dataKey(ctx, s.DB, r.Account)
	if err != nil {
		return nil, err
	}
	d, err := r.open(key)
	if err != nil {
		return nil, err
	}
	files, err := readFiles(ctx, s.DB, r.ID)
	if err != nil {
		return nil, err
	}
	o := &outline{known: map[[32]byte]int{}}
	m := &maker{s: s, pin: r, data: key, key: d.key()}
	if r.Encrypt {
		o.root, err = s.outlineParcel(ctx, o, m, key, d, files)
	} else {
		o.root, err = s.outlinePlain(ctx, o, m, key, files)
	}
	return o, err
}

// outlineParcel makes the directory of an encrypted pin.
func (s *Service) outlineParcel(ctx context.Context, o *outline, m *maker, key *keyring.DataKey, d details, files []fileRow) (root ipfs.Node, err error) {
	manifest := parcel.Manifest{Name: d.Name}
	var entries []ipfs.Entry
	for _, f := range files {
		about, err := f.open(key, m.pin.ID)
		if err != nil {
			return root, err
		}
		if f.Object == nil {
			manifest.Folders = append(manifest.Folders, about.Path)
			continue
		}
		node, err := m.file(ctx, f, o.sink(f.Ord))
		if err != nil {
			return root, err
		}
		name := strconv.FormatInt(f.Ord, 10)
		entries = append(entries, ipfs.Entry{Name: name, Node: node})
		manifest.Files = append(manifest.Files, parcel.File{Path: about.Path, File: name, Size: f.Size, SHA256: about.SHA256, Modified: about.Modified})
	}
	plain, err := manifest.Marshal()
	if err != nil {
		return root, err
	}
	streamKey, nonce := d.key().Stream(parcel.ManifestName)
	sealed, err := seal.SealRange(func(off, n int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(plain[off : off+n])), nil
	},
		int64(len(plain)), streamKey, nonce, []byte(parcel.AAD), 0, seal.CipherSize(int64(len(plain))))
	if err != nil {
		return root, err
	}
	defer sealed.Close()
	node, err := ipfs.File(sealed, o.sink(inManifest))
	if err != nil {
		return root, err
	}
	return ipfs.Dir(append(entries, ipfs.Entry{Name: parcel.ManifestName, Node: node}), o.sink(asNode))
}

// outlinePlain makes the tree of a plain pin.
func (s *Service) outlinePlain(ctx context.Context, o *outline, m *maker, key *keyring.DataKey, files []fileRow) (root ipfs.Node, err error) {
	tree := folder{}
	for _, f := range files {
		about, err := f.open(key, m.pin.ID)
		if err != nil {
			return root, err
		}
		if f.Object == nil {
			tree.at(about.Path)
			continue
		}
		node, err := m.file(ctx, f, o.sink(f.Ord))
		if err != nil {
			return root, err
		}
		if m.pin.Kind == "file" {
			return node, nil
		}
		above, name := tree, about.Path
		if cut := strings.LastIndexByte(name, '/'); cut >= 0 {
			above, name = *tree.at(name[:cut]), name[cut+1:]
		}
		above.put(name, node)
	}
	return tree.node(o.sink(asNode))
}

// folder is a folder of a plain pin before its block is made: names lead to folders or nodes.
type folder map[string]any

// at returns the folder at a path, and makes what lacks.
func (f folder) at(path string) *folder {
	for name := range strings.SplitSeq(path, "/") {
		next, ok := f[name].(folder)
		if !ok {
			next = folder{}
			f[name] = next
		}
		f = next
	}
	return &f
}

func (f folder) put(name string, n ipfs.Node) { f[name] = n }

// node makes the blocks of a folder, those of its folders first.
func (f folder) node(sink ipfs.Sink) (ipfs.Node, error) {
	entries := make([]ipfs.Entry, 0, len(f))
	for name, what := range f {
		node, ok := what.(ipfs.Node)
		if below, is := what.(folder); is {
			var err error
			if node, err = below.node(sink); err != nil {
				return ipfs.Node{}, err
			}
		} else if !ok {
			return ipfs.Node{}, errors.New("internal error: pin: neither folder nor node")
		}
		entries = append(entries, ipfs.Entry{Name: name, Node: node})
	}
	return ipfs.Dir(entries, sink)
}

// setOutline stores an outline, and sets the targets to work. The blocks come in batches: they are of
// no account until the pin has its identifier, and a worker who begins anew makes the same ones.
func (s *Service) setOutline(ctx context.Context, r row, o *outline) error {
	attempt := r.Attempt
	sum, blocks := sumOf(o.blocks), o.blocks
	for len(blocks) > atOnce {
		err := s.DB.Tx(ctx, func(tx *db.Tx) error {
			ours, err := touchOutline(ctx, tx, r.ID, attempt, s.Now().Add(s.times.lease).UnixMilli())
			if err == nil && !ours {
				err = errLost
			}
			if err != nil {
				return err
			}
			key, err := s.dataKey(ctx, tx, r.Account)
			if err != nil {
				return err
			}
			return insertBlocks(ctx, tx, key, r.ID, blocks[:atOnce])
		})
		if err != nil {
			return err
		}
		blocks = blocks[atOnce:]
	}
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		r, err := s.own(ctx, tx, r.Account, r.ID)
		if err != nil {
			return err
		}
		key, err := s.dataKey(ctx, tx, r.Account)
		if err != nil {
			return err
		}
		if err := r.check(key); err != nil {
			return err
		}
		r.CID, r.Total, r.Framed, r.Blocks = o.root.CID.String(), o.root.Total, o.framed, sum
		if err := r.prove(key); err != nil {
			return err
		}
		if ours, err := setOutline(ctx, tx, r, attempt); err != nil {
			return err
		} else if !ours {
			return errLost
		}
		names, err := holdTargets(ctx, tx, r.ID, s.Now().UnixMilli())
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := acquireCopy(ctx, tx, name, r.CID); err != nil {
				return err
			}
			if err := s.enqueueStep(ctx, tx, r.ID, name, r.CID); err != nil {
				return err
			}
		}
		if err := insertBlocks(ctx, tx, key, r.ID, blocks); err != nil {
			return err
		}
		return s.tell(ctx, tx, r)
	})
}

// failOutline ends a pin whose blocks cannot be made. Nothing of it was ever sent, so the
// ledger has no identifier to name.
func (s *Service) failOutline(ctx context.Context, r row, reason string) error {
	attempt := r.Attempt
	return s.DB.Tx(ctx, func(tx *db.Tx) error {
		r, err := s.own(ctx, tx, r.Account, r.ID)
		if err != nil {
			return err
		}
		if r.Attempt != attempt || r.CID != "" {
			return errLost
		}
		if err := failAll(ctx, tx, r.ID, reason, s.Now().UnixMilli()); err != nil {
			return err
		}
		if err := endOutline(ctx, tx, r.ID); err != nil {
			return err
		}
		if err := settleState(ctx, tx, r.ID); err != nil {
			return err
		}
		if err := s.recordFailure(ctx, tx, r, false); err != nil {
			return err
		}
		return s.tell(ctx, tx, r)
	})
}

// own locks an account, then a pin of it, and checks that. Both may be gone: errLost.
func (s *Service) own(ctx context.Context, tx *db.Tx, owner account.ID, id string) (row, error) {
	if _, err := s.Accounts.Hold(ctx, tx, owner); errors.Is(err, account.ErrNotFound) {
		return row{}, errLost
	} else if err != nil {
		return row{}, err
	}
	r, err := s.lockChecked(ctx, tx, owner, id)
	if errors.Is(err, errNoPin) {
		err = errLost
	}
	return r, err
}

// lockChecked locks a pin whose account the caller holds. What it says of content and ledger is what
// its proof says.
func (s *Service) lockChecked(ctx context.Context, tx *db.Tx, owner account.ID, id string) (row, error) {
	r, err := lock(ctx, tx, id)
	if err != nil {
		return row{}, err
	}
	key, err := s.dataKey(ctx, tx, owner)
	if err != nil && !errors.Is(err, keyring.ErrNoKey) && !errors.Is(err, seal.ErrOpen) {
		return row{}, err
	}
	s.checked(ctx, &r, key) // without a key too: its pins can be removed
	return r, nil
}

// checked checks a row, and logs what is wrong with it.
func (s *Service) checked(ctx context.Context, r *row, key *keyring.DataKey) {
	if err := r.check(key); err != nil {
		s.Log.ErrorContext(ctx, "pin: a pin is damaged", "account", r.Account, "pin", r.ID, "error", err)
	}
}
