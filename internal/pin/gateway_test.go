package pin

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/ipfs"
)

// car reads an archive, whose blocks have their digests.
func (w *world) car(a reply) (roots, blocks []string) {
	w.t.Helper()
	if a.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %d %s", a.Request.URL, a.StatusCode, a.body)
	}
	r, err := ipfs.NewCARReader(bytes.NewReader(a.body), 2<<20)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range r.Roots() {
		roots = append(roots, c.String())
	}
	for {
		b, err := r.Next()
		if err == io.EOF {
			return roots, blocks
		}
		if err != nil {
			w.t.Fatal(err)
		}
		blocks = append(blocks, b.CID.String())
	}
}

// TestGateway reads a public folder in every way, and with every wrong one.
func TestGateway(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		id, want := w.tree()
		p := w.verified(id, `"encrypt":false,`+atKubo)
		root := "/ipfs/" + *p.CID
		get := func(path string, header ...string) reply { t.Helper(); return w.do("", "GET", path, "", header...) }
		cid := func(path string) string {
			t.Helper()
			roots := strings.Split(get(root+path+"?format=raw").Header.Get("X-Ipfs-Roots"), ",")
			return roots[len(roots)-1]
		}

		a := get(root, "Accept", "application/vnd.ipld.raw")
		c, _ := ipfs.Parse(*p.CID)
		if ipfs.Sum(c.Codec, a.body) != c || a.Header.Get("Content-Type") != typeRaw || a.Header.Get("ETag") != `"`+*p.CID+`.raw"` ||
			a.Header.Get("Cache-Control") != immutable || a.Header.Get("X-Content-Type-Options") != "nosniff" || a.Header.Get("X-Ipfs-Path") != root ||
			a.Header.Get("Access-Control-Allow-Origin") != "*" || a.Header.Get("Cross-Origin-Resource-Policy") != "cross-origin" || len(a.Header.Values("Set-Cookie")) != 0 ||
			a.Header.Get("Content-Disposition") != `attachment; filename="`+*p.CID+`.bin"` || a.Header.Get("Content-Location") != root+"?format=raw" {
			t.Errorf("%d %v", a.StatusCode, a.Header)
		}
		if a := get(root, "Accept", "application/vnd.ipld.raw", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Dest", "empty", "Sec-Fetch-Mode", "cors", "Origin", "https://elsewhere.example"); a.StatusCode != http.StatusOK {
			t.Errorf("a page of another site: %d %s", a.StatusCode, a.body)
		}
		for _, tag := range []string{a.Header.Get("ETag"), "W/" + a.Header.Get("ETag"), `"x", ` + a.Header.Get("ETag"), "*"} {
			if b := get(root+"?format=raw", "If-None-Match", tag); b.StatusCode != http.StatusNotModified || len(b.body) != 0 {
				t.Errorf("If-None-Match %s: %d", tag, b.StatusCode)
			}
		}
		if h := w.do("", "HEAD", root+"/photos/big?format=raw", ""); h.StatusCode != http.StatusOK || h.ContentLength <= 0 || len(h.body) != 0 {
			t.Errorf("HEAD: %d, %d", h.StatusCode, h.ContentLength)
		}

		big := cid("/photos/big")
		_, leaves := w.car(get("/ipfs/" + big + "?format=car"))
		if len(leaves) != 4 || leaves[0] != big {
			t.Errorf("a file of three leaves: %v", leaves)
		}
		archive := func(query string, blocks ...string) {
			t.Helper()
			a := get(root + query)
			roots, got := w.car(a)
			if len(roots) != 1 || roots[0] != *p.CID || fmt.Sprint(got) != fmt.Sprint(blocks) {
				t.Errorf("%s: %v %v, want %v", query, roots, got, blocks)
			}
			if h := w.do("", "HEAD", root+query, ""); h.Header.Get("ETag") != a.Header.Get("ETag") || h.Header.Get("Content-Type") != a.Header.Get("Content-Type") {
				t.Errorf("%s: HEAD has other headers", query)
			}
		}
		photos, text, none, empty := cid("/photos"), cid("/a.txt"), cid("/none"), cid("/photos/empty")
		archive("?format=car", *p.CID, text, none, photos, big, leaves[1], leaves[2], leaves[3], empty)
		archive("?format=car&car-dups=y", *p.CID, text, none, photos, big, leaves[1], leaves[2], leaves[3], empty, text)
		archive("/photos/big?format=car", *p.CID, photos, big, leaves[1], leaves[2], leaves[3])
		archive("/photos?format=car&dag-scope=block", *p.CID, photos)
		archive("/photos?format=car&dag-scope=entity", *p.CID, photos)
		archive("/photos/big?format=car&dag-scope=block", *p.CID, photos, big)
		archive("/photos/big?format=car&dag-scope=entity", *p.CID, photos, big, leaves[1], leaves[2], leaves[3])
		archive("/photos/big?format=car&entity-bytes=0:0", *p.CID, photos, big, leaves[1])
		archive("/photos/big?format=car&entity-bytes=1048575:1048576", *p.CID, photos, big, leaves[1], leaves[2])
		archive("/photos/big?format=car&entity-bytes=-1:*", *p.CID, photos, big, leaves[3])
		archive("/photos/big?format=car&entity-bytes=1048576:-200000", *p.CID, photos, big, leaves[2])
		archive("/photos/big?format=car&entity-bytes=9000000:9000001", *p.CID, photos, big)
		archive("/photos?format=car&entity-bytes=0:5", *p.CID, photos)
		if a := get(root+"/photos/big?entity-bytes=0:0&filename=b", "Accept", typeCAR+";dups=y"); a.Header.Get("Content-Location") != root+"/photos/big?car-dups=y&entity-bytes=0%3A0&filename=b&format=car" {
			t.Errorf("it lies at %s", a.Header.Get("Content-Location"))
		}
		if a := get(root+"/a.txt", "Accept", "text/html;q=0.1, application/vnd.ipld.car;version=1;order=dfs;dups=y"); a.Header.Get("Content-Type") != typeCAR+"; version=1; order=dfs; dups=y" {
			t.Errorf("%v", a.Header)
		}

		for path, code := range map[string]int{
			root: 400, root + "?format=tar": 406, root + "?format=ipns-record": 406, "/ipfs/x?format=raw": 400, "/ipfs/bafyaa?format=raw": 400,
			root + "?format=car&dag-scope=some": 400, root + "?format=car&entity-bytes=1": 400, root + "?format=car&entity-bytes=a:b": 400,
			root + "?format=car&car-version=2": 406, root + "?format=car&car-dups=x": 406,
			root + "/nothing?format=raw": 404, root + "/a.txt/b?format=car": 404, root + "/photos/../a.txt?format=raw": 200,
			"/ipfs/" + ipfs.Sum(ipfs.Raw, []byte("not here")).String() + "?format=raw": 404,
		} {
			if a := get(path); a.StatusCode != code || code >= 400 && !strings.HasPrefix(a.Header.Get("Content-Type"), "application/problem+json") {
				t.Errorf("%s: %d %s, want %d", path, a.StatusCode, a.body, code)
			}
		}
		w.is(get(root, "Accept", "text/html,*/*"), http.StatusNotAcceptable, "not_acceptable")
		w.is(get("/ipfs/"+ipfs.Sum(ipfs.Raw, nil).String()[:50]+"?format=raw"), http.StatusBadRequest, "invalid_cid")
		w.is(get("/ipfs/"+ipfs.Sum(ipfs.Raw, []byte("not here")).String()+"?format=raw", "Cache-Control", "only-if-cached"), http.StatusPreconditionFailed, "not_cached")
		if a := w.do("", "POST", root, "{}"); a.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("POST: %d", a.StatusCode)
		}
		if want["photos/same"] != string(get(root+"/photos/same?format=raw").body) {
			t.Error("another content")
		}
	})
}

