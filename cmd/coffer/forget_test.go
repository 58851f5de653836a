package main

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"

	"coffer/client"
	"coffer/internal/account"
	"coffer/internal/content"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/ledger"
	"coffer/internal/mail"
	"coffer/internal/pinning/pinningtest"
	"coffer/internal/social/socialtest"
)

// TestForget uses everything that an account can, deletes the account, and finds nothing of
// it: in no table with a column "account", in no other table of its own, in neither store.
// The story must put a row into each such table: a new one fails until it has one.
func TestForget(t *testing.T) { onEachEngine(t, forget) }

// onEachEngine runs test on a program that nobody has used; tables are those of accounts.
func onEachEngine(t *testing.T, test func(w *forgotten, tables []string)) {
	t.Run("SQLite", func(t *testing.T) {
		w := newForgotten(t, "sqlite:"+filepath.Join(t.TempDir(), "coffer.db"))
		test(w, names(t, w.app, `SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'account' ORDER BY m.name`))
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		w := newForgotten(t, dbtest.PostgreSQLURL(t))
		test(w, names(t, w.app, `SELECT table_name FROM information_schema.columns WHERE table_schema = current_schema() AND column_name = 'account' ORDER BY table_name`))
	})
}

func newForgotten(t *testing.T, database string) *forgotten {
	srv := httptest.NewUnstartedServer(nil)
	s := defaultSettings(t)
	s.moveTo(t.TempDir())
	s.DB.DatabaseURL, s.URL = database, "http://"+strings.Replace(srv.Listener.Addr().String(), "127.0.0.1", "localhost", 1) // passkeys need a name
	s.Account.Argon.MemoryKiB, s.Account.Argon.Time = 64, 1
	s.Recovery.Cooldown = 0
	google := socialtest.New()
	t.Cleanup(google.Close)
	s.Social.GoogleIssuer, s.Social.GoogleID, s.Social.GoogleSecret = google.URL, socialtest.ClientID, socialtest.ClientSecret
	s.Pinning.IPFSRPC = pinningtest.NewKubo(t).URL
	a, err := openApp(t.Context(), &s, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.close)
	srv.Config.Handler = a.api.Handler()
	srv.Start()
	t.Cleanup(srv.Close)
	return &forgotten{T: t, app: a, google: google, data: s.Data, url: s.URL}
}

func forget(w *forgotten, tables []string) {
	t, a, ctx := w.T, w.app, w.Context()
	ada, bob := w.member("ada"), w.member("bob")
	strong := w.harden(ada)
	w.trusts(ada, strong)
	w.trusts(bob, w.harden(bob))
	w.use(ada)
	w.use(bob)

	if len(tables) < 8 {
		t.Fatalf("the schema has only %q", tables)
	}
	for _, table := range tables {
		if w.count(`SELECT COUNT(*) FROM `+table+` WHERE account = $1`, ada.id) == 0 {
			t.Errorf("the story puts no row into %s, so it cannot tell whether it is emptied", table)
		}
	}
	w.exported(strong, bob)
	sessions, objects := w.count(`SELECT COUNT(*) FROM kv WHERE key LIKE 'session:%'`), w.objects()
	if sessions != 2*3 || objects != 2*3 {
		t.Fatalf("%d sessions, %d objects", sessions, objects)
	}

	if err := strong.DeleteAccount(ctx); err != nil {
		t.Fatal(err)
	}
	// At once: the account, its key and its sessions.
	if _, err := a.accounts.DataKey(ctx, a.db, account.ID(ada.id)); err == nil {
		t.Error("the data key outlives the account")
	}
	if _, err := ada.c.Profile(ctx); client.Status(err) != 401 {
		t.Errorf("a session of an account that is gone: %v", err)
	}
	if err := a.accounts.Forget(ctx, account.ID(ada.id)); err == nil {
		t.Error("an account is deleted twice")
	}
	w.settle()
	for _, table := range tables {
		if n := w.count(`SELECT COUNT(*) FROM `+table+` WHERE account = $1`, ada.id); n != 0 {
			t.Errorf("%s keeps %d rows of an account that is gone", table, n)
		}
		if table != "file_gone" && w.count(`SELECT COUNT(*) FROM `+table+` WHERE account = $1`, bob.id) == 0 {
			t.Errorf("%s keeps nothing of somebody else", table)
		}
	}
	for _, q := range []string{
		`SELECT COUNT(*) FROM accounts WHERE id = $1`, `SELECT COUNT(*) FROM sign_ups WHERE id = $1`,
		`SELECT COUNT(*) FROM sign_up_proofs WHERE sign_up = $1`, `SELECT COUNT(*) FROM jobs WHERE key = $1`,
	} {
		if n := w.count(q, ada.id); n != 0 {
			t.Errorf("%s: %d", q, n)
		}
	}
	if n := w.count(`SELECT COUNT(*) FROM jobs`); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
	if n := w.count(`SELECT COUNT(*) FROM kv WHERE key LIKE $1`, "%"+ada.id+"%"); n != 0 {
		t.Errorf("%d values of the key store name an account that is gone", n)
	}
	if left, objects := w.count(`SELECT COUNT(*) FROM kv WHERE key LIKE 'session:%'`), w.objects(); left != 3 || objects != 2 {
		t.Errorf("%d sessions and %d objects are left, want bob's three and two", left, objects)
	}
	if again := w.member("ada"); again.id == ada.id {
		t.Error("a new account has the old id")
	}
}

