package pinning

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"coffer/internal/ipfs"
)

// kubo pins at a Kubo node by its RPC. The RPC is the node's administration, so its token is
// worth the node.
//
// Every failed command has status 500 there, and only words tell one failure from another.
type kubo struct {
	caller
	base  string
	shard int64
}

var _ Target = (*kubo)(nil)

func newKubo(c Config) *kubo {
	u, auth := must(c.IPFSRPC), ""
	if u.User != nil {
		password, _ := u.User.Password()
		auth = "Basic " + base64.StdEncoding.EncodeToString([]byte(u.User.Username()+":"+password))
		u.User = nil
	}
	return &kubo{newCaller(KindKubo, auth, u), u.String() + "/api/v0/", c.Shard}
}

// at returns the address of a command.
func (k *kubo) at(command string, args ...string) string {
	q := url.Values{}
	for i := 0; i+1 < len(args); i += 2 {
		q.Add(args[i], args[i+1])
	}
	return k.base + command + "?" + q.Encode()
}

// run gives a command without a body. Kubo takes POST alone.
func (k *kubo) run(ctx context.Context, step, command string, args ...string) (answer, error) {
	return k.get(ctx, step, http.MethodPost, k.at(command, args...))
}

// Put implements [Target]. ref is empty: a node has one pin of a root. The blocks go in
// several CARs without a pin, and the last one, of the root alone, pins. Kubo pins only if
// every block is in the node (offline), so a block that its garbage collector took in between
// fails the pin, and a further Put mends it.
func (k *kubo) Put(ctx context.Context, s Source) (string, ipfs.CID, error) {
	root, err := k.load(ctx, s)
	if err != nil {
		return "", ipfs.CID{}, err
	}
	car, err := k.open(ctx, "pinning", s.Root, true)
	if err != nil {
		return "", ipfs.CID{}, err
	}
	got, err := car.close(car.put(ipfs.Block{CID: s.Root, Data: root}))
	switch {
	case err != nil:
		return "", ipfs.CID{}, err
	case len(got.roots) == 0:
		return "", ipfs.CID{}, k.unclear(car.step, errors.New("it names no root"))
	case got.roots[0] != s.Root:
		return "", got.roots[0], checkRoot(k.name, car.step, s.Root, got.roots[0])
	case got.failure != "":
		return "", s.Root, &RetryError{Reason: Incomplete, Err: fmt.Errorf("%s: %s: %s", k.name, car.step, clean(got.failure))}
	}
	return "", s.Root, nil
}

// load sends every block to the node without a pin, and returns the root's.
func (k *kubo) load(ctx context.Context, s Source) (root []byte, err error) {
	var car *carCall
	err = s.Blocks(func(b ipfs.Block) error {
		if b.CID == s.Root {
			root = bytes.Clone(b.Data)
		}
		if car == nil {
			if car, err = k.open(ctx, "sending blocks", s.Root, false); err != nil {
				return err
			}
		}
		if err := car.put(b); err != nil {
			return err
		}
		if car.size < k.shard {
			return nil
		}
		full := car
		car = nil
		_, err := full.close(nil)
		return err
	})
	if car != nil {
		_, err = car.close(err)
	}
	if err == nil && root == nil {
		err = errors.New("pinning: the source has no block of its root")
	}
	return root, err
}

// carCall is one dag/import of one CAR.
type carCall struct {
	*upload
	k      *kubo
	form   *multipart.Writer
	buffer *bufio.Writer
	car    *ipfs.CARWriter
	size   int64
	blocks int64
	pins   bool
	failed error // of the CAR's header
}

// open begins an import. Every CAR names the root in its header, as each must name one.
func (k *kubo) open(ctx context.Context, step string, root ipfs.CID, pin bool) (*carCall, error) {
	boundary := multipart.NewWriter(io.Discard).Boundary()
	header := http.Header{"Content-Type": {"multipart/form-data; boundary=" + boundary}}
	u, err := k.begin(ctx, step, http.MethodPost, k.at("dag/import", "pin-roots", fmt.Sprint(pin), "stats", "true", "silent", "false"), header, -1)
	if err != nil {
		return nil, err
	}
	c := &carCall{upload: u, k: k, buffer: bufio.NewWriterSize(u, 64<<10), pins: pin}
	c.form = multipart.NewWriter(c.buffer)
	c.failed = c.form.SetBoundary(boundary)
	if c.failed == nil {
		var part io.Writer
		if part, c.failed = c.form.CreateFormFile("file", "content.car"); c.failed == nil {
			c.car, c.failed = ipfs.WriteCAR(part, root)
		}
	}
	return c, nil
}

// put adds a block.
func (c *carCall) put(b ipfs.Block) error {
	if c.failed != nil {
		return c.failed
	}
	c.size += Frame(len(b.Data))
	c.blocks++
	return c.car.Put(b)
}

