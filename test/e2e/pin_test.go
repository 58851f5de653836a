package e2e

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"coffer/client"
	"coffer/internal/ipfs"
	"coffer/internal/pinning/pinningtest"
)

// providers are the settings of a server that pins at two of them.
func providers(pinata, kubo *pinningtest.Server) []string {
	return []string{
		"COFFER_PINATA_JWT=" + pinningtest.Token, "COFFER_PINATA_URL=" + pinata.URL, "COFFER_IPFS_RPC=" + kubo.URL, "COFFER_PIN_CHECK=200ms",
	}
}

// pinned waits until a pin has a state.
func pinned(t *testing.T, c *client.Client, id, state string) (p client.Pin) {
	t.Helper()
	wait(t, "a pin is "+state, func() bool {
		var err error
		if p, err = c.Pin(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		if p.State == "failed" && state != "failed" {
			t.Fatalf("%+v", p)
		}
		return p.State == state
	})
	return p
}

// tool is coffer for a command that may fail.
func (s *server) tool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = s.data, s.env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// dropKubo takes the node from pins that Pinata has verified. They stay there, also when the
// operator drops that as well.
func (s *server) dropKubo(d desk, kubo *pinningtest.Server, pins ...string) {
	d.t.Helper()
	for _, c := range []struct {
		from, says string
		fails      bool
	}{{"nowhere", "no target of that name", true}, {"kubo", "removes 2 pins from kubo", false}} {
		if text, err := s.tool(d.t, "pins", "drop", "--from", c.from); (err != nil) != c.fails || !strings.Contains(text, c.says) {
			d.t.Errorf("%v: %s", err, text)
		}
	}
	wait(d.t, "the node has none of them", func() bool { return len(kubo.Roots()) == 0 })
	for _, id := range pins {
		wait(d.t, "the pin is at one provider", func() bool {
			got, err := d.Pin(d.t.Context(), id)
			d.must(err)
			return got.State == "verified" && len(got.Targets) == 1 && got.Targets[0].Name == "pinata"
		})
	}
	if text, err := s.tool(d.t, "pins", "drop", "--from", "pinata"); err != nil || !strings.Contains(text, "2 pins stay there") {
		d.t.Errorf("%v: %s", err, text)
	}
}

// TestPins publishes a folder encrypted and a file for everyone, opens the link without an
// account, and takes both back.
func TestPins(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		pinata, kubo := pinningtest.NewPinata(t), pinningtest.NewKubo(t)
		s := start(t, in, providers(pinata, kubo)...)
		ctx := t.Context()
		p := s.member(t)
		d := desk{p.signIn(t), t, bytesOf(2_500_000, "big")}
		if targets, err := d.PinTargets(ctx); err != nil || len(targets) != 2 || targets[0].Name != "pinata" {
			t.Fatalf("%+v, %v", targets, err)
		}
		folder, err := d.CreateFolder(ctx, "", "Holiday")
		d.must(err)
		sub, err := d.CreateFolder(ctx, folder.ID, "photos")
		d.must(err)
		d.upload(false, folder.ID, "note.txt", []byte("dear all"))
		d.upload(false, sub.ID, "big.jpg", d.big)
		made, err := d.CreatePin(ctx, folder.ID, client.NewPin{})
		d.must(err)
		secret := pinned(t, d.Client, made.ID, "verified")

		out := filepath.Join(t.TempDir(), "out")
		open := func(args ...string) (string, error) {
			return s.tool(t, append([]string{"open", secret.Link, "-o", out}, args...)...)
		}
		pinata.Misbehave(pinningtest.Faults{OtherBytes: true})
		if text, err := open("--gateway", pinata.URL); err == nil || !strings.Contains(text, "damaged") {
			t.Errorf("a gateway that lies: %v, %s", err, text)
		}
		pinata.Misbehave(pinningtest.Faults{})
		for _, gateway := range [][]string{nil, {"--gateway", pinata.URL, "--force"}} {
			if text, err := open(gateway...); err != nil {
				t.Fatalf("%v: %s", err, text)
			}
			for path, want := range map[string][]byte{"Holiday/note.txt": []byte("dear all"), "Holiday/photos/big.jpg": d.big} {
				if got, err := os.ReadFile(filepath.Join(out, path)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %d bytes, %v", path, len(got), err)
				}
			}
		}
		if text, err := open(); err == nil || !strings.Contains(text, "--force") {
			t.Errorf("over what is there: %v, %s", err, text)
		}

		big := d.upload(false, "", "public.bin", d.big)
		open2, err := d.CreatePin(ctx, big.ID, client.NewPin{Public: true, Targets: []string{"kubo"}})
		d.must(err)
		public := pinned(t, d.Client, open2.ID, "verified")
		want, err := ipfs.File(bytes.NewReader(d.big), ipfs.Sink{})
		d.must(err)
		if *public.CID != want.CID.String() || public.Link != "" {
			t.Errorf("%+v, want %s", public, want.CID)
		}
		if a := s.raw(t, newAddress(), "GET", "/ipfs/"+*public.CID+"?format=raw", ""); a.status != http.StatusOK || ipfs.Sum(want.CID.Codec, []byte(a.body)) != want.CID {
			t.Errorf("the gateway: %d", a.status)
		}
		if text, err := s.tool(t, "pins", "list"); err != nil || !strings.Contains(text, *public.CID) || strings.Contains(text, "public.bin") {
			t.Errorf("%v: %s", err, text)
		}
		if text, err := s.tool(t, "pins", "copy", "--to", "pinata"); err != nil || !strings.Contains(text, "1 pins") {
			t.Errorf("%v: %s", err, text)
		}
		wait(t, "the copy is there", func() bool { return slices.Contains(pinata.Roots(), *public.CID) })
		pinned(t, d.Client, public.ID, "verified")
		s.dropKubo(d, kubo, public.ID, secret.ID)

		d.must(d.DeleteFileForGood(ctx, big.ID))
		if got, err := d.Pin(ctx, public.ID); err != nil || got.FileID != nil || got.State != "verified" {
			t.Errorf("%+v, %v", got, err)
		}
		for _, id := range []string{public.ID, secret.ID} {
			_, err := d.RemovePin(ctx, id)
			d.must(err)
		}
		wait(t, "no pin is left", func() bool {
			for _, err := range d.Pins(ctx, "", "") {
				d.must(err)
				return false
			}
			return len(pinata.Roots())+len(kubo.Roots()) == 0
		})
		if a := s.raw(t, newAddress(), "GET", "/ipfs/"+*public.CID+"?format=raw", ""); a.status != http.StatusNotFound {
			t.Errorf("the gateway goes on: %d", a.status)
		}
	})
}

