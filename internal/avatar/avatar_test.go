package avatar

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/image/webp"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/feed"
	"coffer/internal/limit"
	"coffer/internal/limit/limittest"
	"coffer/internal/picture"
)

// world is the room over the real rooms below it, with a caller that asks over HTTP.
type world struct {
	*Service
	t     testing.TB
	below *accounttest.World
	store *faulty
	http  *httptest.Server
}

// faulty is a store of which some calls fail.
type faulty struct {
	blob.Store
	mu   sync.Mutex
	puts int  // that succeed before the others fail; negative: all
	down bool // nothing is deleted
}

// away is an error of a store that is away, as package blob returns them.
type away struct{ error }

func (a away) Unwrap() error   { return a.error }
func (away) Unavailable() bool { return true }

// Put implements blob.Store.
func (f *faulty) Put(ctx context.Context, id string, r io.Reader) (int64, error) {
	f.mu.Lock()
	fails := f.puts == 0
	if f.puts > 0 {
		f.puts--
	}
	f.mu.Unlock()
	if fails {
		return 0, away{blob.ErrUnavailable}
	}
	return f.Store.Put(ctx, id, r)
}

// Delete implements blob.Store.
func (f *faulty) Delete(ctx context.Context, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return away{blob.ErrUnavailable}
	}
	return f.Store.Delete(ctx, id)
}

func (f *faulty) breaks(puts int, down bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.puts, f.down = puts, down
}

func newWorld(t testing.TB, d *db.DB, change func(*Config)) *world {
	t.Helper()
	root := filepath.Join(t.TempDir(), "blobs")
	dir, err := blob.OpenDir(root)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, below: accounttest.New(t, d, limittest.Setup{}), store: &faulty{Store: dir, puts: -1}}
	below := w.below
	c := Config{
		DB: d, Blobs: w.store, Pictures: picture.New(picture.Settings{}), Jobs: below.Jobs, Limit: below.Limits, Accounts: below.Accounts,
		Feed: feed.New(feed.Config{DB: d}), BaseURL: accounttest.BaseURL, Now: below.Now, Log: below.Log,
	}
	limittest.Defaults(t, &c.Settings)
	if change != nil {
		change(&c)
	}
	w.Service = New(c)
	api := below.API(accounttest.Named{})
	w.Routes(api)
	below.Accounts.Routes(api)
	w.http = httptest.NewServer(api.Handler())
	t.Cleanup(w.http.Close)
	t.Cleanup(func() {
		if t.Failed() {
			_ = filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() {
					t.Log(path)
				}
				return nil
			})
		}
	})
	return w
}

// files are the objects of pictures in the store.
func (w *world) files() (all []string) {
	w.t.Helper()
	for _, n := range sizes {
		rows, err := w.DB.Query(w.t.Context(), `SELECT id FROM avatars`)
		if err != nil {
			w.t.Fatal(err)
		}
		ids, err := rows.Strings()
		if err != nil {
			w.t.Fatal(err)
		}
		for _, id := range ids {
			if _, err := w.object(w.t.Context(), id, n); err == nil {
				all = append(all, id)
			} else if !errors.Is(err, blob.ErrMissing) {
				w.t.Fatal(err)
			}
		}
	}
	return all
}

func (w *world) rows(owner account.ID) (n int) {
	w.t.Helper()
	if err := w.DB.QueryRow(w.t.Context(), `SELECT COUNT(*) FROM avatars WHERE account = $1`, string(owner)).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) settled() {
	w.t.Helper()
	w.below.RunJobs()
}

