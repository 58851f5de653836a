package drop

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"testing"
)

// strangeKey is a key of the relay.
func strangeKey(t testing.TB) jwk {
	t.Helper()
	key, err := ecdh.P521().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jwkOf(key.PublicKey())
}

// chunkLies are relays that touch the chunks of an item of seven chunks, with what the
// receiver must say.
var chunkLies = map[string]struct {
	lie  func() func(tr *relayedTransfer, i int, c []byte) [][]byte
	want error
}{
	"alters a bit": {each(func(i int, c []byte) [][]byte {
		if i == 3 {
			c[40] ^= 1
		}
		return [][]byte{c}
	}), ErrTampered},
	"alters the tag of the last": {each(func(i int, c []byte) [][]byte {
		if i == 6 {
			c[len(c)-1] ^= 0x80
		}
		return [][]byte{c}
	}), ErrTampered},
	"drops one": {each(func(i int, c []byte) [][]byte {
		if i == 3 {
			return nil
		}
		return [][]byte{c}
	}), ErrTampered},
	"drops the first": {each(func(i int, c []byte) [][]byte {
		if i == 0 {
			return nil
		}
		return [][]byte{c}
	}), ErrTampered},
	"drops the last": {each(func(i int, c []byte) [][]byte {
		if i == 6 {
			return nil
		}
		return [][]byte{c}
	}), ErrTruncated},
	"drops the second half": {each(func(i int, c []byte) [][]byte {
		if i > 3 {
			return nil
		}
		return [][]byte{c}
	}), ErrTruncated},
	"repeats one": {each(func(i int, c []byte) [][]byte {
		if i == 3 {
			return [][]byte{c, c}
		}
		return [][]byte{c}
	}), ErrTampered},
	"repeats the last": {each(func(i int, c []byte) [][]byte {
		if i == 6 {
			return [][]byte{c, c}
		}
		return [][]byte{c}
	}), ErrTampered},
	"cuts one short": {each(func(i int, c []byte) [][]byte {
		if i == 3 {
			return [][]byte{c[:len(c)/2]}
		}
		return [][]byte{c}
	}), ErrTampered},
	"sends nothing for one": {each(func(i int, c []byte) [][]byte {
		if i == 3 {
			return [][]byte{{}}
		}
		return [][]byte{c}
	}), ErrTampered},
	"adds one of its own": {each(func(i int, c []byte) [][]byte {
		if i == 6 {
			return [][]byte{c, random(minChunk + overhead)}
		}
		return [][]byte{c}
	}), ErrTampered},
	"joins two": {each(func(i int, c []byte) [][]byte {
		if i == 3 {
			return [][]byte{append(slices.Clone(c), c...)}
		}
		return [][]byte{c}
	}), ErrTampered},
	"changes the order": {func() func(*relayedTransfer, int, []byte) [][]byte {
		var kept []byte
		return func(_ *relayedTransfer, i int, c []byte) [][]byte {
			switch i {
			case 2:
				kept = c
				return nil
			case 3:
				return [][]byte{c, kept}
			}
			return [][]byte{c}
		}
	}, ErrTampered},
}

// each is a lie without memory.
func each(lie func(i int, c []byte) [][]byte) func() func(*relayedTransfer, int, []byte) [][]byte {
	return func() func(*relayedTransfer, int, []byte) [][]byte {
		return func(_ *relayedTransfer, i int, c []byte) [][]byte { return lie(i, slices.Clone(c)) }
	}
}

// refuses checks that a receive ends with want, and that nothing looks whole.
func refuses(t *testing.T, host, guest end, item Item, content []byte, want error) {
	t.Helper()
	sink := &memory{}
	err := guest.Receive(soon(t), item, sink)
	if !errors.Is(err, want) {
		t.Errorf("receive: %v, want %v; heard %v and %v", err, want, guest.ear.heard(), host.ear.heard())
	}
	if got := sink.bytes(); !bytes.HasPrefix(content, got) {
		t.Error("bytes that the sender never sent are in the sink")
	}
	if host.ear.count(Verified) != 0 || guest.ear.count(Received) != 0 {
		t.Errorf("an end believes: %v and %v", guest.ear.heard(), host.ear.heard())
	}
}

func TestRelayLiesAboutChunks(t *testing.T) {
	t.Parallel()
	for name, c := range chunkLies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, host, guest := pair(t)
			content := contentOf(1, 6*minChunk+1000)
			item, _ := give(t, host, guest, content, "secret.txt")
			r.lie(lies{chunk: c.lie()})
			refuses(t, host, guest, item, content, c.want)
		})
	}
}

