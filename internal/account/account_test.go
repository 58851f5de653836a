package account

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/fault"
	"coffer/internal/jobs"
	"coffer/internal/keyring"
	"coffer/internal/kv"
	"coffer/internal/limit"
	"coffer/internal/mail"
)

// cheap keeps tests fast; the real costs are in the vectors.
var cheap = Argon2Params{MemoryKiB: 64, Time: 1, Threads: 1}

const goodPassword = "seven quiet otters 41"

// world is one service over a fresh database, with a clock and a mailbox.
type world struct {
	*Service
	t     *testing.T
	clock atomic.Int64

	mu   sync.Mutex
	box  []mail.Message
	work int // jobs that ran
}

func (w *world) now() time.Time          { return time.UnixMilli(w.clock.Load()) }
func (w *world) advance(d time.Duration) { w.clock.Add(d.Milliseconds()) }

func newWorld(t *testing.T, d *db.DB, change ...func(*Config)) *world {
	t.Helper()
	ctx := context.Background()
	w := &world{t: t}
	w.clock.Store(time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC).UnixMilli())
	root := make([]byte, 32)
	rand.Read(root)
	ring, err := keyring.Open(ctx, d, root, w.now)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	queue := jobs.New(d, jobs.Config{
		Now: w.now, Log: log,
		Seal: func(ctx context.Context, b []byte) ([]byte, error) {
			return ring.Seal(ctx, keyring.Field, b, []byte("jobs"))
		},
		Open: func(ctx context.Context, b []byte) ([]byte, error) {
			return ring.Open(ctx, keyring.Field, b, []byte("jobs"))
		},
	})
	queue.Handle(mail.Job, func(_ context.Context, payload []byte) error {
		var m mail.Message
		if err := json.Unmarshal(payload, &m); err != nil {
			return err
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		w.box = append(w.box, m)
		return nil
	})
	store := kv.NewSQL(d, w.now)
	cfg := Config{
		DB: d, Ring: ring, Jobs: queue, KV: store, Limit: limit.New(store, ring.Index, w.now), Now: w.now, Log: log,
		BaseURL: "https://coffer.test", Argon: cheap, Hashers: 4, HashQueue: 1000,
	}
	for _, c := range change {
		c(&cfg)
	}
	if w.Service, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	return w
}

// mails runs every job and returns what came into the mailbox since the last call.
func (w *world) mails() []mail.Message {
	w.t.Helper()
	for {
		worked, err := w.Jobs.Step(context.Background())
		if err != nil {
			w.t.Fatal(err)
		}
		if !worked {
			break
		}
		w.work++
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	box := w.box
	w.box = nil
	return box
}

func (w *world) mail(kind string) mail.Message {
	w.t.Helper()
	box := w.mails()
	if len(box) != 1 || box[0].Kind != kind {
		w.t.Fatalf("mails = %+v, want one %s", box, kind)
	}
	return box[0]
}

func tokenOf(m mail.Message) string {
	_, token, _ := strings.Cut(m.Data["link"], "#token=")
	return token
}

func person1(name string) NewAccount {
	return NewAccount{FirstName: "Ada", LastName: "Lovelace", Username: name, Email: name + "@example.org", Password: goodPassword}
}

// apply signs up and returns the mail that proves the address.
func (w *world) apply(in NewAccount) mail.Message {
	w.t.Helper()
	if err := w.SignUp(context.Background(), in); err != nil {
		w.t.Fatal(err)
	}
	return w.mail("verify-email")
}

// join makes an account as a person does.
func (w *world) join(in NewAccount) ID {
	w.t.Helper()
	if err := w.VerifyToken(context.Background(), tokenOf(w.apply(in)), ""); err != nil {
		w.t.Fatal(err)
	}
	st, err := w.CheckPassword(context.Background(), in.Email, in.Password)
	if err != nil {
		w.t.Fatal(err)
	}
	return st.ID
}

// code returns an error's code, "" for none.
func code(err error) string {
	if err == nil {
		return ""
	}
	return fault.Of(err).Code
}

// race runs f n times at once and counts the codes of their errors.
func race(n int, f func(i int) error) map[string]int {
	codes := make([]string, n)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			<-start
			codes[i] = code(f(i))
		})
	}
	close(start)
	wg.Wait()
	count := map[string]int{}
	for _, c := range codes {
		count[c]++
	}
	return count
}