// TestProbe answers the request by which clients find out what this is.
func TestProbe(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	if a := w.do("", "GET", "/ipfs/bafkqaaa?format=raw", ""); a.StatusCode != http.StatusOK || len(a.body) != 0 {
		t.Errorf("%d %q", a.StatusCode, a.body)
	}
	a := w.do("", "GET", "/ipfs/bafkqaaa", "", "Accept", typeCAR)
	// As go-car writes it: {roots: [bafkqaaa], version: 1}.
	if a.StatusCode != http.StatusOK || !bytes.Equal(a.body, []byte("\x19\xa2eroots\x81\xd8*E\x00\x01U\x00\x00gversion\x01")) {
		t.Errorf("%d %q", a.StatusCode, a.body)
	}
	if a := w.do("", "HEAD", "/ipfs/bafkqaaa?format=raw", ""); a.StatusCode != http.StatusOK {
		t.Errorf("%d", a.StatusCode)
	}
}

// many makes a folder that needs shards: in one block its names of 255 bytes had over 256 KiB.
func (w *world) many() (id string, n int, name func(int) string) {
	w.t.Helper()
	id, n = w.folder("", "many"), 900
	name = func(i int) string { return fmt.Sprintf("%04d-", i) + strings.Repeat("n", 250) }
	u := w.Files.NewUpload(w.ada)
	for i := range n {
		if err := u.Add(w.t.Context(), name(i), "text/plain", strings.NewReader(fmt.Sprint("content ", i))); err != nil {
			w.t.Fatal(err)
		}
	}
	if _, err := u.Publish(w.t.Context(), id); err != nil {
		w.t.Fatal(err)
	}
	return id, n, name
}