// TestRelaySplices: chunks of another item, and of another attempt, do not open.
func TestRelaySplices(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	content := contentOf(1, 6*minChunk)
	item, _ := give(t, host, guest, content, "one")
	other, _ := give(t, host, guest, content, "another of the same content")
	var kept [][]byte
	r.lie(lies{chunk: func(_ *relayedTransfer, i int, c []byte) [][]byte {
		kept = append(kept, slices.Clone(c))
		return [][]byte{c}
	}})
	if err := guest.Receive(soon(t), other, &memory{}); err != nil {
		t.Fatal(err)
	}
	splice := lies{chunk: func(_ *relayedTransfer, i int, c []byte) [][]byte {
		if i == 3 {
			return [][]byte{kept[3]}
		}
		return [][]byte{c}
	}}
	r.lie(splice)
	sink := &memory{}
	if err := guest.Receive(soon(t), item, sink); !errors.Is(err, ErrTampered) {
		t.Errorf("a chunk of another item: %v", err)
	}
	if err := guest.Receive(soon(t), other, &memory{}); !errors.Is(err, ErrTampered) {
		t.Errorf("a chunk of an earlier attempt: %v", err)
	}
}

func TestRelayLiesAboutTheStart(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]func(t *testing.T, s map[string]any){
		"another key":          func(t *testing.T, s map[string]any) { s["public_key"] = strangeKey(t) },
		"another chunk length": func(_ *testing.T, s map[string]any) { s["chunk"] = 2 * minChunk },
		"no seal":              func(_ *testing.T, s map[string]any) { s["sealed"] = "" },
		"an altered seal":      func(_ *testing.T, s map[string]any) { s["sealed"] = "AAAA" + s["sealed"].(string)[4:] },
		"a key off the curve": func(_ *testing.T, s map[string]any) {
			k := s["public_key"].(map[string]any)
			k["x"], k["y"] = k["y"], k["x"]
		},
		"a key on another one":  func(_ *testing.T, s map[string]any) { s["public_key"].(map[string]any)["crv"] = "P-256" },
		"a number for a number": func(_ *testing.T, s map[string]any) { s["chunk"] = 0 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, host, guest := pair(t)
			content := contentOf(1, 3*minChunk)
			item, _ := give(t, host, guest, content, "secret.txt")
			r.lie(lies{start: func(s map[string]any) { lie(t, s) }})
			refuses(t, host, guest, item, content, ErrTampered)
		})
	}
}

// TestRelayLiesAboutTheRequest: the sender says why it refuses.
func TestRelayLiesAboutTheRequest(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]func(t *testing.T, r *relay, f map[string]any){
		"another key":    func(t *testing.T, _ *relay, f map[string]any) { f["public_key"] = strangeKey(t) },
		"another item":   func(_ *testing.T, r *relay, f map[string]any) { f["file_id"] = r.other },
		"another member": func(_ *testing.T, r *relay, f map[string]any) { f["from"] = r.members[2].id },
		"a stranger":     func(_ *testing.T, _ *relay, f map[string]any) { f["from"] = rid(random(16)) },
		"no seal":        func(_ *testing.T, _ *relay, f map[string]any) { f["sealed"] = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, host, guest := pair(t)
			joinAt(t, r.server.URL, host.Name(), host.Code(), "third")
			content := contentOf(1, 3*minChunk)
			item, _ := give(t, host, guest, content, "secret.txt")
			other, _ := give(t, host, guest, content, "other.txt")
			r.other = other.ID
			r.lie(lies{request: func(f map[string]any) []map[string]any {
				lie(t, r, f)
				return []map[string]any{f}
			}})
			refuses(t, host, guest, item, content, ErrCancelled)
			host.ear.await(t, "the reason", func(n Notice) bool { return n.Event == NotSent && errors.Is(n.Err, ErrTampered) })
			host.ear.awaitEvent(t, Suspicious)
		})
	}
}

// TestRelayRepeatsRequests: an old request is answered once.
func TestRelayRepeatsRequests(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	content := contentOf(1, 3*minChunk)
	item, _ := give(t, host, guest, content, "secret.txt")
	var old map[string]any
	r.lie(lies{request: func(f map[string]any) []map[string]any {
		old = f
		return []map[string]any{f}
	}})
	if err := guest.Receive(soon(t), item, &memory{}); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	again := map[string]any{}
	for k, v := range old {
		again[k] = v
	}
	again["n"], again["transfer"] = 77, b64(random(16))
	r.write(r.hostMember(), again)
	r.mu.Unlock()
	n := host.ear.awaitEvent(t, Suspicious)
	if !errors.Is(n.Err, ErrTampered) || !strings.Contains(n.Err.Error(), "twice") {
		t.Errorf("a repeated request: %v", n.Err)
	}
}

