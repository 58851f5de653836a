package pin

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/ipfs"
	"coffer/internal/ledger"
	"coffer/internal/pinning"
	"coffer/internal/pinning/pinningtest"
)

// TestLeafIsNoNode publishes a file whose bytes are those of a folder. The gateway shows it as
// bytes, and follows no link in it.
func TestLeafIsNoNode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		leaf := []byte("leaf")
		w.verified(w.upload(w.ada, "", "leaf", leaf), `"encrypt":false,`+atKubo)
		var crafted []byte
		node, err := ipfs.Dir([]ipfs.Entry{{Name: "a.txt", Node: ipfs.Node{CID: ipfs.Sum(ipfs.Raw, leaf), Size: 4, Total: 4}}}, ipfs.Sink{Node: func(b ipfs.Block) error {
			crafted = bytes.Clone(b.Data)
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
		w.verified(w.upload(w.ada, "", "crafted", crafted), `"encrypt":false,`+atKubo)
		raw := w.do("", "GET", "/ipfs/"+ipfs.Sum(ipfs.Raw, crafted).String()+"?format=raw", "")
		if raw.StatusCode != http.StatusOK || !bytes.Equal(raw.body, crafted) {
			t.Errorf("as bytes: %d", raw.StatusCode)
		}
		for _, path := range []string{"?format=raw", "?format=car", "/a.txt?format=raw", "?format=car&dag-scope=entity"} {
			w.is(w.do("", "GET", "/ipfs/"+node.CID.String()+path, ""), http.StatusNotFound, "not_found")
		}
		// A folder that holds its own block as a file keeps the block, whichever comes first.
		o := &outline{known: map[[32]byte]int{}}
		for _, codec := range []ipfs.Codec{ipfs.Raw, ipfs.DagPB, ipfs.Raw} {
			if err := o.add(blockRow{CID: ipfs.Sum(codec, crafted), Length: int64(len(crafted))}); err != nil {
				t.Fatal(err)
			}
		}
		if len(o.blocks) != 1 || o.blocks[0].CID != node.CID {
			t.Errorf("%+v", o.blocks)
		}
	})
}

// TestSentOnce looks at what a stream reads for blocks that it has sent.
func TestSentOnce(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	var out bytes.Buffer
	absent := ipfs.Sum(ipfs.Raw, []byte("not here"))
	car, err := ipfs.WriteCAR(&out, absent)
	if err != nil {
		t.Fatal(err)
	}
	node := ipfs.CID{Codec: ipfs.DagPB, Digest: absent.Digest}
	o := &sending{v: w.newView(), car: car, seen: map[ipfs.CID]bool{absent: true}, done: map[ipfs.CID]bool{node: true}}
	if _, err := o.put(t.Context(), absent); err != nil {
		t.Errorf("a leaf that was sent is read again: %v", err)
	}
	links := []ipfs.Link{{CID: node}, {CID: absent}, {CID: node}}
	if err := o.parts(t.Context(), links, []int64{5, 5, 5}, 0, 0, 14, 1); err != nil {
		t.Errorf("a part that is done is read again: %v", err)
	}
	if err := o.shards(t.Context(), []ipfs.Link{{Name: "00", CID: node}}, 1); err != nil {
		t.Errorf("a shard that is done is read again: %v", err)
	}
	if got := o.toSend(links); !slices.Equal(got, []ipfs.CID{node}) {
		t.Errorf("to send: %v", got)
	}
	other := ipfs.CID{Codec: ipfs.DagPB}
	if err := o.parts(t.Context(), []ipfs.Link{{CID: other}}, []int64{5}, 0, 0, 4, maxParts); err != errNoBlock {
		t.Errorf("too deep: %v", err)
	}
}