// close ends the import, with the error that writing met. Kubo counts what it received, and
// the count must be ours.
func (c *carCall) close(wrote error) (imported, error) {
	if wrote == nil {
		wrote = errors.Join(c.form.Close(), c.buffer.Flush())
	}
	a, err := c.end(&c.k.caller, wrote)
	if err != nil {
		return imported{}, err
	}
	if !a.good() {
		return imported{}, c.k.refusal(c.step, a, kuboWords(a.body))
	}
	got, err := readImport(a.body)
	switch words := a.trailer.Get("X-Stream-Error"); {
	case err != nil:
		return imported{}, c.k.unclear(c.step, err)
	case words != "" && got.failure == "":
		return imported{}, &RetryError{Reason: Unreachable, Err: fmt.Errorf("%s: %s: %s", c.k.name, c.step, clean(words))}
	case words == "" && got.failure == "" && got.blocks != c.blocks:
		return imported{}, &RetryError{Reason: Incomplete, Err: fmt.Errorf("%s: %s: it received %d blocks of %d", c.k.name, c.step, got.blocks, c.blocks)}
	}
	return got, nil
}

// imported is Kubo's answer to dag/import.
type imported struct {
	roots   []ipfs.CID
	failure string // of the first root that was not pinned
	blocks  int64  // -1: not told
}

// readImport reads the answer to dag/import: a sequence of JSON objects.
func readImport(raw []byte) (imported, error) {
	got := imported{blocks: -1}
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	for {
		var line struct {
			Root *struct {
				Cid struct {
					CID string `json:"/"`
				}
				PinErrorMsg string
			}
			Stats *struct{ BlockCount int64 }
		}
		err := json.UnmarshalDecode(d, &line)
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return imported{}, err
		}
		if line.Root != nil {
			c, err := ipfs.Parse(line.Root.Cid.CID)
			if err != nil {
				return imported{}, err
			}
			got.roots = append(got.roots, c)
			if got.failure == "" {
				got.failure = line.Root.PinErrorMsg
			}
		}
		if line.Stats != nil {
			got.blocks = line.Stats.BlockCount
		}
	}
}

// kuboWords returns the message of a failed command, and "" where there is none.
func kuboWords(raw []byte) string {
	var said struct{ Message string }
	if json.Unmarshal(raw, &said) != nil {
		return ""
	}
	return said.Message
}

// notPinned are Kubo's words for a pin that is not there.
const notPinned = "is not pinned"

// Status implements [Target].
func (k *kubo) Status(ctx context.Context, root ipfs.CID, _ string) (State, error) {
	const step = "asking for the pin"
	a, err := k.run(ctx, step, "pin/ls", "arg", root.String(), "type", "recursive")
	if err != nil {
		return "", err
	}
	if !a.good() {
		words := kuboWords(a.body)
		if a.status == http.StatusInternalServerError && strings.Contains(words, notPinned) {
			return Gone, nil
		}
		return "", k.refusal(step, a, words)
	}
	keys, err := readPins(a.body)
	if err != nil {
		return "", k.unclear(step, err)
	}
	for _, c := range keys {
		if c == root {
			return Pinned, nil
		}
	}
	return Gone, nil
}

// readPins reads the answer to pin/ls.
func readPins(raw []byte) ([]ipfs.CID, error) {
	var said struct {
		Keys map[string]struct{ Type string }
	}
	if err := json.Unmarshal(raw, &said); err != nil {
		return nil, err
	}
	var all []ipfs.CID
	for key, pin := range said.Keys {
		c, err := ipfs.Parse(key)
		if err != nil {
			return nil, err
		}
		if pin.Type == "recursive" {
			all = append(all, c)
		}
	}
	return all, nil
}

// Remove implements [Target]. The blocks stay until the node collects its garbage.
func (k *kubo) Remove(ctx context.Context, root ipfs.CID, _ string) error {
	const step = "removing the pin"
	state, err := k.Status(ctx, root, "")
	if err != nil || state == Gone {
		return err
	}
	a, err := k.run(ctx, step, "pin/rm", "arg", root.String(), "recursive", "true")
	if err != nil || a.good() {
		return err
	}
	if state, err := k.Status(ctx, root, ""); err == nil && state == Gone { // another call was first
		return nil
	}
	return k.refusal(step, a, kuboWords(a.body))
}

// Block implements [Target]. The node answers from its own store and asks no other node.
func (k *kubo) Block(ctx context.Context, c ipfs.CID) ([]byte, error) {
	const step = "reading a block"
	a, err := k.run(ctx, step, "block/get", "arg", c.String(), "offline", "true")
	switch {
	case err != nil:
		return nil, err
	case a.status == http.StatusOK:
		return a.body, nil
	case a.status == http.StatusInternalServerError:
		return nil, &RetryError{Reason: Absent, Err: fmt.Errorf("%s: %s: %w: %s", k.name, step, ErrAbsent, clean(kuboWords(a.body)))}
	}
	return nil, k.refusal(step, a, "")
}