// plain is a PNG of one colour.
func plain(t testing.TB, w, h int, c color.NRGBA) []byte {
	t.Helper()
	m := image.NewNRGBA(image.Rect(0, 0, w, h))
	for i := range w * h {
		copy(m.Pix[4*i:], []byte{c.R, c.G, c.B, c.A})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

var red, blue = color.NRGBA{220, 20, 20, 255}, color.NRGBA{20, 20, 220, 255}

func (w *world) set(owner account.ID, data []byte) *account.Avatar {
	w.t.Helper()
	a, err := w.Set(w.t.Context(), owner, bytes.NewReader(data), Square{})
	if err != nil {
		w.t.Fatal(err)
	}
	return a
}

func (w *world) profile(owner account.ID) *account.Avatar {
	w.t.Helper()
	p, err := w.below.Accounts.Profile(w.t.Context(), owner)
	if err != nil {
		w.t.Fatal(err)
	}
	return p.Avatar
}

func TestAvatar(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada, bob := w.below.Join("ada"), w.below.Join("bob")
		if a := w.profile(ada); a != nil {
			t.Fatalf("a new account has the picture %+v", a)
		}
		w.set(bob, plain(t, 10, 10, red))
		first := w.set(ada, plain(t, 300, 200, red))
		if got := w.profile(ada); got == nil || got.ID != first.ID || len(got.URLs) != 4 || got.URLs["64"] != accounttest.BaseURL+"/v1/avatars/"+first.ID+"/64.webp" {
			t.Fatalf("the profile shows %+v", got)
		}
		for _, n := range sizes {
			b, err := w.Read(t.Context(), first.ID, n)
			if err != nil {
				t.Fatal(err)
			}
			m, err := webp.Decode(bytes.NewReader(b))
			if err != nil || m.Bounds().Dx() != n || m.Bounds().Dy() != n {
				t.Errorf("size %d: %v", n, err)
			}
		}
		second := w.set(ada, plain(t, 64, 64, blue))
		if second.ID == first.ID || w.profile(ada).ID != second.ID {
			t.Errorf("another picture has the id %s, the profile shows %s", second.ID, w.profile(ada).ID)
		}
		if _, err := w.Read(t.Context(), first.ID, 64); fault.Of(err).Code != "not_found" {
			t.Errorf("a replaced picture: %v", err)
		}
		w.settled()
		if n := w.rows(ada); n != 1 || len(w.files()) != 2*4 {
			t.Errorf("%d rows and %d files are left", n, len(w.files()))
		}
		if err := errors.Join(w.Remove(t.Context(), ada), w.Remove(t.Context(), ada)); err != nil {
			t.Fatal(err)
		}
		if w.profile(ada) != nil {
			t.Error("a removed picture is shown")
		}
		w.settled()
		if n := w.rows(ada); n != 0 || len(w.files()) != 4 {
			t.Errorf("%d rows and %d files are left", n, len(w.files()))
		}
		w.set(ada, plain(t, 8, 8, red))
		if err := w.below.Accounts.Forget(t.Context(), ada); err != nil {
			t.Fatal(err)
		}
		w.settled()
		if n := w.rows(ada); n != 0 || len(w.files()) != 4 || w.profile(bob) == nil {
			t.Errorf("%d rows and %d files are left of an account that is gone", n, len(w.files()))
		}
		if _, err := w.Set(t.Context(), ada, bytes.NewReader(plain(t, 8, 8, red)), Square{}); fault.Of(err).Kind != fault.NotFound {
			t.Errorf("a picture of an account that is gone: %v", err)
		}
		if err := w.Sweep(t.Context()); err != nil || w.rows(ada) != 0 || len(w.files()) != 4 {
			t.Errorf("%v; %d rows and %d files are left", err, w.rows(ada), len(w.files()))
		}
	})
}