// exported checks that each room exports its data of ada, and no data of bob.
func (w *forgotten) exported(ada *client.Client, bob member) {
	w.Helper()
	body, err := ada.Export(w.Context())
	w.must(err)
	defer body.Close()
	raw, err := io.ReadAll(body)
	w.must(err)
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	w.must(err)
	parts := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		w.must(err)
		b, err := io.ReadAll(r)
		w.must(err)
		parts[f.Name] = string(b)
		if strings.Contains(string(b), bob.id) || strings.Contains(string(b), "bob@") {
			w.Errorf("%s tells of somebody else", f.Name)
		}
	}
	for name, want := range map[string]string{
		"account.json": `"kind": "trusted",
      "email": "two-ada@example.net",`, "sessions.json": `"current":`, "sign-ins.json": `"kind": "signed-in"`, "devices.json": `"totp"`, "sms.json": `"phone": "+4917`, "identities.json": `"subject": "google-ada"`, "security-question.json": "Which tree?", "backup-codes.json": `"used_at": [`, "passkeys.json": `"name": "key of ada"`, "files.json": `"path": "files/papers/large"`,
		"trash.json": `"path": "trash/in the trash"`, "versions.json": `"path": "versions/twice/`, "uploads.json": `"name": "unfinished"`, "avatar.json": `"stored_at"`, "avatar.webp": "RIFF", "ledger.json": `"in_checkpoint": false`, "pins.json": `"name": "twice"`,
		"habit.json": `"last_sign_in_at": "20`, "compared-sign-ins.json": `"session_id": "`, "known-clients.json": `"first_at": "20`, "password-guesses.json": `"wrong_passwords_in_a_row": 0`,
		"files/papers/small": "otters", "files/papers/large": "otters otters", "index.html": "devices.json",
	} {
		if !strings.Contains(parts[name], want) {
			w.Errorf("%s of the export lacks %q: %.300q", name, want, parts[name])
		}
	}
	if _, there := parts["files/gone/large"]; there {
		w.Error("a deleted file is exported")
	}
}

type forgotten struct {
	*testing.T
	*app
	google    *socialtest.Provider
	data, url string
	handles   sync.Map // user handles of passkeys, by credential
}

// member is a signed-in user.
type member struct {
	id, name string
	c        *client.Client
}

func (w *forgotten) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *forgotten) client() *client.Client {
	c, err := client.New(w.url)
	w.must(err)
	return c
}

func (w *forgotten) count(q string, args ...any) (n int) {
	w.Helper()
	w.must(w.db.QueryRow(context.Background(), q, args...).Scan(&n))
	return n
}

func (w *forgotten) objects() (n int) {
	w.Helper()
	w.must(w.blobs.List(w.Context(), "", "", func(string, int64, time.Time) error { n++; return nil }))
	return n
}

// settle runs every due job.
func (w *forgotten) settle() {
	w.Helper()
	for {
		worked, err := w.jobs.Step(context.Background())
		w.must(err)
		if !worked {
			return
		}
	}
}

var mailedCode = regexp.MustCompile(`"code":"(\d{6})"`)

