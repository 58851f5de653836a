package passkey

import (
	"bytes"
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
)

// flip returns b with one bit of one byte changed.
func flip(b []byte, at int) []byte {
	c := bytes.Clone(b)
	c[at] ^= 1
	return c
}

// clientJSON is client data with members changed; nil drops one.
func clientJSON(a answer, change map[string]any) []byte {
	var c map[string]any
	if err := json.Unmarshal(a.said, &c); err != nil {
		panic(err)
	}
	for name, value := range change {
		if c[name] = value; value == nil {
			delete(c, name)
		}
	}
	raw, err := json.Marshal(c)
	if err != nil {
		panic(err)
	}
	return raw
}

// clientFaults are client data that no honest browser sends on the server's page.
func clientFaults(kind string) map[string]map[string]any {
	other := map[string]string{created: gotten, gotten: created}[kind]
	return map[string]map[string]any{
		"no type": {"type": nil}, "the other ceremony": {"type": other}, "the type in capitals": {"type": strings.ToUpper(kind)},
		"no challenge": {"challenge": nil}, "another challenge": {"challenge": b64.EncodeToString(make([]byte, 32))}, "an empty challenge": {"challenge": ""},
		"no origin": {"origin": nil}, "another site": {"origin": "https://evil.test"}, "a subdomain": {"origin": "https://sub.coffer.test"},
		"another port": {"origin": "https://coffer.test:8443"}, "plain http": {"origin": "http://coffer.test"}, "a path": {"origin": "https://coffer.test/"},
		"another case": {"origin": "https://Coffer.test"}, "a user": {"origin": "https://coffer.test@evil.test"}, "an app": {"origin": "android:apk-key-hash:AAAA"},
		"a frame": {"crossOrigin": true}, "a frame's page": {"topOrigin": "https://evil.test"}, "a frame and its page": {"crossOrigin": true, "topOrigin": "https://coffer.test"},
		"an empty frame": {"topOrigin": ""}, "a frame as text": {"crossOrigin": "true"}, "a number as type": {"type": 1},
	}
}

// change makes an answer a bad one.
type change = func(a answer) answer

// assertionFaults are the changes of an answer of k, a passkey of c beside another one and
// somebody else's.
func assertionFaults(k, other, hers *key, c rest.Caller) map[string]change {
	signed := func(fn change) change { return func(a answer) answer { return k.sign(fn(a)) } }
	faults := map[string]change{
		"no id":          func(a answer) answer { a.id = ""; return a },
		"another id":     func(a answer) answer { a.id = b64.EncodeToString(other.id); return a },
		"another raw id": func(a answer) answer { a.rawID = b64.EncodeToString(other.id); return a },
		"an unknown id":  func(a answer) answer { a.id = b64.EncodeToString([]byte("unknown")); a.rawID = a.id; return a },
		"the id of another passkey of the account": func(a answer) answer { a.id = b64.EncodeToString(other.id); a.rawID = a.id; return a },
		"the id of somebody else's": func(a answer) answer {
			a.id = b64.EncodeToString(hers.id)
			a.rawID = a.id
			a.owner = hers.owner
			return a
		},
		"an id with padding":              func(a answer) answer { a.id += "="; a.rawID = a.id; return a },
		"no type":                         func(a answer) answer { a.kind = ""; return a },
		"another type":                    func(a answer) answer { a.kind = "password"; return a },
		"no user handle":                  func(a answer) answer { a.owner = nil; return a },
		"an empty user handle":            func(a answer) answer { a.owner = []byte{}; return a },
		"somebody else's user handle":     func(a answer) answer { a.owner = hers.owner; return a },
		"the account's id as user handle": func(a answer) answer { a.owner = []byte(c.Account); return a },
		"a longer user handle":            func(a answer) answer { a.owner = append(bytes.Clone(a.owner), 0); return a },
		"a shorter user handle":           func(a answer) answer { a.owner = a.owner[:31]; return a },
		"no signature":                    func(a answer) answer { a.signature = nil; return a },
		"another key's signature":         other.sign,
		"a signature with a tail":         func(a answer) answer { a.signature = append(bytes.Clone(a.signature), 0); return a },
		"a zero signature":                func(a answer) answer { a.signature = []byte{0x30, 6, 2, 1, 0, 2, 1, 0}; return a },
		"no client data":                  func(a answer) answer { a.said = nil; return a },
		"no data":                         func(a answer) answer { a.data = nil; return a },
		"duplicate names": signed(func(a answer) answer {
			a.said = append([]byte(`{"type":"webauthn.create",`), a.said[1:]...)
			return a
		}),
		"names in another case": signed(func(a answer) answer {
			a.said = bytes.Replace(a.said, []byte(`"origin"`), []byte(`"Origin"`), 1)
			return a
		}),
		"a tail of client data": signed(func(a answer) answer { a.said = append(bytes.Clone(a.said), "{}"...); return a }),
		"another party":         signed(func(a answer) answer { f := *k; f.party.id = "evil.test"; a.data = f.data(false); return a }),
		"not present":           signed(func(a answer) answer { f := *k; f.flags &^= present; a.data = f.data(false); return a }),
		"not verified":          signed(func(a answer) answer { f := *k; f.flags &^= verified; a.data = f.data(false); return a }),
		"no longer eligible":    signed(func(a answer) answer { f := *k; f.flags &^= eligible; a.data = f.data(false); return a }),
		"backed up, not eligible": signed(func(a answer) answer {
			f := *k
			f.flags = f.flags&^eligible | backedUp
			a.data = f.data(false)
			return a
		}),
		"a registration's data":    signed(func(a answer) answer { a.data = k.data(true); return a }),
		"data with a tail":         signed(func(a answer) answer { a.data = append(bytes.Clone(a.data), 0); return a }),
		"extensions that are none": signed(func(a answer) answer { a.data = k.data(false); a.data[32] |= extended; return a }),
		"a signature over the digest of another page": func(a answer) answer {
			good := a.said
			a.said = clientJSON(a, map[string]any{"origin": "https://evil.test"})
			a = k.sign(a)
			a.said = good
			return a
		},
	}
	for name, members := range clientFaults(gotten) {
		faults["client data: "+name] = signed(func(a answer) answer { a.said = clientJSON(a, members); return a })
	}
	for at := range 37 {
		faults["byte "+string(rune('0'+at/10))+string(rune('0'+at%10))+" of the data"] = func(a answer) answer { a.data = flip(a.data, at); return a }
	}
	return faults
}

