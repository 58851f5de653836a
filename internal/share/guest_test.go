package share

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
)

// TestGuestReads: a folder at a link, its pages, a file, ranges, and the zip.
func TestGuestReads(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.folder("", "Holiday")
		below := w.folder(folder, "Ümläut")
		body := pattern(200_000)
		w.upload(below, "a b+c%2e.bin", body)
		w.upload(folder, "z.txt", "z")
		sh := w.share(folder, Read, `,"note":"Enjoy"`)
		v := good[Visit](w, w.guest(sh.Token, "GET", "", ""), 200)
		if v.Kind != Read || v.Name != "Holiday" || v.Note != "Enjoy" || v.Owner != "Ada" || v.NeedsPassword || v.Entry.Kind != "folder" || v.DownloadsLeft != nil {
			t.Errorf("%+v", v)
		}
		one := good[Visit](w, w.guest(sh.Token, "GET", "?limit=1", ""), 200)
		two := good[Visit](w, w.guest(sh.Token, "GET", "?limit=1&cursor="+one.NextCursor, ""), 200)
		if len(v.Items) != 2 || !cmp.Equal(v.Items, append(one.Items, two.Items...)) || two.NextCursor != "" {
			t.Errorf("%+v, %+v, %+v", v.Items, one, two)
		}
		const path = "?path=%C3%9Cml%C3%A4ut/a%20b%2Bc%252e.bin"
		v = good[Visit](w, w.guest(sh.Token, "GET", path, ""), 200)
		if v.Name != "Holiday" || v.Entry.Name != "a b+c%2e.bin" || v.Entry.Size != 200_000 || len(v.Items) != 0 {
			t.Errorf("%+v", v)
		}
		a := w.guest(sh.Token, "GET", "/content"+path, "")
		if string(a.body) != body || a.Header.Get("Content-Security-Policy") != "sandbox; default-src 'none'" || a.Header.Get("X-Robots-Tag") != "noindex" ||
			!strings.Contains(a.Header.Get("Cache-Control"), "no-store") || a.Header.Get("Referrer-Policy") != "no-referrer" {
			t.Errorf("%d bytes, %v", len(a.body), a.Header)
		}
		if a := w.guest(sh.Token, "GET", "/content"+path, "", "Range", "bytes=10-19"); string(a.body) != body[10:20] || a.StatusCode != 206 {
			t.Errorf("%d %q", a.StatusCode, a.body)
		}
		if a := w.guest(sh.Token, "HEAD", "/content"+path, ""); a.StatusCode != 200 || a.ContentLength != 200_000 {
			t.Errorf("HEAD: %d, %d bytes", a.StatusCode, a.ContentLength)
		}
		a = w.guest(sh.Token, "GET", "/archive", "")
		if got := unzip(t, a.body, "Holiday/Ümläut/a b+c%2e.bin"); string(got) != body {
			t.Errorf("%d bytes in the zip", len(got))
		}
		a = w.guest(sh.Token, "GET", "/archive?path=%C3%9Cml%C3%A4ut", "")
		if got := unzip(t, a.body, "Ümläut/a b+c%2e.bin"); string(got) != body || !strings.Contains(a.Header.Get("Content-Disposition"), "filename*=UTF-8''%C3%9Cml%C3%A4ut.zip") {
			t.Errorf("%d bytes in the zip, %v", len(got), a.Header)
		}
		w.is(w.guest(sh.Token, "GET", "/content", ""), 404, "share_not_found") // of a folder
		w.is(w.guest(sh.Token, "GET", "/thumbnail?path=z.txt", ""), 404, "no_thumbnail")
		// No id of the owner's is in an answer.
		for _, path := range []string{"", "?path=z.txt"} {
			for _, id := range []string{folder, below, string(w.ada), sh.ID} {
				if a := w.guest(sh.Token, "GET", path, ""); strings.Contains(string(a.body), id) {
					t.Errorf("%s shows an id: %s", path, a.body)
				}
			}
		}
		var actions []string
		for _, u := range good[rest.Page[Use]](w, w.call(w.ada, "GET", "/shares/"+sh.ID+"/uses", ""), 200).Items {
			actions = append(actions, u.Action+" "+u.Path+" "+u.Device+" "+u.Place)
		}
		const tail = " Firefox on Linux Utrecht"
		want := []string{"archive Ümläut" + tail, "archive " + tail, "download Ümläut/a b+c%2e.bin" + tail, "download Ümläut/a b+c%2e.bin" + tail}
		slices.Sort(actions)
		slices.Sort(want)
		if diff := cmp.Diff(want, actions); diff != "" {
			t.Error(diff)
		}
	})
}