func TestSignUpStory(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		in := NewAccount{FirstName: "Zoë", LastName: "Ng", Username: "Zoe.Ng", Email: "Zoe.NG@Example.ORG", Password: goodPassword, Lang: "de"}
		m := w.apply(in)
		if m.To != "Zoe.NG@example.org" || m.Lang != "de" {
			t.Errorf("mail to %q in %q, want the address as its owner wrote it, in the language chosen", m.To, m.Lang)
		}
		if len(m.Data["code"]) != 6 || len(tokenOf(m)) != 43 || !strings.HasPrefix(m.Data["link"], "https://coffer.test/verify-email#token=") {
			t.Errorf("mail data = %v", m.Data)
		}
		if _, err := w.CheckPassword(ctx, in.Email, in.Password); !errors.Is(err, ErrCredentials) {
			t.Errorf("sign-in before the proof: %v, want ErrCredentials", err)
		}
		if err := w.VerifyToken(ctx, tokenOf(m), ""); err != nil {
			t.Fatal(err)
		}
		if got := code(w.VerifyToken(ctx, tokenOf(m), "")); got != "link_gone" {
			t.Errorf("the link again: %q, want link_gone", got)
		}
		if got := code(w.VerifyCode(ctx, in.Email, m.Data["code"], "")); got != "link_gone" {
			t.Errorf("the code after the link: %q, want link_gone", got)
		}
		for _, identifier := range []string{"zoe.ng@example.org", "ZOE.NG@EXAMPLE.ORG", "zoe.ng", "Zoe.Ng"} {
			st, err := w.CheckPassword(ctx, identifier, goodPassword)
			if err != nil {
				t.Fatalf("sign-in as %q: %v", identifier, err)
			}
			again, err := w.State(ctx, st.ID)
			want := State{ID: st.ID, Status: Active, Ver: 1, Role: User, Lang: "de"}
			if diff := cmp.Diff(want, again); err != nil || diff != "" {
				t.Errorf("State: %v %s", err, diff)
			}
		}
		for _, wrong := range [][2]string{{"zoe.ng", goodPassword + " "}, {"zoe.ng", strings.ToUpper(goodPassword)}, {"nobody", goodPassword}, {"no@where.example", goodPassword}, {"", goodPassword}, {"@", goodPassword}} {
			if _, err := w.CheckPassword(ctx, wrong[0], wrong[1]); !errors.Is(err, ErrCredentials) {
				t.Errorf("CheckPassword(%q, %q) = %v, want ErrCredentials", wrong[0], wrong[1], err)
			}
		}
		if _, err := w.State(ctx, "nobody"); !errors.Is(err, ErrNotFound) {
			t.Errorf("State of nobody: %v", err)
		}
	})
}

func TestVerifyByCode(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		m := w.apply(person1("grace"))
		c := m.Data["code"]
		if err := w.VerifyCode(ctx, " GRACE@example.org", c[:3]+" "+c[3:], ""); err != nil {
			t.Fatal(err)
		}
		if got := code(w.VerifyCode(ctx, "grace@example.org", c, "")); got != "link_gone" {
			t.Errorf("the code again: %q, want link_gone", got)
		}
		if got := code(w.VerifyToken(ctx, tokenOf(m), "")); got != "link_gone" {
			t.Errorf("the link after the code: %q, want link_gone", got)
		}
	})
}