// TestRelayRepeatsMessages: a sealed message is heard once, by the member it is for.
func TestRelayRepeatsMessages(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	type message struct {
		from, to *relayed
		body     map[string]any
	}
	var kept []message
	r.lie(lies{message: func(from, to *relayed, body map[string]any) []map[string]any {
		kept = append(kept, message{from, to, body})
		return []map[string]any{body, body}
	}})
	item, _ := give(t, host, guest, []byte("x"), "x")
	host.Withdraw(item.ID)
	guest.ear.awaitEvent(t, Withdrawn)
	r.lie(lies{})
	third := joinAt(t, r.server.URL, host.Name(), host.Code(), "third")
	host.ear.await(t, "the third", func(n Notice) bool { return n.Person.Device == "third" })
	r.mu.Lock()
	to := r.find(third.RID())
	for _, m := range slices.Clone(kept) {
		r.write(m.to, map[string]any{"t": "msg", "from": m.from.id, "body": m.body})
		if m.body["k"] == "sealed" && m.from.host {
			r.write(to, map[string]any{"t": "msg", "from": m.from.id, "body": m.body})
			r.write(r.hostMember(), map[string]any{"t": "msg", "from": to.id, "body": m.body})
		}
	}
	r.mu.Unlock()
	third.ear.awaitEvent(t, Suspicious)
	host.ear.awaitEvent(t, Suspicious)
	fresh, _ := give(t, host, guest, []byte("y"), "y") // comes after all the old ones
	if got := guest.Items(); len(got) != 1 || got[0].ID != fresh.ID {
		t.Errorf("an old offer was heard again: %+v", got)
	}
	if n := guest.ear.count(Offered); n != 2 {
		t.Errorf("%d offers were heard, want 2", n)
	}
}

// TestRelayForgesTags: progress and verification are the receiver's word, or none.
func TestRelayForgesTags(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	content := contentOf(1, 6*minChunk)
	item, _ := give(t, host, guest, content, "secret.txt")
	forged := func(k string, tr string, chunks any) map[string]any {
		b := map[string]any{"k": k, "transfer": tr, "tag": b64(random(32))}
		if chunks != nil {
			b["chunks"] = chunks
		}
		return b
	}
	var oldDone map[string]any
	r.lie(lies{message: func(from, to *relayed, body map[string]any) []map[string]any {
		switch body["k"] {
		case "ack":
			more := map[string]any{"k": "ack", "transfer": body["transfer"], "tag": body["tag"], "chunks": int(body["chunks"].(float64))%6 + 1}
			return []map[string]any{more, forged("ack", body["transfer"].(string), 5), {"k": "ack", "transfer": body["transfer"]}}
		case "done":
			oldDone = body
			return []map[string]any{forged("done", body["transfer"].(string), nil), {"k": "done", "transfer": body["transfer"], "tag": "x"}}
		}
		return []map[string]any{body}
	}})
	ctx, cancel := context.WithCancel(soon(t))
	ended := make(chan error, 1)
	go func() { ended <- guest.Receive(ctx, item, &memory{}) }()
	host.ear.await(t, "the forged tag", func(n Notice) bool { return n.Event == Suspicious && errors.Is(n.Err, ErrUnequal) })
	if host.ear.count(Sending) != 0 || host.ear.count(Verified) != 0 {
		t.Errorf("the sender believed a forged tag: %v", host.ear.heard())
	}
	cancel()
	if err := <-ended; err != nil {
		t.Errorf("the receiver's own copy is whole: %v", err)
	}
	if n := guest.ear.awaitEvent(t, Received); !errors.Is(n.Err, ErrUnconfirmed) {
		t.Errorf("a transfer that nobody confirmed: %v", n.Err)
	}

	// The tags of one transfer say nothing in another.
	r.lie(lies{message: func(from, to *relayed, body map[string]any) []map[string]any {
		if body["k"] == "done" {
			return []map[string]any{{"k": "done", "transfer": body["transfer"], "tag": oldDone["tag"]}}
		}
		return []map[string]any{body}
	}})
	ctx, cancel = context.WithCancel(soon(t))
	sink := &memory{}
	go func() { ended <- guest.Receive(ctx, item, sink) }()
	host.ear.awaitCount(t, Suspicious, 2)
	cancel()
	<-ended
	if host.ear.count(Verified) != 0 {
		t.Errorf("the sender believed an old tag: %v", host.ear.heard())
	}

	// A forged confirmation is not believed; the true one still is.
	r.lie(lies{message: func(from, to *relayed, body map[string]any) []map[string]any {
		if body["k"] == "verified" {
			return []map[string]any{forged("verified", body["transfer"].(string), nil), body}
		}
		return []map[string]any{body}
	}})
	if err := guest.Receive(soon(t), item, &memory{}); err != nil {
		t.Error(err)
	}
	guest.ear.await(t, "the forged confirmation", func(n Notice) bool { return n.Event == Suspicious && errors.Is(n.Err, ErrTampered) })
	host.ear.awaitEvent(t, Verified)
}

