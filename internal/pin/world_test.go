package pin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/account/accounttest"
	"coffer/internal/blob"
	"coffer/internal/blob/blobtest"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/feed"
	"coffer/internal/file"
	"coffer/internal/ipfs"
	"coffer/internal/ledger"
	"coffer/internal/limit/limittest"
	"coffer/internal/metric"
	"coffer/internal/parcel"
	"coffer/internal/pinning"
	"coffer/internal/pinning/pinningtest"
)

// world is the room over the real rooms below it and two providers, served over HTTP.
type world struct {
	*Service
	t            testing.TB
	below        *accounttest.World
	ada, bob     account.ID
	url          string
	blobs        string
	pinata, kubo *pinningtest.Server
}

func newWorld(t testing.TB, d *db.DB, change ...func(*Config)) *world {
	t.Helper()
	w := &world{t: t, below: accounttest.New(t, d, limittest.Setup{Start: time.Now()}), blobs: filepath.Join(t.TempDir(), "blobs"), pinata: pinningtest.NewPinata(t), kubo: pinningtest.NewKubo(t)}
	store, err := blob.OpenDir(w.blobs)
	if err != nil {
		t.Fatal(err)
	}
	b := w.below
	contents := content.Config{DB: d, Blobs: store, Ring: b.Ring, Jobs: b.Jobs, Accounts: b.Accounts, Now: b.Now, Log: b.Log}
	limittest.Defaults(t, &contents.Settings)
	news := feed.New(feed.Config{DB: d})
	files := file.Config{DB: d, Jobs: b.Jobs, Accounts: b.Accounts, Feed: news, Now: b.Now, Log: b.Log}
	limittest.Defaults(t, &files.Settings)
	if files.Contents, err = content.New(contents); err != nil {
		t.Fatal(err)
	}
	book := ledger.Config{DB: d, Ring: b.Ring, Jobs: b.Jobs, Limit: b.Limits, Mail: b.Mailer, Accounts: b.Accounts, BaseURL: accounttest.BaseURL, Now: b.Now, Log: b.Log}
	limittest.Defaults(t, &book.Settings)
	book.File = ledger.NoFile
	targets := pinning.Config{Shard: pinningtest.Shard}
	targets.PinataJWT, targets.PinataURL, targets.PinataUploadURL, targets.PinataGateway, targets.IPFSRPC = pinningtest.Token, w.pinata.URL, w.pinata.URL, w.pinata.URL, w.kubo.URL
	c := Config{
		DB: d, Contents: files.Contents, Files: file.New(files), Accounts: b.Accounts, Events: b.Events, Feed: news, Jobs: b.Jobs, Limit: b.Limits,
		Metrics: metric.New("test"), Now: b.Now, Log: b.Log, BaseURL: accounttest.BaseURL,
	}
	limittest.Defaults(t, &c.Settings)
	if c.Ledger, err = ledger.New(book); err != nil {
		t.Fatal(err)
	}
	if c.Targets, err = pinning.Open(targets); err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(&c)
	}
	w.Service = New(c)
	w.ada, w.bob = b.Join("ada"), b.Join("bob")
	api := b.API(accounttest.Named{})
	w.Files.Routes(api)
	w.Routes(api)
	server := httptest.NewServer(api.Handler())
	t.Cleanup(server.Close)
	w.url = server.URL
	return w
}

// withPSA adds a provider that fetches from the room's own gateway.
func (w *world) withPSA() *pinningtest.Server {
	w.t.Helper()
	s := pinningtest.NewPSA(w.t)
	s.Fetch(func(origins []string, c ipfs.CID) ([]byte, bool) {
		if len(origins) != 1 || !strings.HasPrefix(origins[0], "/dns/files.example.org/tcp/443/tls/http/") {
			return nil, false
		}
		return w.block(c)
	})
	all, err := pinning.Open(pinning.Config{Settings: pinning.Settings{PSAURL: s.URL, PSAToken: pinningtest.Token, PSAGateway: s.URL}, Origin: "https://files.example.org"})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Targets = append(w.Targets, all[0])
	w.targets[all[0].Name] = all[0]
	return s
}

// block reads a block from the gateway.
func (w *world) block(c ipfs.CID) ([]byte, bool) {
	w.t.Helper()
	a := w.do("", "GET", "/ipfs/"+c.String()+"?format=raw", "")
	return a.body, a.StatusCode == http.StatusOK
}

// run does what is due, and goes on for as long as that makes more due.
func (w *world) run() {
	w.t.Helper()
	for {
		if err := w.due(context.Background()); err != nil {
			w.t.Fatal(err)
		}
		if w.below.RunJobs() == 0 {
			return
		}
	}
}

// later moves the clock and does what is due then.
func (w *world) later(d time.Duration) {
	w.t.Helper()
	w.below.Advance(d)
	w.run()
}

// reply is a response, read.
type reply struct {
	*http.Response
	body []byte
}

func (a reply) code() string {
	var p struct{ Code string }
	_ = json.Unmarshal(a.body, &p)
	return p.Code
}