// TestCheckpointStays pins the bytes of a checkpoint as a user, and takes that pin away. The
// ledger's copy stays.
func TestCheckpointStays(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		note := []byte("ledger.example/ledger\n1\nhash\n\n— signature\n")
		root := ipfs.Sum(ipfs.Raw, note).String()
		first := w.Targets[0].Name
		server := map[string]*pinningtest.Server{"kubo": w.kubo, "pinata": w.pinata}[first]
		if err := w.publish(t.Context(), note); err != nil {
			t.Fatal(err)
		}
		id := w.upload(w.ada, "", "copied", note)
		p := w.verified(id, `"encrypt":false,"targets":["`+first+`"]`)
		if *p.CID != root {
			t.Fatalf("%s, want %s", *p.CID, root)
		}
		w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
		w.run()
		w.is(w.do(w.ada, "GET", "/v1/pins/"+p.ID, ""), http.StatusNotFound, "not_found")
		if got := slices.Compact(server.Roots()); !slices.Equal(got, []string{root}) {
			t.Errorf("%s holds %v", first, got)
		}
		// One that is being removed is no place for a checkpoint; the ledger repeats.
		other := []byte("another checkpoint")
		if err := w.leave(t.Context(), first, ipfs.Sum(ipfs.Raw, other).String(), ""); err != nil {
			t.Fatal(err)
		}
		if err := w.publish(t.Context(), other); err == nil {
			t.Error("a copy that is being removed is taken for a checkpoint's")
		}
		w.run()
		if err := w.publish(t.Context(), other); err != nil || len(slices.Compact(server.Roots())) != 2 {
			t.Errorf("after it: %v, %v", server.Roots(), err)
		}
	})
}

// TestCheckpointsArePublished signs a checkpoint. It goes to the first target that takes content:
// one that fetches would find it in no pin.
func TestCheckpointsArePublished(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		var said bytes.Buffer
		w := newWorld(t, d, func(c *Config) {
			c.LedgerPin, c.Log = true, slog.New(slog.NewTextHandler(&said, nil))
			c.Targets[slices.IndexFunc(c.Targets, func(t pinning.Named) bool { return t.Name == "pinata" })].Fetches = true
		})
		w.verified(w.upload(w.ada, "", "a", []byte("a")), atKubo)
		note, err := w.Ledger.Checkpoint(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		w.run()
		root := ipfs.Sum(ipfs.Raw, note).String()
		if !slices.Contains(w.kubo.Roots(), root) || len(w.pinata.Roots()) != 0 {
			t.Errorf("%s is not at the node, which holds %v, or is at Pinata: %v", root, w.kubo.Roots(), w.pinata.Roots())
		}
		if !strings.Contains(said.String(), "target=kubo cid="+root+" size=1\n") {
			t.Errorf("the log does not name it: %s", &said)
		}
	})
}

// TestCheckpointsHaveNoPlace: where every provider fetches, or there is none, the start warns and
// the ledger goes on.
func TestCheckpointsHaveNoPlace(t *testing.T) {
	for name, targets := range map[string]int{"all fetch": 2, "none": 0} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			w := newWorld(t, dbtest.SQLite(t), func(c *Config) {
				c.LedgerPin, c.Log = true, slog.New(slog.NewTextHandler(&said, nil))
				c.Targets = c.Targets[:targets]
				for i := range c.Targets {
					c.Targets[i].Fetches = true
				}
			})
			w.Warn()
			if !strings.Contains(said.String(), "COFFER_LEDGER_PIN") {
				t.Errorf("no warning: %s", &said)
			}
			if err := w.DB.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := w.Ledger.Append(t.Context(), tx, w.ada, ledger.Event{Kind: ledger.Fail, Subject: "x"})
				return err
			}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Ledger.Checkpoint(t.Context(), true); err != nil {
				t.Fatal(err)
			}
			w.run()
			if n := w.kubo.Calls("POST /api/v0/dag/import") + w.pinata.Calls("POST "); n != 0 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

// TestTotal bounds what an account publishes in all.
func TestTotal(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id := w.upload(w.ada, "", "a", pattern(1_000))
		w.PinTotal = 3_500
		w.pin(id, "") // at two targets
		p := w.pin(id, atKubo)
		again := func() reply { return w.do(w.ada, "POST", "/v1/files/"+id+"/pins", `{`+atKubo+`}`) }
		w.is(again(), http.StatusConflict, "pin_quota_exceeded")
		if n := w.rows("pins"); n != 2 || w.rows("pin_targets") != 3 {
			t.Errorf("%d pins after a refusal", n)
		}
		w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
		if a := again(); a.StatusCode != http.StatusAccepted {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		w.PinTotal = 0 // no bound
		if a := again(); a.StatusCode != http.StatusAccepted {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		quota := int64(3_999)
		if err := d.Tx(t.Context(), func(tx *db.Tx) error {
			return w.Contents.SetQuota(t.Context(), tx, w.ada, &quota, nil)
		}); err != nil {
			t.Fatal(err)
		}
		w.is(again(), http.StatusConflict, "pin_quota_exceeded") // the fourth
	})
}