// A code belongs to the mail it came in: its digest put into another sign-up's row, by
// whoever can write there, opens nothing.
func TestCodesAreBoundToTheirSignUp(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	mine := w.apply(person1("mine"))
	w.apply(person1("theirs"))
	rows := map[string]signUpRow{}
	for _, name := range []string{"mine", "theirs"} {
		indexes, err := w.emailIndexes(ctx, address{Canonical: name + "@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		if rows[name], err = findSignUp(ctx, w.DB, indexes); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.DB.Exec(ctx, `UPDATE sign_ups SET code = $1 WHERE id = $2`, rows["mine"].Code, string(rows["theirs"].ID)); err != nil {
		t.Fatal(err)
	}
	if got := code(w.VerifyCode(ctx, "theirs@example.org", mine.Data["code"], "")); got != "invalid_code" {
		t.Errorf("another sign-up's code: %q, want invalid_code", got)
	}
}

// Five wrong codes close an address for codes, a new code opens it not, and an address
// that nobody signed up with answers the same all the way.
func TestCodeTries(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		first := w.apply(person1("grace"))
		member := w.join(person1("member"))
		if member == "" {
			t.Fatal("no account")
		}
		wrong := func(c string) string { return fmt.Sprintf("%06d", (atoi(c)+1)%1_000_000) }
		answers := map[string][]string{}
		for i := range 8 {
			if i == 4 {
				for _, to := range []string{"grace", "nobody", "member"} {
					if err := w.Resend(ctx, to+"@example.org"); err != nil {
						t.Fatal(err)
					}
				}
				first = w.mail("verify-email")
			}
			for _, to := range []string{"grace", "nobody", "member"} {
				answers[to] = append(answers[to], code(w.VerifyCode(ctx, to+"@example.org", wrong(first.Data["code"]), "")))
			}
		}
		want := []string{"invalid_code", "invalid_code", "invalid_code", "invalid_code", "invalid_code", "link_gone", "link_gone", "link_gone"}
		for to, got := range answers {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", to, diff)
			}
		}
		if got := code(w.VerifyCode(ctx, "grace@example.org", first.Data["code"], "")); got != "link_gone" {
			t.Errorf("the right code after five wrong ones: %q, want link_gone", got)
		}
		if err := w.VerifyToken(ctx, tokenOf(first), ""); err != nil {
			t.Errorf("the link must still work: %v", err)
		}
	})
}

func atoi(s string) (n int) {
	for _, r := range s {
		n = n*10 + int(r-'0')
	}
	return n
}

func TestProofsExpire(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	m := w.apply(person1("grace"))
	w.advance(10*time.Minute + time.Second)
	if got := code(w.VerifyCode(ctx, "grace@example.org", m.Data["code"], "")); got != "link_gone" {
		t.Errorf("code after 10 min: %q, want link_gone", got)
	}
	w.advance(24*time.Hour - 10*time.Minute - 2*time.Second)
	late := w.apply(person1("edith"))
	if err := w.VerifyToken(ctx, tokenOf(m), ""); err != nil {
		t.Errorf("link in its last second: %v", err)
	}
	w.advance(24 * time.Hour)
	if got := code(w.VerifyToken(ctx, tokenOf(late), "")); got != "link_gone" {
		t.Errorf("link after 24 h: %q, want link_gone", got)
	}
	if n, err := pruneSignUps(ctx, w.DB, w.now().UnixMilli()); err != nil || n != 2 {
		t.Errorf("pruned %d (%v), want the used and the expired one", n, err)
	}
}

// security.md row 44: whoever signed up first with a stranger's address has nothing once
// the stranger proves it.
func TestNewestSignUpVoidsOlder(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		attacker := person1("victim")
		attacker.Username, attacker.Password, attacker.FirstName = "attacker", "planted before the owner", "Mallory"
		planted := w.apply(attacker)
		owner := person1("victim")
		proof := w.apply(owner)
		if got := code(w.VerifyToken(ctx, tokenOf(planted), "")); got != "link_gone" {
			t.Errorf("the older link: %q, want link_gone", got)
		}
		if got := code(w.VerifyCode(ctx, owner.Email, planted.Data["code"], "")); got != "invalid_code" {
			t.Errorf("the older code: %q, want invalid_code", got)
		}
		if err := w.VerifyToken(ctx, tokenOf(proof), ""); err != nil {
			t.Fatal(err)
		}
		for _, identifier := range []string{owner.Email, "victim", "attacker"} {
			if _, err := w.CheckPassword(ctx, identifier, attacker.Password); !errors.Is(err, ErrCredentials) {
				t.Errorf("the planted password opens %q: %v", identifier, err)
			}
		}
		st, err := w.CheckPassword(ctx, owner.Email, owner.Password)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := w.Profile(ctx, st.ID); err != nil || p.FirstName != "Ada" || p.Username != "victim" {
			t.Errorf("profile = %+v, %v", p, err)
		}
	})
}