// TestBigFolder follows names through a folder of many shards.
func TestBigFolder(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	id, n, name := w.many()
	p := w.verified(id, `"encrypt":false,`+atKubo)
	root := "/ipfs/" + *p.CID
	for _, i := range []int{0, 1, 450, n - 1} {
		a := w.do("", "GET", root+"/"+name(i)+"?format=raw", "")
		if a.StatusCode != http.StatusOK || string(a.body) != fmt.Sprint("content ", i) {
			t.Errorf("%d: %d %q", i, a.StatusCode, a.body)
		}
	}
	w.is(w.do("", "GET", root+"/"+name(n)+"?format=raw", ""), http.StatusNotFound, "not_found")
	_, all := w.car(w.do("", "GET", root+"?format=car", ""))
	_, names := w.car(w.do("", "GET", root+"?format=car&dag-scope=entity", ""))
	if len(names) < 2 || len(all) != len(names)+n {
		t.Errorf("%d blocks, %d of them for the names", len(all), len(names))
	}
}

// TestNotShown looks for blocks that the gateway must not show: of a pin that is not done, of one that
// failed, of an account that is not active. All are not found, word for word.
func TestNotShown(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d)
		absent := w.do("", "GET", "/ipfs/"+ipfs.Sum(ipfs.Raw, []byte("not here")).String()+"?format=raw", "")
		body := pattern(1_000)
		at := "/ipfs/" + ipfs.Sum(ipfs.Raw, body).String() + "?format=raw"
		hidden := func(what string) {
			t.Helper()
			got := w.do("", "GET", at, "")
			strip := func(a reply) string {
				head, _, _ := strings.Cut(string(a.body), `"request_id"`)
				return head
			}
			if got.StatusCode != http.StatusNotFound || strip(got) != strip(absent) {
				t.Errorf("%s: %d %.200s", what, got.StatusCode, got.body)
			}
		}
		id := w.upload(w.ada, "", "a", body)
		hidden("a file")
		p := w.pin(id, `"encrypt":false,`+atKubo)
		hidden("a pin that is queued")
		w.run()
		if a := w.do("", "GET", at, ""); a.StatusCode != http.StatusOK || !bytes.Equal(a.body, body) {
			t.Fatalf("%d %s", a.StatusCode, a.body)
		}
		set := func(change func(ctx context.Context, tx *db.Tx, id account.ID) (bool, error)) {
			t.Helper()
			if err := d.Tx(t.Context(), func(tx *db.Tx) error {
				_, err := change(t.Context(), tx, w.ada)
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		set(w.Accounts.Suspend)
		hidden("a suspended account")
		set(w.Accounts.Resume)
		if a := w.do("", "GET", at, ""); a.StatusCode != http.StatusOK {
			t.Errorf("%d", a.StatusCode)
		}
		w.call(w.ada, "DELETE", "/pins/"+p.ID, "", http.StatusAccepted)
		hidden("a pin that goes")
	})
}