// TestPathsStayBelow: no spelling of a path leaves what is shared.
func TestPathsStayBelow(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	private := w.upload("", "private.txt", "secret")
	folder := w.folder("", "d")
	inner := w.folder(folder, "é") // composed
	w.upload(inner, "a.txt", "hello")
	file := w.upload(folder, "b.txt", "hello")
	sh, one := w.share(folder, Read, ""), w.share(file, Read, "")
	if a := w.guest(sh.Token, "GET", "/content?path=%C3%A9/a.txt", ""); string(a.body) != "hello" {
		t.Fatalf("%d %s", a.StatusCode, a.body)
	}
	paths := []string{
		"..", "../", "../private.txt", "%2e%2e/private.txt", "%2e%2e%2fprivate.txt", "..%2fprivate.txt", "%252e%252e%252fprivate.txt", "..%252fprivate.txt", "%25252e%25252e",
		"..%5cprivate.txt", "..\\private.txt", "%C3%A9/../../private.txt", "%C3%A9/..", ".", "./b.txt", "%C3%A9/./a.txt", "/", "//", "/b.txt", "b.txt/", "%C3%A9//a.txt", "/etc/passwd",
		"b.txt%00", "%00", "b.txt%00/../../private.txt", "..%00/private.txt", "..;/private.txt", "%c0%ae%c0%ae/private.txt", "%e0%80%ae%e0%80%ae/private.txt", "%uff0e%uff0e/private.txt",
		"%EF%BC%8E%EF%BC%8E/private.txt", "..%c0%afprivate.txt", "e%CC%81/a.txt", "B.TXT", "b.txt%20", "%20b.txt", "b.txt.", private, file, inner, folder, "b.txt/a", "%C3%A9/a.txt/..",
		"....//private.txt", "..../private.txt", "~/private.txt", "file:///etc/passwd", "C:\\b.txt", "d/b.txt", "private.txt", "%C3%A9%2f%2e%2e%2f%2e%2e%2fprivate.txt",
		strings.Repeat("%C3%A9/../", 40) + "b.txt", strings.Repeat("a/", 2000), strings.Repeat("x", 9000),
	}
	for _, p := range paths {
		for _, at := range []string{"?path=", "/content?path=", "/archive?path=", "/thumbnail?path="} {
			a := w.guest(sh.Token, "GET", at+strings.ReplaceAll(p, "\\", "%5C"), "")
			if a.StatusCode != 404 && a.StatusCode != 400 && a.StatusCode != 422 && a.StatusCode != 431 || strings.Contains(string(a.body), "secret") {
				t.Errorf("%s%s: %d %s", at, p, a.StatusCode, a.body)
			}
		}
		if a := w.guest(one.Token, "GET", "/content?path="+strings.ReplaceAll(p, "\\", "%5C"), ""); a.StatusCode < 400 {
			t.Errorf("below a file, %s: %d %s", p, a.StatusCode, a.body)
		}
	}
	// A text in the place of the secret is no path either.
	for _, token := range []string{sh.Token[:21], sh.Token + "A", sh.Token[:20], sh.Token + "%00", "..", "%2e%2e", strings.ToLower(sh.Token) + "x", sh.ID, sh.Token + "=", sh.Token + "=="} {
		if a := w.guest(token, "GET", "", ""); a.StatusCode == 200 {
			t.Errorf("%s: %d %s", token, a.StatusCode, a.body)
		}
	}
	// The last letter of a secret has four bits that count: each other spelling of them is none.
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for _, c := range letters {
		if token := sh.Token[:21] + string(c); token != sh.Token {
			w.is(w.guest(token, "GET", "", ""), 404, "share_not_found")
		}
	}
}