// Each part of a picture is chosen in its own pixels.
func TestSquare(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), nil)
	ada := w.below.Join("ada")
	m := image.NewNRGBA(image.Rect(0, 0, 300, 100))
	for y := range 100 {
		for x := range 300 {
			c := red
			if x >= 200 {
				c = blue
			}
			m.SetNRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	for part, want := range map[Square]color.NRGBA{{}: red, {X: 200, Side: 100}: blue, {X: 0, Y: 50, Side: 50}: red, {X: 299, Y: 99, Side: 1}: blue} {
		a, err := w.Set(t.Context(), ada, bytes.NewReader(b.Bytes()), part)
		if err != nil {
			t.Fatalf("%+v: %v", part, err)
		}
		data, err := w.Read(t.Context(), a.ID, 64)
		if err != nil {
			t.Fatal(err)
		}
		got, err := webp.Decode(bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		if r, _, bl, _ := got.At(32, 32).RGBA(); (r > bl) != (want == red) {
			t.Errorf("%+v shows another part", part)
		}
	}
	for _, part := range []Square{{X: 201, Side: 100}, {Y: 1, Side: 100}, {X: 300, Side: 1}, {X: 1}} {
		if _, err := w.Set(t.Context(), ada, bytes.NewReader(b.Bytes()), part); fault.Of(err).Code != "picture_crop" {
			t.Errorf("%+v: %v", part, err)
		}
	}
}

// However a picture fails, the one before it stays, and nothing of the new one does.
func TestSetFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, func(c *Config) { c.Max = 10_000 })
		ada := w.below.Join("ada")
		before := w.set(ada, plain(t, 10, 10, red))
		fails := func(name, code string, r io.Reader) {
			t.Helper()
			_, err := w.Set(t.Context(), ada, r, Square{})
			if f := fault.Of(err); f.Code != code {
				t.Errorf("%s: %v, want %s", name, err, code)
			}
			if err := w.Sweep(t.Context()); err != nil {
				t.Error(err)
			}
			if a := w.profile(ada); a == nil || a.ID != before.ID || w.rows(ada) != 1 || len(w.files()) != 4 {
				t.Errorf("%s: the profile shows %+v; %d rows, %d files", name, a, w.rows(ada), len(w.files()))
			}
		}
		good := plain(t, 20, 20, blue)
		fails("no picture", "picture_unsupported", strings.NewReader("no picture"))
		fails("half a picture", "picture_damaged", bytes.NewReader(good[:len(good)/2]))
		fails("too many bytes", "too_large", io.MultiReader(bytes.NewReader(good), bytes.NewReader(make([]byte, 10_000))))
		for _, puts := range []int{0, 3} {
			w.store.breaks(puts, false)
			fails(fmt.Sprintf("a store that breaks after %d files", puts), "unavailable", bytes.NewReader(good))
		}
		w.store.breaks(-1, false)
		broken := errors.New("the client went away")
		if _, err := w.Set(t.Context(), ada, io.MultiReader(bytes.NewReader(good[:20]), errReader{broken}), Square{}); !errors.Is(err, broken) {
			t.Errorf("an upload that breaks off: %v", err)
		}
		if w.rows(ada) != 1 {
			t.Error("an upload that breaks off leaves a row")
		}
	})
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// A process that is killed while it writes leaves a row that the sweep of another finds; while
// the store is away, what is to go waits.
func TestSweep(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada := w.below.Join("ada")
		kept := w.set(ada, plain(t, 10, 10, red))
		killed := strings.Repeat("ab", 16)
		if err := insertPending(t.Context(), d, record{ID: killed, Account: ada, CreatedAt: w.Now().UnixMilli()}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.store.Put(t.Context(), place(killed, 512), strings.NewReader("half")); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Read(t.Context(), killed, 512); fault.Of(err).Code != "not_found" {
			t.Errorf("a picture on its way in is served: %v", err)
		}
		if err := w.Sweep(t.Context()); err != nil || w.rows(ada) != 2 {
			t.Errorf("a picture on its way in is removed: %v", err)
		}
		w.below.Advance(abandonedAfter + time.Second)
		w.store.breaks(-1, true)
		if err := w.Sweep(t.Context()); !errors.Is(err, blob.ErrUnavailable) || w.rows(ada) != 2 {
			t.Errorf("a store that is away: %v, %d rows", err, w.rows(ada))
		}
		w.store.breaks(-1, false)
		if err := w.Sweep(t.Context()); err != nil || w.rows(ada) != 1 || w.profile(ada).ID != kept.ID {
			t.Errorf("%v; %d rows, the profile shows %+v", err, w.rows(ada), w.profile(ada))
		}
		if _, err := w.object(t.Context(), killed, 512); !errors.Is(err, blob.ErrMissing) {
			t.Errorf("what a killed process wrote: %v", err)
		}
	})
}