// Every field of a good answer, changed, is refused: with the old signature, and signed
// again where the authenticator or the browser would have to be false.
func TestMutatedAssertion(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		w.below.Join("eve")
		c := w.caller("ada")
		k, other, hers := w.newKey(), w.newKey(), w.newKey()
		k.flags |= eligible
		w.add(c, k, "")
		w.add(c, other, "")
		w.add(w.caller("eve"), hers, "")

		for name, fault := range assertionFaults(k, other, hers, c) {
			k.count++
			_, err := w.send(fault(k.get(w.challenge())))
			w.wants(name, err, "invalid_passkey")
		}
		k.count++
		good := k.get(w.challenge())
		for at := range good.signature {
			a := k.get(w.challenge())
			a.signature = flip(a.signature, at%len(a.signature))
			_, err := w.send(a)
			w.wants("a bit of the signature", err, "invalid_passkey")
		}
		for name, raw := range map[string]string{
			"nothing": "", "null": "null", "a list": "[]", "an empty object": "{}", "text": `"x"`, "a deep one": strings.Repeat("[", 20_000),
			"a large one": `{"id":"` + strings.Repeat("A", maxCredential) + `"}`,
		} {
			_, err := w.SignIn(t.Context(), []byte(raw), sessionRequest, from)
			w.wants(name, err, "invalid_passkey")
		}
		// An operator finds the cause in the log, and a stranger does not.
		if log := w.log.String(); !strings.Contains(log, "https://sub.coffer.test") || !strings.Contains(log, "RP Hash mismatch") || strings.Contains(log, "level=ERROR") {
			t.Errorf("the log: %.500s", log)
		}
		// The good answer still works: no refused answer changed the stored sign count.
		if _, err := w.send(good); err != nil {
			t.Errorf("the good answer: %v", err)
		}
		// The authenticator may leave the owner out where the server has named the credentials.
		for _, change := range []change{
			func(a answer) answer { a.owner = nil; return a },
			func(a answer) answer { f := *k; f.flags |= extended; a.data = f.data(false); return k.sign(a) },
		} {
			o, err := w.BeginRenewal(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			k.count++
			raw := change(k.get(o.Challenge)).pack()
			raw = bytes.Replace(raw, []byte(`"response":{`), []byte(`"authenticatorAttachment":null,"response":{`), 1)
			if _, err := w.Renew(t.Context(), c, from, raw); err != nil {
				t.Errorf("a fresh proof: %v", err)
			}
		}
		// The server ignores members and extensions that it does not know.
		k.count++
		a := k.get(w.challenge())
		a.said = clientJSON(a, map[string]any{"other_keys_can_be_added_here": "do not compare clientDataJSON", "crossOrigin": nil})
		a.extensions = map[string]any{"credProps": map[string]any{}, "unknown": 1}
		if _, err := w.send(k.sign(a)); err != nil {
			t.Errorf("members of the future: %v", err)
		}
	})
}