func (w *world) do(who account.ID, method, path, body string, header ...string) reply {
	w.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, w.url+path, r)
	if err != nil {
		w.t.Fatal(err)
	}
	if who != "" {
		req.Header.Set("Authorization", string(who))
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := http.DefaultClient.Do(req)
	if errors.Is(err, io.EOF) { // cut before the first byte
		return reply{&http.Response{Request: req}, nil}
	}
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil && method != "HEAD" {
		raw = append(raw, "\nCUT"...)
	}
	return reply{res, raw}
}

// call makes a call whose answer must have a status.
func (w *world) call(who account.ID, method, path, body string, status int) (p Pin) {
	w.t.Helper()
	a := w.do(who, method, "/v1"+path, body)
	if a.StatusCode != status {
		w.t.Fatalf("%s %s: %d %s", method, path, a.StatusCode, a.body)
	}
	if err := json.Unmarshal(a.body, &p); err != nil {
		w.t.Fatalf("%v: %s", err, a.body)
	}
	return p
}

// is fails the test unless an answer has a status and a code.
func (w *world) is(a reply, status int, code string) {
	w.t.Helper()
	if a.StatusCode != status || a.code() != code {
		w.t.Errorf("%s %s: %d %.300s, want %d %s", a.Request.Method, a.Request.URL, a.StatusCode, a.body, status, code)
	}
}

func (w *world) folder(parent, name string) string {
	w.t.Helper()
	e, err := w.Files.NewFolder(w.t.Context(), w.ada, parent, name)
	if err != nil {
		w.t.Fatal(err)
	}
	return e.ID
}

func (w *world) upload(owner account.ID, parent, name string, content []byte) string {
	w.t.Helper()
	u := w.Files.NewUpload(owner)
	if err := u.Add(w.t.Context(), name, "text/plain", bytes.NewReader(content)); err != nil {
		w.t.Fatal(err)
	}
	entries, err := u.Publish(w.t.Context(), parent)
	if err != nil {
		w.t.Fatal(err)
	}
	return entries[0].ID
}

// pin makes a pin of ada's; settings are JSON members.
func (w *world) pin(entry, settings string) Pin {
	w.t.Helper()
	return w.call(w.ada, "POST", "/files/"+entry+"/pins", "{"+settings+"}", http.StatusAccepted)
}

func (w *world) get(id string) Pin {
	w.t.Helper()
	return w.call(w.ada, "GET", "/pins/"+id, "", http.StatusOK)
}

// at returns a pin's place at a target.
func (w *world) at(p Pin, target string) PinPlace {
	w.t.Helper()
	i := slices.IndexFunc(p.Targets, func(t PinPlace) bool { return t.Name == target })
	if i < 0 {
		w.t.Fatalf("%+v is not at %s", p, target)
	}
	return p.Targets[i]
}

// holds fails the test unless a pin has a state at a target, with a reason.
func (w *world) holds(id, target string, state State, reason string) Pin {
	w.t.Helper()
	p := w.get(id)
	if at := w.at(p, target); at.State != state || at.Reason != reason {
		w.t.Errorf("%s: %s %q, want %s %q", target, at.State, at.Reason, state, reason)
	}
	return p
}

// verified makes a pin at one target and brings it to its end.
func (w *world) verified(entry, settings string) Pin {
	w.t.Helper()
	p := w.pin(entry, settings)
	w.run()
	if p = w.get(p.ID); p.State != Verified {
		w.t.Fatalf("%+v", p)
	}
	return p
}

// kinds returns what the ledger says, oldest first.
func (w *world) kinds() (kinds []string) {
	w.t.Helper()
	rows, err := w.DB.Query(context.Background(), `SELECT kind FROM ledger_entries ORDER BY n`)
	if err == nil {
		kinds, err = rows.Strings()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return kinds
}

// rows counts the rows of a table.
func (w *world) rows(table string) (n int) {
	w.t.Helper()
	if err := w.DB.QueryRow(context.Background(), `SELECT COUNT(*) FROM `+table).Scan(&n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) root(p Pin) ipfs.CID {
	w.t.Helper()
	if p.CID == nil {
		w.t.Fatalf("%+v has no identifier", p)
	}
	c, err := ipfs.Parse(*p.CID)
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// open opens the link of a pin with blocks from the gateway.
func (w *world) open(link string) (*parcel.Parcel, error) {
	_, root, key, err := parcel.ParseLink(link)
	if err != nil {
		return nil, err
	}
	return parcel.Open(context.Background(), func(_ context.Context, c ipfs.CID) ([]byte, error) {
		a := w.do("", "GET", "/ipfs/"+c.String()+"?format=raw", "")
		if a.StatusCode != http.StatusOK {
			return nil, errors.New(a.Status)
		}
		return a.body, nil
	}, root, key)
}

// contents are the files of an open pin by path.
func contents(t testing.TB, p *parcel.Parcel) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, f := range p.Files {
		var b bytes.Buffer
		if err := p.Write(t.Context(), f, &b); err != nil {
			t.Fatalf("%s: %v", f.Path, err)
		}
		all[f.Path] = b.String()
	}
	return all
}

func pattern(n int) []byte { return blobtest.Pattern(n) }

const atKubo, atPinata = `"targets":["kubo"]`, `"targets":["pinata"]`
