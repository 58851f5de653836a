package e2e

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// A drop by hand: open, join, talk, ask, stream.
func TestDropWire(t *testing.T) {
	each(t, func(t *testing.T, in setup) {
		s := start(t, in)
		host := openDrop(t, s, newAddress())
		if a := s.raw(t, newAddress(), "GET", "/v1/drops/"+host.name, ""); a.status != 200 || !strings.Contains(a.body, `"open_slots":32`) {
			t.Errorf("look: %d %s", a.status, a.body)
		}
		one, two := host.guest(newAddress()), host.guest(newAddress())
		one.want("member", "rid", two.rid)
		one.message(two.rid, map[string]any{"k": "hello"})
		if f := two.want("msg"); f["from"] != one.rid || f["body"].(map[string]any)["k"] != "hello" {
			t.Errorf("got %v", f)
		}

		id := two.ask(one.item())
		req := one.want("request")
		if req["transfer"] != id || req["from"] != two.rid || req["n"] != 1.0 || req["sealed"] != "AAAA" || req["public_key"].(map[string]any)["crv"] != "P-521" {
			t.Errorf("request %v", req)
		}
		res := two.stream(id)
		one.accept(1, 64<<10)
		if f := one.want("credit"); f["n"] != 1.0 || f["chunks"] != 8.0 {
			t.Errorf("first credits: %v", f)
		}
		if kind, b, err := frameOf(res.Body); kind != 1 || err != nil || !strings.Contains(string(b), `"sealed":"BBBB"`) {
			t.Errorf("start: %d %s %v", kind, b, err)
		}
		credits := 8.0
		for i := range 20 {
			for ; credits == 0; credits += one.want("credit", "n", 1.0)["chunks"].(float64) {
			}
			credits--
			one.write(websocket.MessageBinary, chunk(1, bytes.Repeat([]byte{byte(i)}, 64<<10+16)))
			kind, b, err := frameOf(res.Body)
			if kind != 2 || err != nil || len(b) != 64<<10+16 || b[77] != byte(i) {
				t.Fatalf("chunk %d: %d %d %v", i, kind, len(b), err)
			}
		}
		one.say(map[string]any{"t": "finish", "n": 1})
		if kind, _, err := frameOf(res.Body); kind != 3 || err != nil {
			t.Errorf("end: %d %v", kind, err)
		}
		if kind, b, err := frameOf(res.Body); kind != -1 || err != nil {
			t.Errorf("after the end: %d %s %v", kind, b, err)
		}
		one.want("end", "n", 1.0, "code", "delivered")

		// The same as server-sent events.
		id = two.ask(one.item())
		one.want("request", "n", 2.0)
		one.accept(2, 64<<10)
		one.want("credit", "n", 2.0)
		one.write(websocket.MessageBinary, chunk(2, []byte("sixteen bytes and more")))
		one.say(map[string]any{"t": "finish", "n": 2})
		events, err := io.ReadAll(two.stream(id, "Accept", "text/event-stream").Body)
		want := "event: chunk\ndata: " + base64.StdEncoding.EncodeToString([]byte("sixteen bytes and more")) + "\n\nevent: end\ndata: {}\n\n"
		if err != nil || !strings.HasPrefix(string(events), "event: start\ndata: {") || !strings.HasSuffix(string(events), want) {
			t.Errorf("events %q %v", events, err)
		}
		if a := host.call("DELETE", "", ""); a.status != 204 {
			t.Errorf("close: %d %s", a.status, a.body)
		}
		for _, d := range []*rawDrop{host, one, two} {
			d.want("closed", "code", "closed")
			if code := d.closes(); code != websocket.StatusNormalClosure {
				t.Errorf("close code %d: %v", code, *d.ended)
			}
		}
	})
}