// mailedCode is the newest code that waits to be mailed to a user. No job runs for it: the
// story's other jobs still wait.
func (w *forgotten) mailedCode(m member) (code string) {
	w.Helper()
	rows, err := w.db.Query(w.Context(), `SELECT payload FROM jobs WHERE kind = $1 ORDER BY id`, mail.Job)
	w.must(err)
	defer rows.Close()
	for rows.Next() {
		var sealed []byte
		w.must(rows.Scan(&sealed))
		plain, err := w.openJob(w.Context(), sealed)
		w.must(err)
		if found := mailedCode.FindSubmatch(plain); found != nil && strings.Contains(string(plain), m.name+"@example.org") && strings.Contains(string(plain), `"email-code"`) {
			code = string(found[1])
		}
	}
	w.must(rows.Err())
	return code
}

var mailedToken = regexp.MustCompile(`verify-email#token=([A-Za-z0-9_-]+)`)

const forgetPassword = "seven quiet otters 41"

// member signs a user up beside a second sign-up of the same address, proves the address
// and signs in.
func (w *forgotten) member(name string) member {
	w.Helper()
	ctx := w.Context()
	in := client.NewAccount{FirstName: "Ada", LastName: "Lovelace", Username: name, Email: name + "@example.org", Password: forgetPassword}
	m := member{name: name, c: w.client()}
	mine, err := m.c.SignUp(ctx, in)
	w.must(err)
	in.Password = "eight noisy beavers 52"
	_, err = w.client().SignUp(ctx, in)
	w.must(err)
	w.settle()
	mails, err := filepath.Glob(filepath.Join(w.data, "outbox", "*.eml"))
	w.must(err)
	err = os.ErrNotExist
	for _, path := range mails {
		raw, readErr := os.ReadFile(path)
		w.must(readErr)
		text := strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(string(raw))
		if found := mailedToken.FindStringSubmatch(text); found != nil && err != nil {
			err = m.c.VerifyEmail(ctx, client.Verification{Token: found[1], SignUp: mine})
		}
	}
	w.must(err)
	_, _, err = m.c.SignIn(ctx, client.SignIn{Identifier: name, Password: forgetPassword})
	w.must(err)
	p, err := m.c.Profile(ctx)
	w.must(err)
	m.id = p.ID
	return m
}

// connect connects an account of a provider.
func (w *forgotten) connect(m member) {
	w.Helper()
	w.google.Become(socialtest.Person{Subject: "google-" + m.name, Email: m.name + "@provider.example", Verified: true})
	at, err := m.c.BeginIdentity(w.Context(), "google")
	w.must(err)
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get(at)
	w.must(err)
	res.Body.Close()
	code, err := m.c.EndSocial(w.Context(), res.Header.Get("Location"))
	w.must(err)
	_, err = m.c.ConfirmIdentity(w.Context(), "google", code)
	w.must(err)
}

// texted is the code of the newest text message to a number.
func (w *forgotten) texted(number string) (code string) {
	w.Helper()
	w.settle()
	messages, err := filepath.Glob(filepath.Join(w.data, "outbox", "*.sms"))
	w.must(err)
	for _, path := range messages {
		raw, err := os.ReadFile(path)
		w.must(err)
		if m := regexp.MustCompile(`"text":"(\d{6}) `).FindSubmatch(raw); m != nil && bytes.Contains(raw, []byte(number)) {
			code = string(m[1])
		}
	}
	return code
}