// TestMutatingVerbs: a guest changes nothing by any method.
func TestMutatingVerbs(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder := w.folder("", "d")
	w.upload(folder, "a.txt", "hello")
	sh := w.share(folder, Read, "")
	for _, method := range []string{"POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "MOVE", "COPY", "MKCOL", "TRACE"} {
		for _, path := range []string{"", "?path=a.txt", "/content?path=a.txt", "/archive", "/thumbnail?path=a.txt", "/files", "/unlock", "/a.txt", "/shares", "/files/a.txt"} {
			if method == "POST" && (path == "/unlock" || path == "/files") {
				continue
			}
			a := w.guest(sh.Token, method, path, `{"name":"mine"}`, "X-HTTP-Method-Override", "DELETE", "Destination", "/v1/public/shares/"+sh.Token+"/b.txt")
			if a.StatusCode != 404 && a.StatusCode != 405 {
				t.Errorf("%s %s: %d %s", method, path, a.StatusCode, a.body)
			}
		}
	}
	w.is(w.handIn(sh.Token, nil, "evil.txt", "x"), 404, "share_not_found") // a link that reads takes nothing
	if diff := cmp.Diff([]string{"a.txt"}, w.names(folder)); diff != "" {
		t.Error(diff)
	}
	// A link that takes shows nothing.
	taking := w.share(folder, Request, "")
	if a := w.guest(taking.Token, "GET", "", ""); a.StatusCode != 200 || strings.Contains(string(a.body), "a.txt") || strings.Contains(string(a.body), `"entry"`) {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	for _, path := range []string{"?path=a.txt", "/content?path=a.txt", "/content", "/archive", "/thumbnail?path=a.txt"} {
		w.is(w.guest(taking.Token, "GET", path, ""), 404, "share_not_found")
	}
}

// cookieOf returns the cookie of an answer, as a request has it.
func cookieOf(a reply, name string) string {
	for _, c := range a.Cookies() {
		if c.Name == name {
			return c.Name + "=" + c.Value
		}
	}
	return ""
}

// TestPassword: without the cookie of its password a link tells nothing, at no operation.
func TestPassword(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.folder("", "canary")
		w.upload(folder, "a.txt", "hello")
		sh := w.share(folder, Read, `,"password":"open sesame","note":"canary"`)
		other := w.share(folder, Read, `,"password":"open sesame"`)
		taking := w.share(folder, Request, `,"password":"open sesame"`)
		closed := func(token, cookie string) {
			t.Helper()
			for _, path := range []string{"", "?path=a.txt", "?path=absent", "/content?path=a.txt", "/content?path=absent", "/archive", "/thumbnail?path=a.txt"} {
				a := w.guest(token, "GET", path, "", "Cookie", cookie)
				if w.is(a, 401, "share_password_required"); strings.Contains(string(a.body), "canary") {
					t.Errorf("%s tells: %s", path, a.body)
				}
			}
		}
		closed(sh.Token, "")
		w.is(w.handIn(taking.Token, nil, "b.txt", "x"), 401, "share_password_required")
		w.is(w.guest(sh.Token, "POST", "/unlock", `{"password":"open Sesame"}`), 403, "wrong_password")
		a := w.guest(sh.Token, "POST", "/unlock", `{"password":"open sesame"}`)
		set := a.Header.Get("Set-Cookie")
		if a.StatusCode != 204 || !strings.Contains(set, "; Path=/v1/public/shares/"+sh.Token+";") || !strings.Contains(set, "HttpOnly; Secure; SameSite=Strict") || strings.Contains(set, "Domain") {
			t.Fatalf("%d %q", a.StatusCode, set)
		}
		cookie := cookieOf(a, passCookie)
		if a := w.guest(sh.Token, "GET", "/content?path=a.txt", "", "Cookie", cookie); string(a.body) != "hello" {
			t.Errorf("with the cookie: %d %s", a.StatusCode, a.body)
		}
		// The cookie of one link opens no other, and neither does a part of it or another time.
		closed(other.Token, cookie)
		w.is(w.guest(taking.Token, "GET", "", "", "Cookie", cookie), 401, "share_password_required")
		closed(sh.Token, cookie[:len(cookie)-2])
		closed(sh.Token, passCookie+"=_"+cookie[len(passCookie)+2:])
		closed(sh.Token, passCookie+"=")
		w.below.Advance(unlockTTL)
		closed(sh.Token, cookie)
		cookie = cookieOf(w.guest(sh.Token, "POST", "/unlock", `{"password":"open sesame"}`), passCookie)
		// The same password set again is another one.
		w.call(w.ada, "PATCH", "/shares/"+sh.ID, `{"password":"open sesame"}`)
		closed(sh.Token, cookie)
		w.call(w.ada, "PATCH", "/shares/"+sh.ID, `{"password":null}`)
		if a := w.guest(sh.Token, "GET", "", ""); a.StatusCode != 200 {
			t.Errorf("without a password: %d %s", a.StatusCode, a.body)
		}
		if a := w.guest(sh.Token, "POST", "/unlock", `{"password":"x"}`); a.StatusCode != 204 || a.Header.Get("Set-Cookie") != "" {
			t.Errorf("unlock without a password: %d %v", a.StatusCode, a.Header)
		}
	})
}

