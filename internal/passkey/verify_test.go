package passkey

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"coffer/internal/db/dbtest"
)

// The relying party follows from the base URL. Browsers allow none at an address, and none
// without TLS but at localhost.
func TestParty(t *testing.T) {
	for base, want := range map[string]party{
		"https://coffer.example.org":      {"coffer.example.org", "https://coffer.example.org"},
		"https://Coffer.Example.org:443":  {"coffer.example.org", "https://coffer.example.org"},
		"https://coffer.example.org:8443": {"coffer.example.org", "https://coffer.example.org:8443"},
		"https://bücher.example":          {"xn--bcher-kva.example", "https://xn--bcher-kva.example"},
		"https://nas":                     {"nas", "https://nas"},
		"http://localhost:8420":           {"localhost", "http://localhost:8420"},
		"http://localhost:80":             {"localhost", "http://localhost"},
		"http://files.localhost:8420":     {"files.localhost", "http://files.localhost:8420"},
	} {
		if got, on := newParty(base); !on || got != want {
			t.Errorf("%s: %+v, %t, want %+v", base, got, on, want)
		}
	}
	for _, base := range []string{
		"https://192.0.2.7", "https://192.0.2.7:8443", "https://[2001:db8::1]", "https://[::1]:8420", "http://127.0.0.1:8420", "https://127.1", "https://0x7f.1", "https://1.2.3.0x4",
		"https://2130706433", "http://coffer.example.org", "http://nas", "http://notlocalhost", "https://", "::",
	} {
		if got, on := newParty(base); on {
			t.Errorf("%s: %+v, want none", base, got)
		}
	}
}

// Without a host name every ceremony is refused, and an account has no passkey to count on.
func TestUnavailable(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	ctx := t.Context()
	id := w.below.Join("ada")
	c := w.caller("ada")
	k := w.newKey()
	p := w.add(c, k, "")
	w.on = false
	_, err := w.BeginSignIn(ctx, from)
	w.wants("begin to sign in", err, "passkeys_unavailable")
	_, err = w.send(k.get(""))
	w.wants("sign in", err, "passkeys_unavailable")
	w.wants("activate", w.Activate(t.Context(), nil, from), "passkeys_unavailable")
	_, err = w.BeginRenewal(ctx, c)
	w.wants("begin to renew", err, "passkeys_unavailable")
	_, err = w.Renew(ctx, c, from, k.get("").pack())
	w.wants("renew", err, "passkeys_unavailable")
	_, err = w.BeginRegistration(ctx, c)
	w.wants("begin to register", err, "passkeys_unavailable")
	_, err = w.Register(ctx, c, k.create("").pack(), "")
	w.wants("register", err, "passkeys_unavailable")
	if has, err := w.has(ctx, w.DB, id); err != nil || has {
		t.Errorf("the account has a passkey that cannot work: %t, %v", has, err)
	}
	// The owner still sees it, and may remove it.
	if all, err := w.List(ctx, id); err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	w.wants("remove", w.Remove(ctx, c, p.ID), "")
}

func TestProviders(t *testing.T) {
	for id, name := range providers {
		if u, err := uuid.Parse(id); err != nil || u.String() != id || u == uuid.Nil || name == "" || len([]rune(name)) > maxName || strings.TrimSpace(name) != name {
			t.Errorf("%q: %q", id, name)
		}
	}
	if provider(make([]byte, 16)) != "" || provider(nil) != "" || len(providers) < 40 {
		t.Error("an unknown maker has a name")
	}
}

func TestTransports(t *testing.T) {
	got := transports([]string{"internal", "", "USB", "a b", "smart-card", strings.Repeat("x", 21), "ble", "a", "b", "c", "d", "e", "f"})
	if want := []string{"internal", "smart-card", "ble", "a", "b", "c", "d", "e"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// What a stranger sends is read without a crash. It is accepted only if a vector's key has
// signed it, and the fuzzer does not know those keys.
func FuzzAssertion(f *testing.F) {
	var keys []record
	signed := map[string]bool{}
	for _, v := range vectors(f) {
		raw, _ := v.creation(f)
		in, _, err := parseCreation(raw)
		if err != nil {
			f.Fatal(err)
		}
		a := in.Response.AttestationObject.AuthData
		keys = append(keys, record{ID: in.RawID, Key: a.AttData.CredentialPublicKey, Eligible: a.Flags.HasBackupEligible()})
		b := v.Blocks[1]
		said, data, signature := unhex(f, b["clientDataJSON"]), unhex(f, b["authenticatorData"]), unhex(f, b["signature"])
		f.Add(in.RawID, said, data, signature, []byte("owner"))
		signed[string(said)+string(data)] = true
	}
	f.Fuzz(func(t *testing.T, id, said, data, signature, owner []byte) {
		in, c, err := parseAssertion(answer{id: b64.EncodeToString(id), rawID: b64.EncodeToString(id), kind: publicKey, said: said, data: data, signature: signature, owner: owner}.pack())
		if err != nil {
			return
		}
		for _, r := range keys {
			if err := spec.assert(in, c, c.Challenge, r); err == nil && !signed[string(said)+string(data)] {
				t.Errorf("accepted %q, %x, %x", said, data, signature)
			}
		}
	})
}

// A registration is read without a crash, and what is accepted can be used.
func FuzzCreation(f *testing.F) {
	for _, v := range vectors(f) {
		b := v.Blocks[0]
		f.Add(unhex(f, b["credential_id"]), unhex(f, b["clientDataJSON"]), unhex(f, b["attestationObject"]))
	}
	f.Fuzz(func(t *testing.T, id, said, object []byte) {
		if object == nil {
			return // an assertion
		}
		in, c, err := parseCreation(answer{id: b64.EncodeToString(id), rawID: b64.EncodeToString(id), kind: publicKey, said: said, object: object}.pack())
		if err != nil {
			return
		}
		r, err := spec.register(in, c, c.Challenge)
		if err != nil {
			return
		}
		if len(r.ID) == 0 || len(r.ID) > 1023 || checkKey(r.Key) != nil || len(r.Transports) > 8 || r.BackedUp && !r.Eligible {
			t.Errorf("accepted %+v of %q, %x", r, said, object)
		}
	})
}

// Credentials that are no JSON of a credential are refused, not followed.
func FuzzCredential(f *testing.F) {
	for _, v := range vectors(f)[:2] {
		raw, _ := v.creation(f)
		f.Add(raw)
		raw, _ = v.assertion(f)
		f.Add(raw)
	}
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":null}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if in, _, err := parseCreation(raw); err == nil && len(in.RawID) == 0 {
			t.Errorf("no id in %q", raw)
		}
		if in, _, err := parseAssertion(raw); err == nil && len(in.RawID) == 0 {
			t.Errorf("no id in %q", raw)
		}
	})
}