// TestFoldersCount counts the folders of a pin in the quota of files, until the pin is gone.
func TestFoldersCount(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id, _ := w.tree()
		usage := func() [2]int64 {
			t.Helper()
			u, err := w.Contents.Usage(t.Context(), d, w.ada)
			if err != nil {
				t.Fatal(err)
			}
			return [2]int64{u.Files, u.Folders}
		}
		before := usage()
		p := w.verified(id, atKubo)
		if got := usage(); got != [2]int64{before[0] + 4, before[1] + 2} {
			t.Errorf("%v, before %v", got, before)
		}
		w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
		w.run()
		if got := usage(); got != before {
			t.Errorf("%v are left, before %v", got, before)
		}
		files := before[0] + before[1] + 5
		if err := d.Tx(t.Context(), func(tx *db.Tx) error {
			return w.Contents.SetQuota(t.Context(), tx, w.ada, nil, &files)
		}); err != nil {
			t.Fatal(err)
		}
		w.is(w.do(w.ada, "POST", "/v1/files/"+id+"/pins", `{}`), http.StatusRequestEntityTooLarge, "quota_exceeded")
	})
}

// suspend stops an account, or ends that.
func (w *world) suspend(on bool) {
	w.t.Helper()
	change := w.Accounts.Resume
	if on {
		change = w.Accounts.Suspend
	}
	if err := w.DB.Tx(w.t.Context(), func(tx *db.Tx) error {
		_, err := change(w.t.Context(), tx, w.ada)
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
}

// TestSuspended stops an account before its pins are made, and before they are sent. Nothing
// leaves until it is back; what is to be removed goes.
func TestSuspended(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	gone := w.verified(w.upload(w.ada, "", "gone", pattern(2_000)), atKubo)
	w.kubo.Misbehave(pinningtest.Faults{Status: http.StatusServiceUnavailable, Times: 1})
	begun := w.pin(w.upload(w.ada, "", "begun", pattern(3_000)), atKubo)
	w.run()
	w.holds(begun.ID, "kubo", Sending, "unreachable")
	queued := w.pin(w.upload(w.ada, "", "queued", pattern(4_000)), atKubo)
	w.suspend(true)
	if _, err := w.Remove(t.Context(), w.ada, gone.ID); err != nil {
		t.Fatal(err)
	}
	for range 100 { // longer than the patience with a provider
		w.later(time.Hour)
	}
	if got := w.kubo.Roots(); len(got) != 0 || w.kubo.Calls("POST /api/v0/dag/import") != 3 {
		t.Errorf("the node holds %v after %d imports", got, w.kubo.Calls("POST /api/v0/dag/import"))
	}
	if r, err := readByID(t.Context(), w.DB, queued.ID); err != nil || r.CID != "" {
		t.Errorf("an outline was made: %v", err)
	}
	if _, err := w.Get(t.Context(), w.ada, gone.ID); !errors.Is(err, errNoPin) {
		t.Errorf("the pin to be removed: %v", err)
	}
	w.suspend(false)
	w.kubo.Misbehave(pinningtest.Faults{Status: http.StatusServiceUnavailable, Times: 1}) // once more: it fails nothing
	w.later(61 * time.Minute)
	w.later(time.Hour)
	w.holds(begun.ID, "kubo", Verified, "")
	w.holds(queued.ID, "kubo", Verified, "")
}

// TestSuspendedOnly: an owner who deactivates the account has not lost the right to publish.
func TestSuspendedOnly(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	if err := w.Accounts.Deactivate(t.Context(), w.ada); err != nil {
		t.Fatal(err)
	}
	// No provider can fetch what the gateway of a deactivated account does not show.
	if off, err := w.stopped(t.Context(), w.ada, true); err != nil || !off {
		t.Errorf("a provider that fetches: %v, %v", off, err)
	}
	for _, on := range []bool{false, true} {
		if on {
			w.suspend(true)
		}
		if off, err := w.stopped(context.Background(), w.ada, false); err != nil || off != on {
			t.Errorf("suspended %v: %v, %v", on, off, err)
		}
	}
	if off, err := w.stopped(context.Background(), "01890000-0000-7000-8000-000000000000", false); err != nil || off {
		t.Errorf("an account that is gone: %v, %v", off, err)
	}
}