// A stranger must not be able to tell the three kinds of address apart: the request does
// the same work, and each address gets as many mails.
func TestSignUpTellsNothing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		w.join(person1("member"))
		w.apply(person1("waiting"))
		type work struct {
			Err    string
			Hashes int64
			Mails  int
			Jobs   int
		}
		measure := func(email string, username string) work {
			in := person1(username)
			in.Email = email
			hashes, ran := w.hasher.done.Load(), w.work
			err := w.SignUp(ctx, in)
			done := w.hasher.done.Load() - hashes
			return work{code(err), done, len(w.mails()), w.work - ran}
		}
		want := work{Hashes: 1, Mails: 1, Jobs: 2}
		for _, email := range []string{"new@example.org", "member@example.org", "waiting@example.org", "MEMBER@example.org"} {
			for _, username := range []string{"member", "fresh"} {
				if diff := cmp.Diff(want, measure(email, username)); diff != "" {
					t.Errorf("%s as %s: %s", email, username, diff)
				}
			}
		}
		for _, identifier := range []string{"member", "nobody", "member@example.org", "nobody@example.org", "waiting"} {
			before := w.hasher.done.Load()
			if _, err := w.CheckPassword(ctx, identifier, "not the right password"); !errors.Is(err, ErrCredentials) {
				t.Errorf("%s: %v", identifier, err)
			}
			if got := w.hasher.done.Load() - before; got != 1 {
				t.Errorf("%s cost %d hashes, want 1", identifier, got)
			}
		}
	})
}

func TestSignUpExistsMail(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	in := person1("member")
	in.Email = "Member@example.org"
	w.join(in)
	in.Email, in.FirstName, in.Username = "MEMBER@example.org", "Mallory", "mallory"
	if err := w.SignUp(ctx, in); err != nil {
		t.Fatal(err)
	}
	if m := w.mail("sign-up-exists"); m.To != "Member@example.org" || m.Data["name"] != "Ada" {
		t.Errorf("mail = %+v, want it to the stored address and name", m)
	}
}

func TestMailsToOneRecipientAreLimited(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	var last mail.Message
	for range 5 {
		last = w.apply(person1("grace"))
	}
	if err := w.SignUp(ctx, person1("grace")); err != nil {
		t.Errorf("over the share the answer must be the same: %v", err)
	}
	if err := w.Resend(ctx, "grace@example.org"); err != nil {
		t.Error(err)
	}
	if got := w.mails(); len(got) != 0 {
		t.Errorf("%d mails over the share, want none", len(got))
	}
	if err := w.VerifyToken(ctx, tokenOf(last), ""); err != nil {
		t.Errorf("what was not mailed must not void what was: %v", err)
	}
}

func TestUsernameTakenMeanwhile(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		w.join(person1("popular"))
		second := person1("second")
		second.Username = "popular"
		m := w.apply(second)
		if got := code(w.VerifyToken(ctx, tokenOf(m), "")); got != "username_taken" {
			t.Fatalf("got %q, want username_taken", got)
		}
		if got := code(w.VerifyCode(ctx, second.Email, m.Data["code"], "")); got != "username_taken" {
			t.Fatalf("by code: got %q, want username_taken", got)
		}
		if got := code(w.VerifyToken(ctx, tokenOf(m), "not a name")); got != "validation_failed" {
			t.Errorf("got %q, want validation_failed", got)
		}
		if err := w.VerifyToken(ctx, tokenOf(m), "Second"); err != nil {
			t.Fatal(err)
		}
		if _, err := w.CheckPassword(ctx, "second", second.Password); err != nil {
			t.Errorf("sign-in under the second choice: %v", err)
		}
		if _, err := w.CheckPassword(ctx, "popular", goodPassword); err != nil {
			t.Errorf("the first owner: %v", err)
		}
	})
}