// harden turns every layer on. It returns a client that has passed them.
func (w *forgotten) harden(m member) *client.Client {
	w.Helper()
	ctx := w.Context()
	w.must(m.c.ChangeEmail(ctx, "new-"+m.name+"@example.org")) // its links wait
	w.connect(m)
	phone := fmt.Sprintf("+4917%03d%03d%03d", m.name[0], m.name[1], m.name[2])
	_, err := m.c.EnrolSMS(ctx, phone)
	w.must(err)
	w.must(m.c.EnableEmailOTP(ctx))
	w.must(m.c.SetSecurityQuestion(ctx, client.NewQuestion{Question: "Which tree?", Answer: "weeping beech", Hint: "it lost its leaves late"}))
	e, err := m.c.EnrolTOTP(ctx)
	w.must(err)
	text := w.texted(phone)
	if err := m.c.ConfirmSMS(ctx, text[1:]+text[:1]); client.Code(err) == "" { // a wrong code, unless all digits are the same
		w.Fatalf("a wrong code: %v", err)
	}
	w.must(m.c.ConfirmSMS(ctx, text))
	code := func(at time.Time) client.TOTPCode {
		code, err := totp.GenerateCode(e.Secret, at)
		w.must(err)
		return client.TOTPCode{Code: code}
	}
	for tries := 3; ; tries-- { // the time step may end before the code arrives
		err := m.c.ConfirmTOTP(ctx, code(time.Now().Add(-30*time.Second)).Code)
		if err == nil {
			break
		}
		if tries == 0 {
			w.Fatal(err)
		}
	}
	other := w.client()
	_, ch, err := other.SignIn(ctx, client.SignIn{Identifier: m.name, Password: forgetPassword, Remember: true})
	w.must(err)
	_, ch, err = ch.Pass(ctx, client.TOTP, code(time.Now()))
	w.must(err)
	mailed := w.mailedCode(m)
	_, _, err = ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: strings.Map(func(r rune) rune { return '0' + (r-'0'+1)%10 }, mailed)})
	if client.Code(err) != "invalid_code" {
		w.Fatal(err)
	}
	_, ch, err = ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: mailed})
	w.must(err)
	_, ch, err = ch.Pass(ctx, client.SMS, client.SMSCode{Code: w.texted(phone)})
	w.must(err)
	if _, _, err = ch.Pass(ctx, client.SecurityQuestion, client.SecurityAnswer{Answer: "oak"}); client.Code(err) != "wrong_answer" {
		w.Fatal(err)
	}
	_, _, err = ch.Pass(ctx, client.SecurityQuestion, client.SecurityAnswer{Answer: "weeping beech"})
	w.must(err)
	_, err = other.MakeBackupCodes(ctx)
	w.must(err)
	w.must(other.ConfirmBackupCodes(ctx))
	w.addPasskey(m, other)
	return other
}

// addPasskey gives a user a passkey.
func (w *forgotten) addPasskey(m member, c *client.Client) {
	w.Helper()
	_, err := w.newPasskey(c)
	w.must(err)
	all, err := c.Passkeys(w.Context())
	w.must(err)
	_, err = c.RenamePasskey(w.Context(), all[0].ID, "key of "+m.name)
	w.must(err)
}

// newPasskey adds a passkey in the session of c.
func (w *forgotten) newPasskey(c *client.Client) (*virtualwebauthn.Credential, error) {
	raw, err := c.BeginNewPasskey(w.Context())
	if err != nil {
		return nil, err
	}
	options, err := virtualwebauthn.ParseAttestationOptions(string(raw))
	if err != nil {
		return nil, err
	}
	key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(key.Key.AttestationData()) != 77 { // the library drops leading zeros of a coordinate, which the server refuses
		key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	made := virtualwebauthn.CreateAttestationResponse(w.party(), virtualwebauthn.NewAuthenticator(), key, *options)
	_, err = c.AddPasskey(w.Context(), json.RawMessage(made), "")
	w.handles.Store(string(key.ID), options.UserID)
	return &key, err
}

// usePasskey signs in on c.
func (w *forgotten) usePasskey(c *client.Client, key virtualwebauthn.Credential) error {
	raw, err := c.BeginPasskeySignIn(w.Context())
	if err != nil {
		return err
	}
	options, err := virtualwebauthn.ParseAssertionOptions(string(raw))
	if err != nil {
		return err
	}
	owner, _ := w.handles.Load(string(key.ID))
	device := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: []byte(owner.(string))})
	_, err = c.SignInByPasskey(w.Context(), json.RawMessage(virtualwebauthn.CreateAssertionResponse(w.party(), device, key, *options)), "")
	return err
}

// party is the server, as authenticators know it.
func (w *forgotten) party() virtualwebauthn.RelyingParty {
	return virtualwebauthn.RelyingParty{ID: "localhost", Origin: w.url}
}

// trusts gives a user a trusted address, and opens a recovery session with it.
func (w *forgotten) trusts(m member, c *client.Client) {
	w.Helper()
	ctx := w.Context()
	second := "two-" + m.name + "@example.net"
	w.must(c.SetTrustedAddress(ctx, second))
	w.must(w.client().VerifyTrustedAddress(ctx, w.linkTo(second, "/trusted-email")))
	w.must(w.client().RecoverByTrustedAddress(ctx, m.name))
	_, err := w.client().ConfirmTrustedRecovery(ctx, client.TrustedRecovery{Token: w.linkTo(second, "/recover")})
	w.must(err)
}