// TestPasswordLimits: a link takes ten wrong passwords from an address in a quarter of an hour,
// and 200 from all in an hour. Who is in stays in.
func TestPasswordLimits(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	doc := w.upload("", "a.txt", "hello")
	sh, other := w.share(doc, Read, `,"password":"open sesame"`), w.share(doc, Read, `,"password":"open sesame"`)
	in := cookieOf(w.guest(sh.Token, "POST", "/unlock", `{"password":"open sesame"}`), passCookie)
	for range passwordLimit.Limit {
		w.is(w.guest(sh.Token, "POST", "/unlock", `{"password":"wrong"}`), 403, "wrong_password")
	}
	a := w.guest(sh.Token, "POST", "/unlock", `{"password":"open sesame"}`)
	if w.is(a, 429, "rate_limited"); a.Header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	if a := w.guest(sh.Token, "GET", "/content", "", "Cookie", in); string(a.body) != "hello" {
		t.Errorf("who is in: %d %s", a.StatusCode, a.body)
	}
	if a := w.guest(other.Token, "POST", "/unlock", `{"password":"open sesame"}`); a.StatusCode != 204 {
		t.Errorf("another link: %d %s", a.StatusCode, a.body)
	}
	w.below.Advance(2 * passwordLimit.Window)
	if a := w.guest(sh.Token, "POST", "/unlock", `{"password":"open sesame"}`); a.StatusCode != 204 {
		t.Errorf("later: %d %s", a.StatusCode, a.body)
	}
	// From all addresses together.
	v, _ := readByToken(t.Context(), w.DB, digest(sh.Token))
	for w.Limit.Take(t.Context(), linkLimit, v.ID) == nil {
	}
	w.is(w.guest(sh.Token, "POST", "/unlock", `{"password":"open sesame"}`), 429, "rate_limited")
}

