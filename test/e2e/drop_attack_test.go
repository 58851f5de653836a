package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// Who may open a socket, and how.
func TestDropSocketRefuses(t *testing.T) {
	t.Parallel()
	s := start(t, alone)
	host := openDrop(t, s, newAddress())
	other := openDrop(t, s, newAddress())
	const protocol = "coffer.drop.v1"
	with := func(pairs ...string) http.Header {
		h := host.auth()
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	for name, c := range map[string]struct {
		query     string
		header    http.Header
		protocols []string
		status    int
		code      string
	}{
		"no subprotocol":      {"", host.auth(), nil, 400, "upgrade_required"},
		"another subprotocol": {"", host.auth(), []string{"coffer.drop.v2"}, 400, "upgrade_required"},
		"another site":        {"", with("Origin", "https://evil.example"), []string{protocol}, 403, "cross_origin"},
		"an opaque origin":    {"", with("Origin", "null"), []string{protocol}, 403, "cross_origin"},
		"a site like ours":    {"", with("Origin", s.url+".evil.example"), []string{protocol}, 403, "cross_origin"},
		"fetched cross-site":  {"", with("Sec-Fetch-Site", "cross-site"), []string{protocol}, 403, "cross_origin"},
		"no token":            {"", nil, []string{protocol}, 401, "invalid_drop_token"},
		"a token of another":  {"", other.auth(), []string{protocol}, 401, "invalid_drop_token"},
		"a bearer token":      {"", http.Header{"Authorization": {"Bearer " + host.token}}, []string{protocol}, 401, "invalid_drop_token"},
		"the token as ticket": {"?ticket=" + host.token, nil, []string{protocol}, 401, "invalid_drop_token"},
	} {
		conn, res, err := host.dial(c.query, c.header, c.protocols...)
		if err == nil {
			conn.CloseNow()
			t.Errorf("%s: connected", name)
			continue
		}
		var p struct{ Code string }
		if res == nil || res.StatusCode != c.status || json.NewDecoder(res.Body).Decode(&p) != nil || p.Code != c.code {
			t.Errorf("%s: %v, code %q, want %d %s", name, err, p.Code, c.status, c.code)
		} else if c.status == 401 && res.Header.Get("WWW-Authenticate") != "Drop" {
			t.Errorf("%s: the challenge is %q", name, res.Header.Get("WWW-Authenticate"))
		}
	}
	if a := host.call("GET", "/socket", ""); a.status != 400 || !strings.Contains(a.body, "upgrade_required") {
		t.Errorf("without an upgrade: %d %s", a.status, a.body)
	}

	// A browser's page of this server: a ticket, once.
	ticket := func(d *rawDrop) string {
		a := d.call("POST", "/tickets", "")
		var o struct {
			Ticket string
			In     int `json:"expires_in"`
		}
		if json.Unmarshal([]byte(a.body), &o); a.status != 201 || o.In != 30 {
			t.Fatalf("ticket: %d %s", a.status, a.body)
		}
		return "?ticket=" + o.Ticket
	}
	mine := ticket(host)
	if conn, _, err := other.dial(mine, nil, protocol); err == nil {
		conn.CloseNow()
		t.Error("a ticket of one drop opens another")
	}
	mine = ticket(host)
	var won atomic.Int32
	done := make(chan struct{}, 6)
	for range cap(done) {
		go func() {
			defer func() { done <- struct{}{} }()
			conn, _, err := host.dial(mine, http.Header{"Origin": {s.url}, "Sec-Fetch-Site": {"same-origin"}}, protocol)
			if err == nil {
				won.Add(1)
				conn.CloseNow()
			}
		}()
	}
	for range cap(done) {
		<-done
	}
	if won.Load() != 1 {
		t.Errorf("one ticket opened %d sockets", won.Load())
	}
	host.want("replaced")
	if code := host.closes(); code != websocket.StatusNormalClosure {
		t.Errorf("the older socket: %d", code)
	}
}

// A breach of the protocol ends the socket of its member alone.
func TestDropBreaches(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_LIMIT_DROP_OPEN=1000/1h", "COFFER_DROP_GUESTS=1000")
	host := openDrop(t, s, newAddress())
	const policy, large = websocket.StatusPolicyViolation, websocket.StatusMessageTooBig
	text := func(format string, args ...any) func(d *rawDrop) {
		return func(d *rawDrop) { d.write(websocket.MessageText, fmt.Appendf(nil, format, args...)) }
	}
	binary := func(b []byte) func(d *rawDrop) { return func(d *rawDrop) { d.write(websocket.MessageBinary, b) } }
	sending := func(do func(d *rawDrop)) func(d *rawDrop) {
		return func(d *rawDrop) {
			id := host.ask(d.item())
			host.stream(id)
			d.want("request", "transfer", id)
			d.accept(1, 64<<10)
			d.want("credit", "chunks", 8.0)
			do(d)
		}
	}
	full := make([]byte, 64<<10+16)
	for name, c := range map[string]struct {
		do   func(d *rawDrop)
		code websocket.StatusCode
	}{
		"text of more than 64 KiB":      {text(`{"t":"msg","x":%q}`, strings.Repeat("x", 64<<10)), large},
		"no JSON":                       {text(`{"t":"msg"`), policy},
		"a list":                        {text(`[]`), policy},
		"a name twice":                  {text(`{"t":"leave","t":"leave"}`), policy},
		"an unknown frame":              {text(`{"t":"welcome"}`), policy},
		"a guest that admits":           {text(`{"t":"admit","rid":%q}`, host.rid), policy},
		"a guest that rejects":          {text(`{"t":"reject","rid":%q,"code":"wrong"}`, host.rid), policy},
		"a message to nobody":           {text(`{"t":"msg","to":"x","body":{}}`), policy},
		"a message without an object":   {text(`{"t":"msg","to":%q,"body":"x"}`, host.rid), policy},
		"a body of more than 48 KiB":    {text(`{"t":"msg","to":%q,"body":{"x":%q}}`, host.rid, strings.Repeat("x", 48<<10)), large},
		"an accept of nothing":          {text(`{"t":"accept","n":1,"public_key":%s,"sealed":"","chunk":65536}`, dropKey), policy},
		"a finish of nothing":           {text(`{"t":"finish","n":1}`), policy},
		"a fail of nothing":             {text(`{"t":"fail","n":1,"code":"busy"}`), policy},
		"a chunk of no transfer":        {binary(chunk(1, full)), policy},
		"a chunk of transfer 0":         {binary(chunk(0, full)), policy},
		"a binary frame without number": {binary([]byte{0, 0, 1}), policy},
		"an empty binary frame":         {binary(nil), policy},
		"a chunk longer than agreed":    {sending(func(d *rawDrop) { d.write(websocket.MessageBinary, chunk(1, append(full, 0))) }), policy},
		"a chunk of 2 MiB":              {sending(func(d *rawDrop) { d.write(websocket.MessageBinary, chunk(1, make([]byte, 2<<20))) }), policy},
		"a chunk shorter than a tag":    {sending(func(d *rawDrop) { d.write(websocket.MessageBinary, chunk(1, full[:15])) }), policy},
		"a chunk after the end": {func(d *rawDrop) {
			host.ask(d.item()) // no stream takes the end: the transfer is not over
			d.want("request")
			d.accept(1, 64<<10)
			d.want("credit", "chunks", 8.0)
			d.say(map[string]any{"t": "finish", "n": 1})
			d.tryWrite(websocket.MessageBinary, chunk(1, full))
		}, policy},
		"an accept twice":               {sending(func(d *rawDrop) { d.accept(1, 64<<10) }), policy},
		"a fail for an unknown reason":  {sending(func(d *rawDrop) { d.say(map[string]any{"t": "fail", "n": 1, "code": "stalled"}) }), policy},
		"a chunk size of no power of 2": {func(d *rawDrop) { host.stream(host.ask(d.item())); d.want("request"); d.accept(1, 65537) }, policy},
		"a chunk size of 32 KiB":        {func(d *rawDrop) { host.stream(host.ask(d.item())); d.want("request"); d.accept(1, 32<<10) }, policy},
		"a chunk size of 2 MiB":         {func(d *rawDrop) { host.stream(host.ask(d.item())); d.want("request"); d.accept(1, 2<<20) }, policy},
		"the ninth chunk of eight": {func(d *rawDrop) {
			host.ask(d.item()) // no stream takes any
			d.want("request")
			d.accept(1, 64<<10)
			d.want("credit", "chunks", 8.0)
			for range 9 {
				d.tryWrite(websocket.MessageBinary, chunk(1, full))
			}
		}, policy},
		"many tiny frames": {func(d *rawDrop) {
			for range 2000 {
				d.tryWrite(websocket.MessageText, []byte(`{"t":"msg","to":"`+host.rid+`","body":{}}`))
			}
		}, policy},
		"many tiny frames, all unasked": {func(d *rawDrop) {
			for range 2000 {
				d.tryWrite(websocket.MessageBinary, chunk(7, full[:16]))
			}
		}, policy},
	} {
		t.Run(name, func(t *testing.T) {
			d := host.guest(newAddress())
			d.t = t
			c.do(d)
			if code := d.closes(); code != c.code {
				t.Errorf("close code %d, want %d: %v", code, c.code, *d.ended)
			}
			host.want("member", "rid", d.rid, "here", false)
		})
	}
	good := host.guest(newAddress())
	good.message(host.rid, map[string]any{"still": "here"})
	host.want("msg", "from", good.rid)
}

// What a guest may do before its host lets it in: talk to the host.
func TestDropOutside(t *testing.T) {
	t.Parallel()
	s := start(t, alone)
	host := openDrop(t, s, newAddress())
	member := host.guest(newAddress())
	out := host.join(newAddress())
	host.want("join", "rid", out.rid)
	// It sees the host alone.
	out.conn.CloseNow()
	again := &rawDrop{t: t, s: s, from: newAddress(), name: host.name}
	a := s.raw(t, again.from, "POST", "/v1/drops/"+host.name+"/join", "{}")
	var o struct {
		Token string `json:"guest_token"`
	}
	if err := json.Unmarshal([]byte(a.body), &o); err != nil {
		t.Fatal(err)
	}
	again.token = o.Token
	if w := again.connect(); len(w["members"].([]any)) != 1 || w["members"].([]any)[0].(map[string]any)["rid"] != host.rid || w["host"] != false {
		t.Errorf("a stranger is welcomed with %v", w)
	}
	host.want("join", "rid", again.rid)
	again.message(member.rid, map[string]any{"k": "hello"})
	again.want("error", "code", "not_admitted", "to", member.rid)
	again.message(host.rid, map[string]any{"k": "pake1"})
	host.want("msg", "from", again.rid)
	member.message(again.rid, map[string]any{"k": "hello"})
	member.want("error", "code", "not_admitted", "to", again.rid)
	for _, r := range [][3]string{
		{"POST", "/transfers", `{"file_id":"` + host.item() + `","public_key":` + dropKey + `,"sealed":""}`},
		{"GET", "/transfers/AAAAAAAAAAAAAAAAAAAAAA/stream", ""},
	} {
		if a := again.call(r[0], r[1], r[2]); a.status != 403 || !strings.Contains(a.body, `"not_admitted"`) {
			t.Errorf("%s %s: %d %s", r[0], r[1], a.status, a.body)
		}
	}
	for _, d := range []*rawDrop{again, member} {
		for _, r := range [][3]string{{"PATCH", "", `{"name":"taken-over"}`}, {"DELETE", "", ""}} {
			if a := d.call(r[0], r[1], r[2]); a.status != 403 || !strings.Contains(a.body, `"not_host"`) {
				t.Errorf("%s %s: %d %s", r[0], r[1], a.status, a.body)
			}
		}
	}
	if a := member.call("POST", "/transfers", `{"file_id":"`+again.item()+`","public_key":`+dropKey+`,"sealed":""}`); a.status != 404 || !strings.Contains(a.body, `"file_not_found"`) {
		t.Errorf("a file of a guest outside: %d %s", a.status, a.body)
	}
	// Let in, it gets to know the others.
	host.say(map[string]any{"t": "admit", "rid": again.rid})
	again.want("member", "rid", member.rid, "here", true)
	member.want("member", "rid", again.rid, "here", true)
	again.message(member.rid, map[string]any{"k": "hello"})
	member.want("msg", "from", again.rid)
	// Left for good, it is a stranger.
	again.say(map[string]any{"t": "leave"})
	member.want("member", "rid", again.rid, "gone", true)
	again.closes()
	if a := again.call("POST", "/tickets", ""); a.status != 401 {
		t.Errorf("a token of a guest that left: %d %s", a.status, a.body)
	}
}

// Wrong codes: the host rejects, the server counts. Joins are limited, whatever they hit.
func TestDropWrongJoins(t *testing.T) {
	t.Parallel()
	s := start(t, alone)
	host := openDrop(t, s, newAddress())
	from := newAddress()
	for _, code := range []string{"wrong", "wrong", "burnt"} {
		d := host.join(from)
		host.want("join", "rid", d.rid)
		host.say(map[string]any{"t": "reject", "rid": d.rid, "code": code})
		d.want("closed", "code", code)
		if d.closes() != websocket.StatusNormalClosure {
			t.Errorf("%v", *d.ended)
		}
	}
	if a := s.raw(t, from, "POST", "/v1/drops/"+host.name+"/join", "{}"); a.status != 429 || a.header.Get("Retry-After") == "" {
		t.Errorf("after three: %d %s", a.status, a.body)
	}
	if a := s.raw(t, newAddress(), "POST", "/v1/drops/"+host.name+"/join", "{}"); a.status != 201 {
		t.Errorf("another address: %d %s", a.status, a.body)
	}
	// Ten thousand joins of one address: the first few count, none gets in.
	from = newAddress()
	statuses := map[int]int{}
	for n := range 10000 {
		name := host.name
		if n%2 == 1 {
			name = "no-such-drop"
		}
		statuses[s.raw(t, from, "POST", "/v1/drops/"+name+"/join", "{}").status]++
	}
	if statuses[201] != 4 || statuses[404]+statuses[429] != 9996 || statuses[404] > 120 { // four wait at a time, 120 are heard in ten minutes
		t.Errorf("answers: %v", statuses)
	}
}

// Whatever tells whether a name is in use counts as a look-up: a wrong token, the token of another
// drop, a rename.
func TestDropNamesAreCounted(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_LIMIT_DROP_READ=20/1h")
	there := openDrop(t, s, newAddress())
	for name, ask := range map[string]func(own *rawDrop, n int) answer{
		"a wrong token": func(own *rawDrop, n int) answer {
			return s.raw(t, own.from, "DELETE", "/v1/drops/"+there.name, "", "Authorization", "Drop x")
		},
		"no drop": func(own *rawDrop, n int) answer {
			return s.raw(t, own.from, "POST", "/v1/drops/no-such-drop/tickets", "", "Authorization", "Drop x")
		},
		"another drop's token": func(own *rawDrop, n int) answer {
			return s.raw(t, own.from, "POST", "/v1/drops/"+there.name+"/tickets", "", "Authorization", "Drop "+own.token)
		},
		"a former name": func(own *rawDrop, n int) answer {
			return s.raw(t, own.from, "POST", fmt.Sprintf("/v1/drops/no-such-drop-%d/tickets", n), "", "Authorization", "Drop "+own.token)
		},
		"a rename": func(own *rawDrop, n int) answer { return own.call("PATCH", "", `{"name":"`+there.name+`"}`) },
	} {
		own := openDrop(t, s, newAddress())
		statuses := map[int]int{}
		for n := range 60 {
			statuses[ask(own, n).status]++
		}
		if statuses[429] < 30 {
			t.Errorf("%s: %v", name, statuses)
		}
		if a := own.call("POST", "/tickets", ""); a.status != 201 {
			t.Errorf("%s: its own drop then answers %d %s", name, a.status, a.body)
		}
	}
}

// A socket that is not read ends when too much waits for it. The others go on.
func TestDropSlowReader(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_DROP_MEMORY=16777216")
	host := openDrop(t, s, newAddress())
	good := host.guest(newAddress())
	slow := &rawDrop{t: t, s: s, from: newAddress(), name: host.name}
	a := s.raw(t, slow.from, "POST", "/v1/drops/"+host.name+"/join", "{}")
	var o struct {
		Token string `json:"guest_token"`
		RID   string `json:"rid"`
	}
	if err := json.Unmarshal([]byte(a.body), &o); err != nil {
		t.Fatal(err)
	}
	slow.token, slow.rid = o.Token, o.RID
	conn, _, err := slow.dial("", slow.auth(), "coffer.drop.v1") // nothing is read from it
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	host.want("join", "rid", slow.rid)
	host.say(map[string]any{"t": "admit", "rid": slow.rid})
	good.want("member", "rid", slow.rid)
	before := s.memory(t, "VmRSS")
	body := map[string]any{"x": strings.Repeat("x", 40<<10)}
	refused := 0
	for n := range 600 { // 24 MiB
		good.message(slow.rid, body)
		if n%50 == 49 { // the rate
			time.Sleep(400 * time.Millisecond)
		}
	}
	good.message(host.rid, map[string]any{"last": true})
	host.want("msg", "from", good.rid)
	for len(good.frames) > 0 {
		if f := good.next(); f["t"] == "error" {
			refused++
		}
	}
	if refused < 300 {
		t.Errorf("of 600 messages to a member that does not read %d were refused", refused)
	}
	if grown := s.memory(t, "VmRSS") - before; grown > 64<<20 {
		t.Errorf("the server grew by %d MiB", grown>>20)
	}
}

// A drop ends when its host stays away, when it expires, and not before.
func TestDropEnds(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_DROP_GRACE=2s", "COFFER_DROP_TTL=6s")
	host := openDrop(t, s, newAddress())
	guest := host.guest(newAddress())
	host.conn.CloseNow()
	guest.want("member", "rid", host.rid, "here", false)
	host.connect() // within the grace
	guest.want("member", "rid", host.rid, "here", true)
	began := time.Now()
	host.conn.CloseNow()
	guest.want("closed", "code", "host_gone")
	if gone := time.Since(began); gone < 1500*time.Millisecond {
		t.Errorf("after %s", gone)
	}
	if a := s.raw(t, newAddress(), "GET", "/v1/drops/"+host.name, ""); a.status != 404 {
		t.Errorf("look: %d", a.status)
	}
	if a := host.call("POST", "/tickets", ""); a.status != 404 {
		t.Errorf("the host's token: %d %s", a.status, a.body)
	}
	if a := s.raw(t, newAddress(), "POST", "/v1/drops/"+host.name+"/join", "{}"); a.status != 404 {
		t.Errorf("join: %d %s", a.status, a.body)
	}
	began = time.Now()
	host = openDrop(t, s, newAddress())
	host.want("closed", "code", "expired")
	if lived := time.Since(began); lived < 4*time.Second {
		t.Errorf("it lived %s", lived)
	}
}

// After a drop has closed, neither log nor database has its name, a token, a rid or what its
// members sent.
func TestDropLeavesNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_LOG_LEVEL=debug")
		host := openDrop(t, s, newAddress())
		if a := s.raw(t, newAddress(), "GET", "/v1/drops/"+host.name, ""); a.status != 200 {
			t.Fatalf("look: %d %s", a.status, a.body)
		}
		guest := host.guest(newAddress())
		guest.message(host.rid, map[string]any{"k": "sealed", "d": "canarymessagecanarymessage"})
		host.want("msg", "from", guest.rid)
		ticket := guest.call("POST", "/tickets", "")
		var o struct{ Ticket string }
		if err := json.Unmarshal([]byte(ticket.body), &o); err != nil {
			t.Fatal(err)
		}
		if conn, _, err := guest.dial("?ticket="+o.Ticket, nil, "coffer.drop.v1"); err != nil {
			t.Fatal(err)
		} else {
			guest.attach(conn)
			guest.want("welcome")
		}
		id := guest.ask(host.item())
		host.want("request", "transfer", id)
		res := guest.stream(id)
		host.accept(1, 64<<10)
		host.want("credit")
		host.write(websocket.MessageBinary, chunk(1, []byte(strings.Repeat("canarychunk", 40))))
		host.say(map[string]any{"t": "finish", "n": 1})
		for {
			kind, _, err := frameOf(res.Body)
			if err != nil {
				t.Fatal(err)
			}
			if kind == 3 {
				break
			}
		}
		host.want("end", "code", "delivered")
		host.write(websocket.MessageText, []byte(`{"t":"nonsense canarynonsense"}`))
		host.closes()
		if a := host.call("GET", "/socket?canaryquery=1", ""); a.status != 400 {
			t.Errorf("%d", a.status)
		}
		if a := host.call("DELETE", "", ""); a.status != 204 {
			t.Fatalf("close: %d %s", a.status, a.body)
		}
		guest.want("closed")
		s.stop()
		secrets := []string{host.name, host.token, guest.token, host.rid, guest.rid, id, o.Ticket, "canarymessage", "canarychunk", "canarynonsense", "canaryquery"}
		stored := map[string][]byte{"the log": []byte(s.out.String())}
		if in.name == alone.name {
			copied := filepath.Join(t.TempDir(), "rows.db") // without the pages that are free
			if _, err := s.database(t).Exec(`VACUUM INTO '` + copied + `'`); err != nil {
				t.Fatal(err)
			}
			b, err := os.ReadFile(copied)
			if err != nil || !strings.Contains(string(b), "drop_members") {
				t.Fatalf("%d bytes, %v", len(b), err)
			}
			stored["the database"] = b
		} else {
			stored["the database"] = dumpPostgres(t, s.setting("COFFER_DATABASE_URL"))
			stored["Redis"] = dumpRedis(t, s.setting("COFFER_REDIS_URL"))
		}
		for where, b := range stored {
			for _, secret := range secrets {
				if strings.Contains(string(b), secret) {
					t.Errorf("%s has %q", where, secret)
				}
			}
		}
	})
}