// TestLimit stops an address that asks without end.
func TestLimit(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	w.GatewayLimit.Limit = 3
	path := "/ipfs/" + ipfs.Sum(ipfs.Raw, []byte("not here")).String() + "?format=raw"
	for range 3 {
		w.is(w.do("", "GET", path, ""), http.StatusNotFound, "not_found")
	}
	a := w.do("", "GET", path, "")
	if w.is(a, http.StatusTooManyRequests, "rate_limited"); a.Header.Get("Retry-After") == "" || a.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%v", a.Header)
	}
}

// TestPlantedRows has a writer of the database ask the gateway for a private file, a byte at a time: by
// a pin that it made public, and by a public pin to which it gave the file.
func TestPlantedRows(t *testing.T) {
	for name, plant := range map[string]string{
		"made public":    `UPDATE pins SET encrypt = FALSE WHERE id = $1 AND $2 <> ''`,
		"another object": `UPDATE pin_files SET (object, size) = (SELECT object, size FROM pin_files WHERE pin = $1) WHERE pin = $2`,
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dbtest.SQLite(t))
			private := w.verified(w.upload(w.ada, "", "private", []byte("secret")), atKubo)
			public := w.verified(w.upload(w.ada, "", "public", []byte("for all")), `"encrypt":false,`+atKubo)
			first := ipfs.Sum(ipfs.Raw, []byte("s"))
			if n, err := w.DB.Exec(t.Context(), plant, private.ID, public.ID); err != nil || n != 1 {
				t.Fatal(n, err)
			}
			const blocks = `INSERT INTO pin_blocks (pin, digest, codec, ord, start, length) SELECT pin, $1, 85, ord, 0, 1 FROM pin_files WHERE pin = $2 AND object IS NOT NULL`
			by := map[string]string{"made public": private.ID, "another object": public.ID}[name]
			if n, err := w.DB.Exec(t.Context(), blocks, first.Digest[:], by); err != nil || n != 1 {
				t.Fatal(n, err)
			}
			if a := w.do("", "GET", "/ipfs/"+first.String()+"?format=raw", ""); a.StatusCode == http.StatusOK {
				t.Errorf("the gateway shows %q", a.body)
			}
		})
	}
	// Blocks that are in no file: bytes that the writer made, under the digest that it computed.
	for _, ord := range []int64{asNode, inManifest} {
		w := newWorld(t, dbtest.SQLite(t))
		public := w.verified(w.upload(w.ada, "", "public", []byte("for all")), `"encrypt":false,`+atKubo)
		evil := []byte("evil")
		block := ipfs.Sum(ipfs.Raw, evil)
		w.alter(`INSERT INTO pin_blocks (pin, digest, codec, ord, start, length, bytes) VALUES ($1, $2, 85, $3, 0, 4, $4)`, public.ID, block.Digest[:], ord, evil)
		for _, method := range []string{"GET", "HEAD"} {
			for _, format := range []string{"raw", "car"} {
				if a := w.do("", method, "/ipfs/"+block.String()+"?format="+format, ""); a.StatusCode == http.StatusOK {
					t.Errorf("%s of %s at %d: the gateway shows %q", method, format, ord, a.body)
				}
			}
		}
	}
}

// TestViewRemembers: a request asks once for a block that a folder names again and again.
func TestViewRemembers(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t))
	p := w.verified(w.upload(w.ada, "", "a", pattern(1_000)), `"encrypt":false,`+atKubo)
	v := w.newView()
	for i, of := range []*view{v, v, w.newView()} {
		if _, err := of.find(t.Context(), w.root(p)); (err == nil) != (i < 2) {
			t.Errorf("%d: %v", i, err)
		}
		if _, err := w.DB.Exec(t.Context(), `UPDATE pins SET served = FALSE`); err != nil {
			t.Fatal(err)
		}
	}
}