// TestClaimedWhole: a sink that is as long as the item is not the item before the sender
// has proved it.
func TestClaimedWhole(t *testing.T) {
	t.Parallel()
	r, host, guest := pair(t)
	content := contentOf(1, 3*minChunk)
	item, _ := give(t, host, guest, content, "secret.txt")
	// Not even after a try that failed for another reason.
	r.lie(lies{start: func(s map[string]any) { s["sealed"] = "" }, busy: 1})
	if err := guest.Receive(soon(t), item, &memory{b: contentOf(2, 3*minChunk)}); !errors.Is(err, ErrTampered) {
		t.Errorf("without the sender's word: %v", err)
	}
	r.lie(lies{})
	host.Withdraw(item.ID)
	if err := guest.Receive(soon(t), item, &memory{b: contentOf(2, 3*minChunk)}); !errors.Is(err, ErrUnknownFile) {
		t.Errorf("withdrawn: %v", err)
	}
	if guest.ear.count(Retrying) != 1 {
		t.Errorf("heard %v", guest.ear.heard())
	}
	if n := guest.ear.count(Received); n != 0 {
		t.Errorf("something else counts as received: %v", guest.ear.heard())
	}
}

// TestRelayIsInTheMiddle: a relay that runs CPace with both ends, without the code, gets
// no group key. The host counts its guess.
func TestRelayIsInTheMiddle(t *testing.T) {
	t.Parallel()
	r := newRelay(t)
	host := openAt(t, r.server.URL)
	fake := func(kind string) {
		r.lie(lies{message: func(from, to *relayed, body map[string]any) []map[string]any {
			if body["k"] == kind {
				own, err := newCPace([]byte("a guess"), joinContext(modeCode, "red-fox"), random(16))
				if err != nil {
					t.Error(err)
				}
				body["y"] = b64(own.share)
			}
			return []map[string]any{body}
		}})
	}
	for i, kind := range []string{"pake1", "pake2"} {
		fake(kind)
		_, err := Join(soon(t), Config{Server: r.server.URL}, host.Name(), host.Code())
		if !errors.Is(err, ErrWrongCode) {
			t.Errorf("%s was swapped: %v", kind, err)
		}
		host.ear.await(t, "a counted guess", func(n Notice) bool { return n.Event == WrongCode && n.Tries == 2-i })
	}
	for name, y := range map[string]string{"the neutral element": b64(make([]byte, 32)), "nothing": "", "33 bytes": b64(random(33))} {
		r.lie(lies{message: func(from, to *relayed, body map[string]any) []map[string]any {
			if body["k"] == "pake2" {
				body["y"] = y
			}
			return []map[string]any{body}
		}})
		if _, err := Join(soon(t), Config{Server: r.server.URL}, host.Name(), host.Code()); !errors.Is(err, ErrNotHost) {
			t.Errorf("%s for the host's share: %v", name, err)
		}
		r.lie(lies{message: func(from, to *relayed, body map[string]any) []map[string]any {
			if body["k"] == "pake1" {
				body["y"] = y
			}
			return []map[string]any{body}
		}})
		if _, err := Join(soon(t), Config{Server: r.server.URL}, host.Name(), host.Code()); !errors.Is(err, ErrWrongCode) {
			t.Errorf("%s for the guest's share: %v", name, err)
		}
	}
	if host.Code() == "" {
		t.Error("guesses without a tag were counted")
	}
	if host.ear.count(Joined) != 0 {
		t.Errorf("somebody is in: %v", host.ear.heard())
	}
}