// TestKilledWhilePinning kills the server again and again while it computes and sends. What
// it had begun ends verified, once.
func TestKilledWhilePinning(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		pinata, kubo := pinningtest.NewPinata(t), pinningtest.NewKubo(t)
		s := start(t, in, providers(pinata, kubo)...)
		ctx := t.Context()
		p := s.member(t)
		d := desk{p.signIn(t), t, bytesOf(6_000_000, "big")}
		e := d.upload(false, "", "big", d.big)
		pinata.Misbehave(pinningtest.Faults{Slow: 300 * time.Millisecond})
		kubo.Misbehave(pinningtest.Faults{Slow: 300 * time.Millisecond})
		made, err := d.CreatePin(ctx, e.ID, client.NewPin{})
		d.must(err)
		q := s.database(t)
		for round := range 3 {
			time.Sleep(time.Duration(50+150*round) * time.Millisecond)
			s.kill()
			// The workers' leases lapse, without their wait.
			for _, statement := range []string{
				`UPDATE jobs SET run_at = 0 WHERE kind LIKE 'pin.%'`, `UPDATE pins SET next_at = 0 WHERE cid = ''`,
				`UPDATE pin_targets SET next_at = 0 WHERE state IN ('queued', 'sending', 'pinned') AND held`,
			} {
				if _, err := q.ExecContext(ctx, statement); err != nil {
					t.Fatal(err)
				}
			}
			s.start()
		}
		pinata.Misbehave(pinningtest.Faults{})
		kubo.Misbehave(pinningtest.Faults{})
		got := pinned(t, d.Client, made.ID, "verified")
		if len(got.Ledger) != 1 || len(pinata.Roots()) != 1 || len(kubo.Roots()) != 1 {
			t.Errorf("%+v; %v, %v", got, pinata.Roots(), kubo.Roots())
		}
	})
}

// TestPinsOnTwoNodes has two servers on the same stores: each pin is made and told once.
func TestPinsOnTwoNodes(t *testing.T) {
	t.Parallel()
	pinata, kubo := pinningtest.NewPinata(t), pinningtest.NewKubo(t)
	env := append(scale.env(t), "COFFER_URL=http://localhost:8420", "COFFER_ROOT_KEY="+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32)))
	env = append(env, providers(pinata, kubo)...)
	same := setup{"the same stores", func(*testing.T) []string { return env }}
	one := start(t, same)
	p := one.member(t)
	start(t, same) // from here on either node sends mails
	ctx := t.Context()
	c := p.signIn(t)
	var ids []string
	for i := range 6 {
		e, err := c.Upload(ctx, "", client.Source{Name: "a", Content: bytes.NewReader(bytesOf(1_500_000, string(rune('a'+i))))})
		if err != nil {
			t.Fatal(err)
		}
		made, err := c.CreatePin(ctx, e[0].ID, client.NewPin{})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.ID)
	}
	for _, id := range ids {
		if got := pinned(t, c, id, "verified"); len(got.Ledger) != 1 {
			t.Errorf("%+v", got)
		}
	}
	var all sync.WaitGroup
	for _, id := range ids {
		all.Go(func() {
			if _, err := c.RemovePin(ctx, id); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	wait(t, "the providers hold nothing", func() bool { return len(pinata.Roots())+len(kubo.Roots()) == 0 })
}