// A registration with a fault makes no passkey and tells nobody.
func TestMutatedRegistration(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		w.below.Join("ada")
		c := w.caller("ada")
		w.below.Told()
		type change = func(k *key, challenge string) answer
		with := func(fn func(k *key)) change {
			return func(k *key, challenge string) answer { fn(k); return k.create(challenge) }
		}
		after := func(fn func(a answer) answer) change {
			return func(k *key, challenge string) answer { return fn(k.create(challenge)) }
		}
		data := func(fn func(d []byte) []byte) change {
			return func(k *key, challenge string) answer {
				a := k.create(challenge)
				a.object = statement(fn(k.data(true)))
				return a
			}
		}
		const keyAt = 37 + 16 + 2 + 32 // of the public key
		faults := map[string]change{
			"another party":           with(func(k *key) { k.party.id = "evil.test" }),
			"another page":            with(func(k *key) { k.party.origin = "https://evil.test" }),
			"not present":             with(func(k *key) { k.flags &^= present }),
			"not verified":            with(func(k *key) { k.flags &^= verified }),
			"backed up, not eligible": with(func(k *key) { k.flags |= backedUp }),
			"an empty id":             with(func(k *key) { k.id = nil }),
			"a long id":               with(func(k *key) { k.id = bytes.Repeat([]byte{7}, 1024) }),
			"another id":              after(func(a answer) answer { a.id = b64.EncodeToString([]byte("other")); return a }),
			"another id, twice":       after(func(a answer) answer { a.id = b64.EncodeToString([]byte("other")); a.rawID = a.id; return a }),
			"another type":            after(func(a answer) answer { a.kind = "password"; return a }),
			"no object":               after(func(a answer) answer { a.object = []byte{}; return a }),
			"half an object":          after(func(a answer) answer { a.object = a.object[:len(a.object)/2]; return a }),
			"an object with a tail":   after(func(a answer) answer { a.object = append(bytes.Clone(a.object), 0); return a }),
			"a statement in none": after(func(a answer) answer {
				a.object = bytes.Replace(a.object, []byte("attStmt\xa0"), []byte("attStmt\xa1\x63alg\x26"), 1)
				return a
			}),
			"packed, unsigned": after(func(a answer) answer {
				a.object = bytes.Replace(a.object, []byte("\x64none"), []byte("\x66packed"), 1)
				return a
			}),
			"not discoverable": after(func(a answer) answer {
				a.extensions = map[string]any{"credProps": map[string]any{"rk": false}}
				return a
			}),
			"an assertion": func(k *key, challenge string) answer { return k.get(challenge) },
			"data without a key": func(k *key, challenge string) answer {
				a := k.create(challenge)
				a.object = statement(k.data(false))
				return a
			},
			"another algorithm":     data(func(d []byte) []byte { d[keyAt+4] = 0x27; return d }), // EdDSA, on an EC2 key
			"ES256K":                data(func(d []byte) []byte { return append(append(bytes.Clone(d[:keyAt+4]), 0x38, 0x2e), d[keyAt+5:]...) }),
			"another curve":         data(func(d []byte) []byte { d[keyAt+6] = 2; return d }),
			"another kind of key":   data(func(d []byte) []byte { d[keyAt+2] = 1; return d }),
			"a point off the curve": data(func(d []byte) []byte { d[len(d)-1] ^= 1; return d }),
			"data with a tail":      data(func(d []byte) []byte { return append(d, 0) }),
			"a key with much more in it": data(func(d []byte) []byte { // a sixth member, whose value has 2000 bytes
				d[keyAt] = 0xa6
				return append(append(d, 0x38, 0x63, 0x59, 0x07, 0xd0), make([]byte, 2000)...)
			}),
			"PS256": data(func(d []byte) []byte {
				return append(bytes.Clone(d[:keyAt]), bytes.Replace(rsaKey(2048), []byte{0x03, 0x39, 0x01, 0x00}, []byte{0x03, 0x38, 0x24}, 1)...)
			}),
			"an RSA key of 1024": data(func(d []byte) []byte { return append(bytes.Clone(d[:keyAt]), rsaKey(1024)...) }),
			"an RSA key of 8192": data(func(d []byte) []byte { return append(bytes.Clone(d[:keyAt]), rsaKey(8192)...) }),
		}
		for name, members := range clientFaults(created) {
			faults["client data: "+name] = after(func(a answer) answer { a.said = clientJSON(a, members); return a })
		}
		for name, fault := range faults {
			_, err := w.Register(t.Context(), c, fault(w.newKey(), w.registration(c)).pack(), "")
			w.wants(name, err, "passkey_refused")
		}
		_, err := w.Register(t.Context(), c, []byte(`{}`), "")
		w.wants("no credential", err, "passkey_refused")
		if all, err := w.List(t.Context(), account.ID(c.Account)); err != nil || len(all) != 0 {
			t.Errorf("passkeys were made: %+v, %v", all, err)
		}
		if told := w.below.Told(); len(told) != 0 {
			t.Errorf("told %q", told)
		}
		// An RSA key within the limits is good, and so is the longest id.
		for name, good := range map[string]change{
			"an RSA key of 2048":              data(func(d []byte) []byte { return append(bytes.Clone(d[:keyAt]), rsaKey(2048)...) }),
			"extensions of the authenticator": with(func(k *key) { k.flags |= extended }),
			"the longest id":                  with(func(k *key) { k.id = bytes.Repeat([]byte{7}, 1023) }),
		} {
			if _, err := w.Register(t.Context(), c, good(w.newKey(), w.registration(c)).pack(), ""); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
}

// rsaKey is an RSA public key in COSE (RFC 8230 §4) with so many bits.
func rsaKey(bits int) []byte {
	n := new(big.Int).Lsh(big.NewInt(1), uint(bits-1))
	n.SetBit(n, 0, 1)
	c := []byte{0xa4, 0x01, 0x03, 0x03, 0x39, 0x01, 0x00, 0x20, 0x59, byte(bits / 8 >> 8), byte(bits / 8)}
	return append(append(c, n.Bytes()...), 0x21, 0x43, 1, 0, 1)
}

// registration begins one and returns its challenge.
func (w *world) registration(c rest.Caller) string {
	w.t.Helper()
	o, err := w.BeginRegistration(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	return o.Challenge
}

// A packed self attestation is judged: each part of it, changed, is refused. So is one of a
// maker, as far as it can be judged without the maker's root.
func TestMutatedStatement(t *testing.T) {
	tried := 0
	for _, v := range vectors(t) {
		raw, challenge := v.creation(t)
		in, said, err := parseCreation(raw)
		if err != nil {
			t.Fatal(err)
		}
		a := &in.Response.AttestationObject
		if _, err := spec.register(in, said, challenge); err != nil || a.Format != "packed" {
			continue
		}
		tried++
		for name, change := range map[string]func(){
			"the signature":   func() { a.AttStatement["sig"] = flip(a.AttStatement["sig"].([]byte), 10) },
			"no signature":    func() { delete(a.AttStatement, "sig") },
			"the algorithm":   func() { a.AttStatement["alg"] = int64(-257 - 1000) },
			"the signed data": func() { a.RawAuthData = flip(a.RawAuthData, 40) },
			"the client data": func() {
				in.Raw.AttestationResponse.ClientDataJSON = append(in.Raw.AttestationResponse.ClientDataJSON, ' ')
			},
		} {
			if in, said, err = parseCreation(raw); err != nil {
				t.Fatal(err)
			}
			a = &in.Response.AttestationObject
			change()
			if _, err := spec.register(in, said, challenge); err == nil {
				t.Errorf("%s: %s changed: accepted", v.Title, name)
			}
		}
	}
	if tried < 3 {
		t.Errorf("only %d statements", tried)
	}
}