// TestDownloadsCountExactly: of many downloads at once on two nodes as many pass as may.
func TestDownloadsCountExactly(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.folder("", "d")
		w.upload(folder, "a.txt", "hello")
		sh := w.share(folder, Read, `,"max_downloads":7`)
		var passed atomic.Int64
		var all sync.WaitGroup
		for i := range 50 {
			all.Go(func() {
				path := []string{"/content?path=a.txt", "/archive", "/content?path=a.txt"}[i%3]
				var header []string
				if i%3 == 2 {
					header = []string{"Range", "bytes=0-0", ticketHeader, newToken()} // a ticket of the guest's own
				}
				a, err := w.do(i%2, "", "GET", "/public/shares/"+sh.Token+path, nil, header...)
				switch {
				case err != nil:
					t.Error(err)
				case a.StatusCode == 200 || a.StatusCode == 206:
					passed.Add(1)
				case a.code() != "share_not_found":
					t.Errorf("%d %s", a.StatusCode, a.body)
				}
			})
		}
		all.Wait()
		s := good[Share](w, w.call(w.ada, "GET", "/shares/"+sh.ID, ""), 200)
		if passed.Load() != 7 || s.Downloads != 7 || s.State != "used_up" || w.rows("share_uses") != 7 {
			t.Errorf("%d passed, %d are counted, state %s, %d lines in the log", passed.Load(), s.Downloads, s.State, w.rows("share_uses"))
		}
	})
}

// TestTickets: ranges with the ticket of a counted download belong to it, up to four times the
// bytes. Nothing else does.
func TestTickets(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		folder := w.folder("", "d")
		body := pattern(1000)
		w.upload(folder, "a.bin", body)
		w.upload(folder, "b.bin", body)
		sh, other := w.share(folder, Read, ""), w.share(folder, Read, "")
		counts := func(want int64, what, token, path string, header ...string) reply {
			t.Helper()
			downloads := func() int64 {
				r, err := readByToken(t.Context(), d, digest(token))
				if err != nil {
					t.Fatal(err)
				}
				return r.Downloads
			}
			before := downloads()
			a := w.guest(token, "GET", path, "", header...)
			if got := downloads() - before; got != want {
				t.Errorf("%s: counted %d, want %d; %d %.80s", what, got, want, a.StatusCode, a.body)
			}
			return a
		}
		const a, b = "/content?path=a.bin", "/content?path=b.bin"
		first := counts(1, "the first", sh.Token, a)
		ticket, cookie, etag := first.Header.Get(ticketHeader), cookieOf(first, ticketCookie), first.Header.Get("ETag")
		if !strings.HasSuffix(cookie, "="+ticket) || !isToken(ticket) {
			t.Fatalf("%q, %q", ticket, cookie)
		}
		if got := counts(0, "a range with the header", sh.Token, a, ticketHeader, ticket, "Range", "bytes=500-"); string(got.body) != body[500:] || got.StatusCode != 206 {
			t.Errorf("%d, %d bytes", got.StatusCode, len(got.body))
		}
		counts(0, "a range with the cookie", sh.Token, a, "Cookie", cookie, "Range", "bytes=0-499")
		counts(0, "conditions", sh.Token, a, "If-None-Match", etag)
		counts(0, "no such range", sh.Token, a, "Range", "bytes=5000-")
		counts(0, "a failed condition", sh.Token, a, "If-Match", `"other"`)
		counts(0, "two ranges", sh.Token, a, ticketHeader, ticket, "Range", "bytes=0-99,200-299")
		counts(1, "a range without it", sh.Token, a, "Range", "bytes=500-")
		counts(1, "the whole", sh.Token, b, ticketHeader, ticket)
		counts(0, "a range of a second content under the same ticket", sh.Token, b, ticketHeader, ticket, "Range", "bytes=1-")
		counts(1, "another link's ticket", other.Token, a, ticketHeader, ticket, "Range", "bytes=500-")
		counts(1, "an If-Range that fails", sh.Token, a, ticketHeader, ticket, "Range", "bytes=500-", "If-Range", `"other"`)
		// Of the 8,000 bytes of two counted downloads of a.bin under the ticket 3,200 are sent.
		for range 4 {
			counts(0, "what is left", sh.Token, a, ticketHeader, ticket, "Range", "bytes=0-999")
		}
		counts(0, "the last", sh.Token, a, ticketHeader, ticket, "Range", "bytes=0-799")
		counts(1, "more than four times", sh.Token, a, ticketHeader, ticket, "Range", "bytes=0-0")
		w.below.Advance(ticketTTL)
		counts(1, "a day later", sh.Token, b, ticketHeader, ticket, "Range", "bytes=1-")
		if a := w.guest(sh.Token, "HEAD", a, ""); a.StatusCode != 200 || a.Header.Get(ticketHeader) != "" {
			t.Errorf("HEAD: %d %v", a.StatusCode, a.Header)
		}

		// The last download that is allowed goes on; nothing else does.
		last := w.share(folder, Read, `,"max_downloads":1`)
		ticket = counts(1, "the last", last.Token, a).Header.Get(ticketHeader)
		counts(0, "its range", last.Token, a, ticketHeader, ticket, "Range", "bytes=500-")
		for what, header := range map[string][]string{"its whole": {ticketHeader, ticket}, "a range": {"Range", "bytes=0-"}, "a condition": {"If-None-Match", etag}} {
			w.is(counts(0, what, last.Token, a, header...), 404, "share_not_found")
		}
		w.is(counts(0, "its list", last.Token, ""), 404, "share_not_found")
		w.is(counts(0, "its zip", last.Token, "/archive"), 404, "share_not_found")
	})
}