func TestUsernamesAreNotProbedForEver(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	w.join(person1("popular"))
	in := person1("prober")
	in.Username = "popular"
	m := w.apply(in)
	got := map[string]int{}
	for range 12 {
		got[code(w.VerifyToken(ctx, tokenOf(m), ""))]++
	}
	if diff := cmp.Diff(map[string]int{"username_taken": 10, "rate_limited": 2}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRaces(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)

		m := w.apply(person1("grace"))
		got := race(20, func(int) error { return w.VerifyToken(ctx, tokenOf(m), "") })
		if diff := cmp.Diff(map[string]int{"": 1, "link_gone": 19}, got); diff != "" {
			t.Errorf("one link: %s", diff)
		}

		m = w.apply(person1("edith"))
		got = race(20, func(i int) error {
			if i%2 == 0 {
				return w.VerifyToken(ctx, tokenOf(m), "")
			}
			return w.VerifyCode(ctx, "edith@example.org", m.Data["code"], "")
		})
		if got[""] != 1 || got[""]+got["link_gone"] != 20 {
			t.Errorf("link and code of one mail: %v, want one winner", got)
		}

		var proofs []mail.Message
		for i := range 10 {
			in := person1(fmt.Sprintf("rival%d", i))
			in.Username = "wanted"
			proofs = append(proofs, w.apply(in))
		}
		got = race(10, func(i int) error { return w.VerifyToken(ctx, tokenOf(proofs[i]), "") })
		if diff := cmp.Diff(map[string]int{"": 1, "username_taken": 9}, got); diff != "" {
			t.Errorf("one username, ten sign-ups: %s", diff)
		}

		var ids []ID
		for i := range 6 {
			ids = append(ids, w.join(person1(fmt.Sprintf("racer%d", i))))
		}
		name := "finish"
		got = race(6, func(i int) error {
			_, err := w.Change(ctx, ids[i], Changes{Username: &name})
			return err
		})
		if diff := cmp.Diff(map[string]int{"": 1, "username_taken": 5}, got); diff != "" {
			t.Errorf("one username, six accounts: %s", diff)
		}
	})
}

func TestFirstAdmin(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		ctx := t.Context()
		w := newWorld(t, d)
		old, err := w.Bootstrap(ctx)
		if err != nil || old == "" {
			t.Fatalf("Bootstrap = %q, %v", old, err)
		}
		token, err := w.Bootstrap(ctx)
		if err != nil || token == old {
			t.Fatalf("the next start must replace the token: %v", err)
		}
		hashes := w.hasher.done.Load()
		for _, bad := range []string{old, "", "guess"} {
			if _, err := w.FirstAdmin(ctx, bad, person1("root")); code(err) != "link_gone" {
				t.Errorf("token %q: %v, want link_gone", bad, err)
			}
		}
		if w.hasher.done.Load() != hashes {
			t.Error("a guess got a password hashed")
		}
		got := race(20, func(i int) error {
			_, err := w.FirstAdmin(ctx, token, person1(fmt.Sprintf("root%d", i)))
			return err
		})
		if diff := cmp.Diff(map[string]int{"": 1, "link_gone": 19}, got); diff != "" {
			t.Error(diff)
		}
		if again, err := w.Bootstrap(ctx); err != nil || again != "" {
			t.Errorf("Bootstrap with an admin = %q, %v; want none", again, err)
		}
		admins := 0
		for i := range 20 {
			if st, err := w.CheckPassword(ctx, fmt.Sprintf("root%d", i), goodPassword); err == nil && st.Role == Admin && st.Status == Active {
				admins++
			}
		}
		if admins != 1 {
			t.Errorf("%d admins can sign in, want 1", admins)
		}
	})
}

func TestFirstAdminKeepsTokenWhenRefused(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	w.join(person1("taken"))
	token, err := w.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.FirstAdmin(ctx, token, person1("taken")); code(err) != "account_exists" {
		t.Fatalf("got %v, want account_exists", err)
	}
	if _, err := w.FirstAdmin(ctx, token, person1("boss")); err != nil {
		t.Errorf("the token must be as good as before: %v", err)
	}
}

func TestFirstAdminTokenDiesWithAnyAdmin(t *testing.T) {
	ctx := t.Context()
	w := newWorld(t, dbtest.SQLite(t))
	token, err := w.Bootstrap(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Create(ctx, person1("operator"), Admin); err != nil {
		t.Fatal(err)
	}
	if _, err := w.FirstAdmin(ctx, token, person1("second")); code(err) != "link_gone" {
		t.Errorf("got %v, want link_gone", err)
	}
}
