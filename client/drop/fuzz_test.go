package drop

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"io"
	"testing"
)

// FuzzStream: whatever a server streams, reading it ends, and no part is longer than
// allowed.
func FuzzStream(f *testing.F) {
	part := func(kind byte, payload string) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(payload))), payload...)
	}
	f.Add(append(part(partAlive, ""), part(partStart, `{"public_key":{"kty":"EC","crv":"P-521","x":"","y":""},"sealed":"","chunk":65536}`)...))
	f.Add(append(part(partChunk, "ciphertext"), part(partEnd, "")...))
	f.Add(part(partError, `{"code":"changed"}`))
	f.Add([]byte{2, 255, 255, 255, 255})
	f.Add([]byte{9, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		p := &parts{from: bytes.NewReader(raw)}
		var read int
		for {
			kind, payload, err := p.next(nil)
			if err != nil {
				if err == io.EOF && read != len(raw) {
					t.Errorf("a clean end after %d of %d bytes", read, len(raw))
				}
				return
			}
			read += 5 + len(payload)
			if kind > partError || len(payload) > maxChunk+overhead {
				t.Errorf("part %d of %d bytes", kind, len(payload))
			}
			if s, err := readStart(payload); kind == partStart && err == nil {
				_, _, _ = s.PublicKey.point()
			}
			if kind == partError && streamError(payload) == nil {
				t.Error("an error part is no error")
			}
		}
	})
}

// FuzzFrame: what a server sends on the socket.
func FuzzFrame(f *testing.F) {
	f.Add([]byte(`{"t":"welcome","rid":"AAAAAAAAAAAAAAAAAAAAAA","host":true,"host_rid":"AAAAAAAAAAAAAAAAAAAAAA","name":"red-fox","expires_at":"2026-11-29T10:00:00Z","members":[{"rid":"AAAAAAAAAAAAAAAAAAAAAA","host":true,"here":true}],"queue":8}`))
	f.Add([]byte(`{"t":"msg","from":"AAAAAAAAAAAAAAAAAAAAAA","body":{"k":"ack","transfer":"x","chunks":3,"tag":""}}`))
	f.Add([]byte(`{"t":"request","n":4294967295,"transfer":"","from":"AAAAAAAAAAAAAAAAAAAAAA","file_id":"","public_key":{},"sealed":""}`))
	f.Add([]byte(`{"t":"credit","n":1,"chunks":-1}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		got, err := readFrame(raw)
		if err != nil {
			return
		}
		if len(raw) > maxText {
			t.Error("a frame beyond the limit was read")
		}
		var b body
		_ = json.Unmarshal(got.Body, &b)
		_, _, _ = got.PublicKey.point()
	})
}

// FuzzSealed: the text of a sealed message opens only if its sender sealed it.
func FuzzSealed(f *testing.F) {
	group := fixed("group", 32)
	c := newChannel(group, rid(fixed("a", 16)), rid(fixed("b", 16)))
	good := c.sealWith(make([]byte, 12), "message", 7, []byte(`{"k":"hello","device":"x"}`))
	f.Add(good)
	f.Add("")
	f.Add(good[:40])
	f.Add(good + "A")
	f.Fuzz(func(t *testing.T, text string) {
		n, plain, err := c.open("message", text)
		if err == nil && text != good {
			t.Errorf("%q opens as %d %q", text, n, plain)
		}
		if (err == nil) != (text == good) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// FuzzSaid: the plaintext of sealed messages, which members write.
func FuzzSaid(f *testing.F) {
	owner := rid(fixed("a", 16))
	f.Add([]byte(`{"k":"offer","items":[{"id":"` + owner.String() + `.AAAAAAAAAAAAAAAAAAAAAA","name":"x","kind":"file","size":3,"type":"","files":0,"chunk":65536}]}`))
	for _, bad := range []string{
		`"id":"BBBBBBBBBBBBBBBBBBBBBA.AAAAAAAAAAAAAAAAAAAAAA"`, `"id":"` + owner.String() + `"`, `"size":-1`, `"chunk":1000`, `"chunk":0`, `"kind":"link"`, `"name":""`, `"files":-1`, `"size":9223372036854775807`,
	} { // the last value of a name counts
		f.Add([]byte(`{"k":"offer","items":[{"id":"` + owner.String() + `.AAAAAAAAAAAAAAAAAAAAAA","name":"x","kind":"file","size":3,"type":"","files":0,"chunk":65536,` + bad + `}]}`))
	}
	f.Add([]byte(`{"k":"hello","device":"\u001b[31m\u202e"}`))
	f.Add([]byte(`{"from":3,"digest":""}`))
	f.Add([]byte(`{"size":9223372036854775807,"chunk":65536,"from":9}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		if s, err := readSaid(raw); err == nil {
			for _, i := range itemsOf(s, owner) {
				if i.Owner != owner.String() || i.Size < 0 || !goodChunk(i.Chunk) || chunksOf(i.Size, i.Chunk) > maxChunks || i.Name == "" {
					t.Errorf("an item that the protocol does not allow: %+v", i)
				}
			}
			if s.Device != clean(s.Device, maxDevice) {
				t.Errorf("device %q is not clean", s.Device)
			}
		}
		if a, err := readAgreed(raw); err == nil && (a.Size < 0 || !goodChunk(a.Chunk) || a.From < 0 || a.From > chunksOf(a.Size, a.Chunk)) {
			t.Errorf("agreed: %+v", a)
		}
		if k, _, err := readWanted(raw); err == nil && (k < 0 || k > maxChunks) {
			t.Errorf("wanted: %d", k)
		}
	})
}

// FuzzKey: a public key is a point, and has one form.
func FuzzKey(f *testing.F) {
	key, err := ecdh.P521().GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	good, err := json.Marshal(jwkOf(key.PublicKey()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"kty":"EC","crv":"P-521","x":"","y":""}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		var k jwk
		if json.Unmarshal(raw, &k) != nil {
			return
		}
		pub, point, err := k.point()
		if err != nil {
			return
		}
		if again := jwkOf(pub); again != k || !bytes.Equal(pub.Bytes(), point) {
			t.Errorf("%+v became %+v", k, again)
		}
	})
}

// FuzzSecret: what people type and paste.
func FuzzSecret(f *testing.F) {
	f.Add("123 456")
	f.Add("v1.AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("https://files.example.org/x/d/red-fox#v1.AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("http://[::1]:80/d/Red_Fox")
	f.Fuzz(func(t *testing.T, text string) {
		if m, b, err := readSecret(text); err == nil && (m == modeCode && len(b) != 6 || m == modeKey && len(b) != 16) {
			t.Errorf("%q: %s %x", text, m, b)
		}
		if server, name, secret, ok := ParseLink(text); ok {
			if !validName(name) || server == "" {
				t.Errorf("%q: %q %q", text, server, name)
			}
			if secret != "" {
				if _, _, err := readSecret(secret); err != nil {
					t.Errorf("%q: secret %q", text, secret)
				}
			}
		}
	})
}