// linkTo returns the token of the newest mail to an address whose link opens a page.
func (w *forgotten) linkTo(email, page string) (token string) {
	w.Helper()
	w.settle()
	mails, err := filepath.Glob(filepath.Join(w.data, "outbox", "*.eml"))
	w.must(err)
	for _, path := range mails {
		raw, err := os.ReadFile(path)
		w.must(err)
		text := strings.NewReplacer("=\r\n", "", "=\n", "", "=3D", "=").Replace(string(raw))
		if found := regexp.MustCompile(page + `#token=([A-Za-z0-9_-]+)`).FindStringSubmatch(text); found != nil && strings.Contains(text, "To: <"+email) {
			token = found[1]
		}
	}
	if token == "" {
		w.Fatalf("no link to %s for %s", page, email)
	}
	return token
}

// portrait is a GIF of four pixels.
var portrait = []byte("GIF89a\x02\x00\x02\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x02\x00\x02\x00\x00\x02\x02\x84\x51\x00;")

// use leaves data in every place of an account, and waiting messages.
func (w *forgotten) use(m member) {
	w.Helper()
	ctx := w.Context()
	_, ch, err := w.client().SignIn(ctx, client.SignIn{Identifier: m.name, Password: forgetPassword}) // stays open
	w.must(err)
	if ch == nil {
		w.Fatal("no layer is asked")
	}
	if _, _, err = ch.Pass(ctx, client.EmailOTP, client.EmailCode{Code: "000000"}); client.Code(err) != "invalid_code" {
		w.Fatalf("a wrong code: %v", err)
	}
	folder, err := m.c.CreateFolder(ctx, "", "papers")
	w.must(err)
	_, err = m.c.SetAvatar(ctx, bytes.NewReader(portrait), client.Crop{})
	w.must(err)
	big := bytes.Repeat([]byte("otters "), 30_000)
	_, err = m.c.Upload(ctx, folder.ID, client.Source{Name: "small", Content: strings.NewReader("otters")},
		client.Source{Name: "large", Content: bytes.NewReader(big)})
	w.must(err)
	var id string
	_, err = m.c.BeginUpload(ctx, client.NewUpload{Name: "unfinished", Size: 1000})
	w.must(err)
	gone, err := m.c.CreateFolder(ctx, "", "gone")
	w.must(err)
	_, err = m.c.Upload(ctx, gone.ID, client.Source{Name: "large", Content: bytes.NewReader(big)})
	w.must(err)
	over, err := m.c.UploadOver(ctx, "", client.Source{Name: "twice", Content: strings.NewReader("first")})
	w.must(err)
	_, err = m.c.UploadOver(ctx, "", client.Source{Name: "twice", Content: strings.NewReader("second")}) // a version
	w.must(err)
	_, err = m.c.CopyFile(ctx, over[0].ID, "", "copied")
	w.must(err)
	_, err = m.c.CreatePin(ctx, over[0].ID, client.NewPin{})
	w.must(err)
	link, err := m.c.CreateShare(ctx, over[0].ID, client.NewShare{})
	w.must(err)
	download, err := w.client().Link(link.URL).Download(ctx, "")
	w.must(err)
	_, err = io.ReadAll(download.Body)
	w.must(err)
	w.must(download.Body.Close())
	w.must(w.db.Tx(ctx, func(tx *db.Tx) error {
		_, err := w.ledger.Append(ctx, tx, account.ID(m.id), ledger.Event{Kind: ledger.Fail, Size: 6, Subject: "a pin of " + m.name})
		return err
	}))
	trashed, err := m.c.CreateFolder(ctx, "", "in the trash")
	w.must(err)
	w.must(m.c.DeleteFile(ctx, trashed.ID))
	w.must(m.c.DeleteFileForGood(ctx, gone.ID)) // its content waits for a job
	w.must(w.db.Tx(ctx, func(tx *db.Tx) error { // an upload that is not finished
		id, err = w.contents.Grow(ctx, tx, account.ID(m.id), content.UnknownLength, time.Now().Add(time.Hour))
		return err
	}))
	_, err = w.contents.Append(ctx, account.ID(m.id), id, 0, bytes.NewReader(big), content.AppendOptions{})
	w.must(err)
	for _, q := range []string{ // what the job of thumbnails leaves, while the other jobs still wait, and a pin that is being made
		`INSERT INTO pin_loose (pin, account, due_at) VALUES ('a pin of ' || $1, $1, 4102444800000)`,
		`INSERT INTO thumbnails (account, blob, picture) SELECT account, id, wrapped FROM blobs WHERE account = $1 AND state = 'live'`,
		`INSERT INTO thumbnail_marks (account, change, entry) VALUES ($1, 1, '')`,
	} {
		_, err := w.db.Exec(ctx, q, m.id)
		w.must(err)
	}
}