// TestTicketRace: ranges at once do not send more under a ticket than it is good for.
func TestTicketRace(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		sh := w.share(w.upload("", "a.bin", pattern(1000)), Read, `,"max_downloads":1`)
		ticket := w.guest(sh.Token, "GET", "/content", "").Header.Get(ticketHeader) // 3,000 are left
		var passed atomic.Int64
		var all sync.WaitGroup
		for i := range 40 {
			all.Go(func() {
				a, err := w.do(i%2, "", "GET", "/public/shares/"+sh.Token+"/content", nil, ticketHeader, ticket, "Range", "bytes=0-249")
				if err != nil {
					t.Error(err)
				} else if a.StatusCode == 206 {
					passed.Add(1)
				}
			})
		}
		all.Wait()
		if passed.Load() != 12 {
			t.Errorf("%d ranges of 250 bytes passed, want 12", passed.Load())
		}
	})
}

// TestLostContentIsNoDownload: what cannot be sent does not count.
func TestLostContentIsNoDownload(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	sh := w.share(w.upload("", "a.bin", pattern(100_000)), Read, `,"max_downloads":1`)
	if _, err := w.DB.Exec(t.Context(), `UPDATE blobs SET wrapped = $1`, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if a := w.guest(sh.Token, "GET", "/content", ""); a.StatusCode != 500 || a.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d %v", a.StatusCode, a.Header)
	}
	s := good[Share](w, w.call(w.ada, "GET", "/shares/"+sh.ID, ""), 200)
	if s.Downloads != 0 || s.State != "open" || w.rows("share_uses") != 0 {
		t.Errorf("%+v, %d lines in the log", s, w.rows("share_uses"))
	}
}