// Of many pictures at once one is the account's in the end, and nothing is left of the others.
func TestSetAtOnce(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		w := newWorld(t, d, nil)
		ada := w.below.Join("ada")
		data := plain(t, 16, 16, red)
		passed := limittest.AtOnce(6, func() error {
			_, err := w.Set(context.Background(), ada, bytes.NewReader(data), Square{})
			if err != nil && fault.Of(err).Code != "busy" {
				t.Error(err)
			}
			return err
		})
		if err := w.Sweep(t.Context()); err != nil {
			t.Error(err)
		}
		if passed == 0 || w.rows(ada) != 1 || len(w.files()) != 4 || w.profile(ada) == nil {
			t.Errorf("%d passed; %d rows, %d files", passed, w.rows(ada), len(w.files()))
		}
		if len(w.running) != 0 {
			t.Errorf("%d pictures count as on their way in", len(w.running))
		}
	})
}

// One account has few pictures on their way in, and all together not many more.
func TestBounds(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.ChangeLimit = limit.Rule{Name: "avatar", Limit: 2, Window: time.Hour} })
	ada := w.below.Join("ada")
	var all []*arrival
	for n := range maxAtOnce {
		owner := account.ID(fmt.Sprint("owner-", n/maxOfAccount))
		a, err := w.begin(t.Context(), owner, nil)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, a)
		if n%maxOfAccount == maxOfAccount-1 {
			if _, err := w.begin(t.Context(), owner, nil); fault.Of(err).Code != "busy" {
				t.Errorf("a third picture of one account: %v", err)
			}
		}
	}
	if _, err := w.Set(t.Context(), ada, errReader{errors.New("read")}, Square{}); fault.Of(err).Code != "busy" {
		t.Errorf("one picture more than there may be: %v", err)
	}
	for _, a := range all {
		w.end(a)
	}
	w.set(ada, plain(t, 8, 8, red))
	w.set(ada, plain(t, 8, 8, red))
	if _, err := w.Set(t.Context(), ada, errReader{errors.New("read")}, Square{}); fault.Of(err).Kind != fault.Limited {
		t.Errorf("a third picture in the hour: %v", err)
	}
}