// TestWelcomeOfAnotherDrop: a guest proves its code to the drop that was named, or to none.
// So a drop that is renamed in that moment costs its host no try.
func TestWelcomeOfAnotherDrop(t *testing.T) {
	t.Parallel()
	r := newRelay(t)
	host := openAt(t, r.server.URL)
	for name, lie := range map[string]func(w map[string]any){
		"another name":   func(w map[string]any) { w["name"] = "blue-whale" },
		"another member": func(w map[string]any) { w["rid"] = rid(random(16)) },
		"itself as host": func(w map[string]any) { w["host_rid"] = w["rid"] },
	} {
		r.lie(lies{welcome: lie})
		if _, err := Join(soon(t), Config{Server: r.server.URL}, host.Name(), host.Code()); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := host.ear.count(WrongCode); n != 0 {
		t.Errorf("%d tries were counted", n)
	}
	// And a member that comes back takes no other's place.
	r.lie(lies{})
	guest := joinAt(t, r.server.URL, host.Name(), host.Code(), "guest")
	r.lie(lies{welcome: func(w map[string]any) { w["rid"] = rid(random(16)) }})
	r.cut(guest.RID())
	select {
	case <-guest.Done():
	case <-soon(t).Done():
		t.Fatal("the guest took another member's place")
	}
}

// TestLyingHost: a guest refuses a host that does not know the code, however it ends.
func TestLyingHost(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]func(b map[string]any){
		"another tag":          func(b map[string]any) { b["tag"] = b64(random(32)) },
		"no tag":               func(b map[string]any) { delete(b, "tag") },
		"another group key":    func(b map[string]any) { b["sealed"] = b64(random(48)) },
		"no group key":         func(b map[string]any) { b["sealed"] = "" },
		"a message too early":  func(b map[string]any) { b["k"] = "pake2" },
		"a sealed message now": func(b map[string]any) { b["k"] = "sealed" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRelay(t)
			host := openAt(t, r.server.URL)
			r.lie(lies{message: func(_, _ *relayed, body map[string]any) []map[string]any {
				if body["k"] == "admit" {
					lie(body)
				}
				return []map[string]any{body}
			}})
			if _, err := Join(soon(t), Config{Server: r.server.URL}, host.Name(), host.Code()); !errors.Is(err, ErrNotHost) {
				t.Errorf("join: %v", err)
			}
		})
	}
}

// TestAnswerToAnotherQuestion: a member whose answer opens may still be wrong. The receiver
// takes only the item that was offered, from the start or from where it asked.
func TestAnswerToAnotherQuestion(t *testing.T) {
	t.Parallel()
	group, me, other := fixed("group", 32), rid(fixed("me", 16)), rid(fixed("other", 16))
	m := &Member{id: me, group: group, people: map[rid]*peer{other: {id: other, in: newChannel(group, other, me)}}}
	item := Item{ID: other.String() + ".x", Owner: other.String(), Size: 5 * minChunk, Chunk: minChunk}
	r := &reception{m: m, item: item, owner: other, held: 2, digest: digest(fixed("c_2", 32))}
	id := fixed("transfer", 16)
	secret, err := ecdh.P521().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := ecdh.P521().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	held, wrong := b64(r.digest[:]), b64(fixed("something else", 32))
	for _, c := range []struct {
		a    agreed
		good bool
	}{
		{agreed{item.Size, minChunk, 0, ""}, true},
		{agreed{item.Size, minChunk, 2, held}, true},
		{agreed{item.Size, minChunk, 2, wrong}, false},
		{agreed{item.Size, minChunk, 2, ""}, false},
		{agreed{item.Size, minChunk, 1, held}, false},
		{agreed{item.Size, minChunk, 5, held}, false},
		{agreed{item.Size - 1, minChunk, 0, ""}, false},
		{agreed{item.Size + minChunk, minChunk, 0, ""}, false},
		{agreed{item.Size, 2 * minChunk, 0, ""}, false},
	} {
		s := start{jwkOf(sender.PublicKey()), newChannel(group, other, me).seal("accept", 1, []byte(marshal(t, c.a)), id, secret.PublicKey().Bytes(), sender.PublicKey().Bytes()), c.a.Chunk}
		_, from, err := r.agree(b64(id), secret, s)
		if c.good != (err == nil) || c.good && from != c.a.From || !c.good && !errors.Is(err, ErrTampered) {
			t.Errorf("%+v: from %d, %v", c.a, from, err)
		}
	}
}