// TestRunningIsCut: each end of a link cuts the download, the zip and the upload that run by
// it. A client that has got the first bytes never gets the last, and an upload leaves nothing.
func TestRunningIsCut(t *testing.T) {
	for name, end := range reasons {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dbtest.SQLite(t))
			above := w.folder("", "above")
			folder := w.folder(above, "d")
			const size = 24 << 20 // more than sockets hold
			w.upload(folder, "a.bin", strings.Repeat("0123456789abcdef", size/16))
			sh, taking := w.share(folder, Read, `,"max_downloads":2`), w.share(folder, Request, "")
			var bodies []io.ReadCloser
			for _, path := range []string{"/content?path=a.bin", "/archive"} {
				res, err := http.Get(w.urls[1] + "/v1/public/shares/" + sh.Token + path)
				if err != nil {
					t.Fatal(err)
				}
				defer res.Body.Close()
				if _, err := io.ReadFull(res.Body, make([]byte, 1000)); err != nil || res.StatusCode != 200 {
					t.Fatal(res.Status, err)
				}
				bodies = append(bodies, res.Body)
			}
			upload, sent := io.Pipe()
			boundary := make(chan string, 1)
			answered := make(chan string, 1)
			body, contentType := form(nil, "late.txt", strings.Repeat("x", 100_000))
			boundary <- contentType
			go func() {
				req, _ := http.NewRequestWithContext(context.Background(), "POST", w.urls[1]+"/v1/public/shares/"+taking.Token+"/files", upload)
				req.Header.Set("Content-Type", <-boundary)
				res, err := http.DefaultClient.Do(req)
				if err != nil {
					answered <- "cut"
					return
				}
				defer res.Body.Close()
				b, _ := io.ReadAll(res.Body)
				answered <- strconv.Itoa(res.StatusCode) + string(b)
			}()
			if _, err := sent.Write(body.Bytes()[:50_000]); err != nil { // the server reads
				t.Fatal(err)
			}
			end(w, sh, folder)
			if name == "stopped" || name == "blocked" || name == "expired" || name == "another password" {
				end(w, taking, folder)
			}
			for i, b := range bodies {
				n, err := io.Copy(io.Discard, slow{b})
				if err == nil || n > size-100_000 {
					t.Errorf("answer %d: %d bytes, %v", i, n, err)
				}
			}
			select {
			case got := <-answered:
				full := name == "the owner is over the quota" && strings.HasPrefix(got, "413") // the store saw it first
				if got != "cut" && !strings.HasPrefix(got, "404") && !full {
					t.Errorf("the upload: %s", got)
				}
			case <-time.After(time.Minute):
				t.Error("the upload goes on")
			}
			sent.Close()
			var n int64
			if err := w.DB.QueryRow(t.Context(), `SELECT COUNT(*) FROM files WHERE kind = 'file'`).Scan(&n); err != nil || n > 1 {
				t.Errorf("%d files, %v", n, err)
			}
		})
	}
}

// slow reads little at a time, so that an answer does not hide in the buffers of sockets.
type slow struct{ r io.Reader }

func (s slow) Read(p []byte) (int, error) {
	time.Sleep(2 * time.Millisecond)
	return s.r.Read(p[:min(len(p), 16<<10)])
}

// TestMovedOutIsNotInTheZip: what leaves a shared folder while its zip is made is not in it.
func TestMovedOutIsNotInTheZip(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	folder := w.folder("", "d")
	inner := w.folder(folder, "inner")
	w.upload(inner, "big.bin", pattern(1<<20))
	secret := w.upload(inner, "a.txt", "secret")
	e, _, send, err := w.Files.ArchiveAt(t.Context(), w.ada, folder, "")
	if err != nil || e.ID != folder {
		t.Fatal(err)
	}
	b := &leaving{leave: func() { w.call(w.ada, "PATCH", "/files/"+inner, `{"parent":null}`) }}
	if err := send(t.Context(), b, func(context.Context) error { return nil }); err != nil || strings.Contains(b.String(), "secret") {
		t.Errorf("%v; the zip has what left", err)
	}
	if _, err := w.Files.At(t.Context(), w.ada, folder, "inner"); err == nil {
		t.Error("what left is at its path still")
	}
	if a := w.call(w.ada, "GET", "/files/"+secret+"/content", ""); string(a.body) != "secret" {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
}

// leaving calls leave when the first bytes come.
type leaving struct {
	strings.Builder
	leave func()
}

func (l *leaving) Write(p []byte) (int, error) {
	if l.Len() == 0 {
		l.leave()
	}
	return l.Builder.Write(p)
}

// TestLostAnswer: an answer that does not change does not outlive its link by a cache.
func TestLostAnswer(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	sh := w.share(w.upload("", "a.txt", "hello"), Read, "")
	for _, path := range []string{"", "/content", "/archive"} {
		if a := w.guest(sh.Token, "GET", path, ""); !strings.Contains(a.Header.Get("Cache-Control"), "no-store") {
			t.Errorf("%s: %v", path, a.Header)
		}
	}
}