func (w *world) do(method, path, as string, body []byte, header ...string) (*http.Response, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.http.URL+"/v1"+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	if as != "" {
		req.Header.Set("Authorization", as)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return res, string(b)
}

func TestHTTP(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.Max = 10_000 })
	ada := w.below.Join("ada")
	as := string(ada)
	if res, body := w.do("GET", "/account", as, nil); res.StatusCode != 200 || !strings.Contains(body, `"avatar":null`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	res, body := w.do("PUT", "/account/avatar?x=1&y=2&side=5", as, plain(t, 10, 10, red), "Content-Type", "image/png")
	var set struct{ Avatar account.Avatar }
	if err := json.Unmarshal([]byte(body), &set); err != nil || res.StatusCode != 200 || len(set.Avatar.ID) != 32 || len(set.Avatar.URLs) != 4 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	if res, body := w.do("GET", "/account", as, nil); res.StatusCode != 200 || !strings.Contains(body, `"avatar":{"id":"`+set.Avatar.ID+`","urls":{"128":`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	at := "/avatars/" + set.Avatar.ID
	res, body = w.do("GET", at+"/128.webp", "", nil)
	etag := res.Header.Get("ETag")
	for name, want := range map[string]string{
		"Content-Type": "image/webp", "Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff",
		"Cross-Origin-Resource-Policy": "cross-origin", "Content-Security-Policy": "sandbox; default-src 'none'", "Content-Length": fmt.Sprint(len(body)),
		"ETag": `"` + set.Avatar.ID + `-128"`,
	} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if res.StatusCode != 200 || !strings.HasPrefix(body, "RIFF") || res.Header.Get("Set-Cookie") != "" {
		t.Errorf("%d %.20q", res.StatusCode, body)
	}
	if head, none := w.do("HEAD", at+"/128.webp", "", nil); head.StatusCode != 200 || none != "" || head.Header.Get("ETag") != etag || head.Header.Get("Content-Length") != res.Header.Get("Content-Length") {
		t.Errorf("HEAD: %d %v", head.StatusCode, head.Header)
	}
	for _, tag := range []string{etag, "W/" + etag, `"other", ` + etag, "*"} {
		if res, body := w.do("GET", at+"/128.webp", "", nil, "If-None-Match", tag); res.StatusCode != 304 || body != "" || res.Header.Get("ETag") != etag {
			t.Errorf("If-None-Match %s: %d %q", tag, res.StatusCode, body)
		}
	}
	for _, path := range []string{
		at + "/65.webp", at + "/064.webp", at + "/+64.webp", at + "/64.png", at + "/64", at + "/.webp", "/avatars/" + strings.ToUpper(set.Avatar.ID) + "/64.webp",
		"/avatars/" + strings.Repeat("0", 32) + "/64.webp", "/avatars/x/64.webp", "/avatars/..%2f..%2fetc/64.webp", "/avatars/%00/64.webp", "/avatars/" + set.Avatar.ID[:30] + "%2e%2e/64.webp",
	} {
		if res, body := w.do("GET", path, "", nil); res.StatusCode != 404 || res.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	for query, code := range map[string]string{
		"x=1": "validation_failed", "x=1&y=1&side=0": "validation_failed", "x=-1&y=0&side=1": "validation_failed", "x=1&y=1&side=1e9": "validation_failed",
		"x=&y=&side=": "validation_failed", "x=1&y=1&side=99999999999999999999": "validation_failed", "x=9&y=9&side=2": "picture_crop",
	} {
		if res, body := w.do("PUT", "/account/avatar?"+query, as, plain(t, 10, 10, red)); res.StatusCode != 422 || !strings.Contains(body, `"`+code+`"`) {
			t.Errorf("%s: %d %s", query, res.StatusCode, body)
		}
	}
	if res, body := w.do("PUT", "/account/avatar", as, make([]byte, 10_001)); res.StatusCode != 413 {
		t.Errorf("too many bytes: %d %s", res.StatusCode, body)
	}
	if res, _ := w.do("PUT", "/account/avatar", "", plain(t, 10, 10, red)); res.StatusCode != 401 {
		t.Errorf("without a session: %d", res.StatusCode)
	}
	if res, _ := w.do("DELETE", "/account/avatar", as, nil); res.StatusCode != 204 {
		t.Errorf("DELETE: %d", res.StatusCode)
	}
	if res, _ := w.do("GET", at+"/128.webp", "", nil); res.StatusCode != 404 {
		t.Errorf("a removed picture: %d", res.StatusCode)
	}
}

func TestCDN(t *testing.T) {
	w := newWorld(t, dbtest.SQLite(t), func(c *Config) { c.CDN = "https://cdn.example.com/base/" })
	ada := w.below.Join("ada")
	a := w.set(ada, plain(t, 8, 8, red))
	if got := a.URLs["256"]; got != "https://cdn.example.com/base/avatars/"+a.ID+"/256.webp" || w.Origin() != "https://cdn.example.com" {
		t.Errorf("the address is %s, the origin %s", got, w.Origin())
	}
	// The address names the object in the store, where it lies in the clear.
	b, err := blobtest.Read(t, w.store, "avatars/"+a.ID+"/256.webp", 0, -1)
	if err != nil || !bytes.HasPrefix(b, []byte("RIFF")) {
		t.Errorf("%.10q, %v", b, err)
	}
	bad := []string{"cdn.example.com", "ftp://cdn.example.com", "https://", "https://u:p@cdn.example.com", "https://cdn.example.com/?a=b", "https://cdn.example.com/#a", "https://cdn.example.com;x", "https://cdn.example.com/'x'"}
	for _, cdn := range bad {
		s := Settings{Max: 1, CDN: cdn}
		if s.AfterApply() == nil {
			t.Errorf("%q is taken as a CDN", cdn)
		}
	}
	for s, ok := range map[Settings]bool{{Max: 1}: true, {Max: 0}: false, {Max: 64<<20 + 1}: false, {Max: 1, CDN: "http://localhost:9000/bucket"}: true} {
		if err := s.AfterApply(); (err == nil) != ok {
			t.Errorf("%+v: %v", s, err)
		}
	}
}
