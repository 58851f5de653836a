package e2e

import (
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"coffer/client"
)

// fussy is a mail server that refuses every recipient until it is content.
type fussy struct {
	postOffice
	content atomic.Bool
}

func (f *fussy) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &fussyTurn{counter{o: &f.postOffice}, f}, nil
}

type fussyTurn struct {
	counter
	f *fussy
}

func (s *fussyTurn) Rcpt(string, *smtp.RcptOptions) error {
	if s.f.content.Load() {
		return nil
	}
	return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such mailbox"}
}

// jobsOf lists the work of a state.
func jobsOf(t *testing.T, c *client.Client, state string) (all []client.AdminJob) {
	t.Helper()
	for j, err := range c.AdminJobs(t.Context(), state) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, j)
	}
	return all
}

// An admin looks at the server as a whole: a job that gave up gets its turn again, a key gives
// way to the next one, a drop and a link are taken down. Each act is in the log, as are those of
// the operator at the server. Row F-X3.
func TestAdminServer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		ctx := t.Context()
		office := &fussy{}
		s := start(t, in, "COFFER_SMTP_URL=smtp://"+openOffice(t, office))
		p, boss := s.operator(t)
		o, err := boss.AdminOverview(ctx)
		if err != nil || o.Version == "" || len(o.Checks) < 3 || o.Usage.Accounts.Admins != 1 || o.Usage.Accounts.Active != 1 {
			t.Errorf("%+v, %v", o, err)
		}
		for name, state := range o.Checks {
			if state != "ok" {
				t.Errorf("%s is %s", name, state)
			}
		}
		retriedByHTTP(t, boss, p, office)
		rotatedByHTTP(t, s, p, boss)

		f, err := boss.Upload(ctx, "", client.Source{Name: "canary-7732.txt", Content: strings.NewReader("canary-7732")})
		if err != nil {
			t.Fatal(err)
		}
		link, err := boss.CreateShare(ctx, f[0].ID, client.NewShare{})
		if err != nil {
			t.Fatal(err)
		}
		if seen, err := boss.AdminShare(ctx, link.URL); err != nil || seen.ID != link.ID || seen.Account.Username != p.Username || seen.Blocked {
			t.Errorf("%+v, %v", seen, err)
		}
		if err := boss.AdminBlockShare(ctx, link.ID, true); err != nil {
			t.Error(err)
		}
		if seen, err := boss.AdminShare(ctx, link.ID); err != nil || !seen.Blocked || seen.State != "blocked" {
			t.Errorf("%+v, %v", seen, err)
		}
		d := openDrop(t, s, newAddress())
		wait(t, "the drop in the count", func() bool { // a count may be two seconds old
			u, err := boss.AdminUsage(ctx)
			return err == nil && u.Drops == 1 && u.Shares.Read == 1 && u.Shares.Blocked == 1 && u.Files == 1
		})
		if err := boss.AdminEndDrop(ctx, d.name); err != nil {
			t.Error(err)
		}
		d.closes()
		if err := boss.AdminBlockShare(ctx, link.ID, false); err != nil {
			t.Error(err)
		}
		if err := boss.AdminEndDrop(ctx, d.name); client.Code(err) != "drop_not_found" {
			t.Errorf("a drop that is gone: %v", err)
		}
		loggedAll(t, s, p, boss)
	})
}

// retriedByHTTP lets a mail be refused for good, and sends it again.
func retriedByHTTP(t *testing.T, boss *client.Client, p *person, office *fussy) {
	t.Helper()
	ctx := t.Context()
	if err := p.client(t).Forgot(ctx, p.Email); err != nil {
		t.Fatal(err)
	}
	var dead []client.AdminJob
	wait(t, "a job that gave up", func() bool { dead = jobsOf(t, boss, client.JobDead); return len(dead) > 0 })
	if j := dead[0]; len(dead) != 1 || j.State != client.JobDead || j.DeadAt == nil || j.Failure == "" || j.Attempts < 1 {
		t.Fatalf("%+v", dead)
	}
	office.content.Store(true)
	if err := boss.AdminRetryJob(ctx, dead[0].ID); err != nil {
		t.Fatal(err)
	}
	wait(t, "the mail that was refused", func() bool { return len(office.to(p.Email)) == 1 })
	for _, id := range []string{dead[0].ID, "01890000-0000-7000-8000-000000000000", "x"} {
		if err := boss.AdminRetryJob(ctx, id); client.Code(err) != "not_found" {
			t.Errorf("%s: %v", id, err)
		}
	}
	if dead := jobsOf(t, boss, client.JobDead); len(dead) != 0 {
		t.Errorf("%+v", dead)
	}
	for _, state := range []string{client.JobWaiting, client.JobRunning} {
		for _, j := range jobsOf(t, boss, state) {
			if j.State != state || j.DeadAt != nil {
				t.Errorf("%s: %+v", state, j)
			}
		}
	}
}

// rotatedByHTTP rotates a key. What was sealed before opens after it.
func rotatedByHTTP(t *testing.T, s *server, p *person, boss *client.Client) {
	t.Helper()
	ctx := t.Context()
	active := func() (id string) {
		ring, err := boss.AdminKeys(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range ring.Keys {
			if k.Purpose == "field" && k.State == "active" {
				id += k.ID
			}
		}
		return id
	}
	before := active()
	k, err := boss.AdminRotateKey(ctx, "field")
	if err != nil || k.ID == before || k.Purpose != "field" || k.State != "active" || active() != k.ID {
		t.Fatalf("%+v, %v; before it was %s", k, err, before)
	}
	if me, err := boss.Profile(ctx); err != nil || me.Email != p.Email {
		t.Errorf("%+v, %v", me, err)
	}
	if _, err := boss.AdminRotateKey(ctx, "canary"); client.Status(err) != http.StatusUnprocessableEntity {
		t.Errorf("a purpose that is none: %v", err)
	}
	if bare := s.raw(t, p.from, "POST", "/v1/admin/keys", `{"purpose":"field"}`); bare.status != http.StatusUnauthorized {
		t.Errorf("without a session: %d", bare.status)
	}
}

var endsBlock = regexp.MustCompile(`coffer admin block remove (\S+) ends it`)

// loggedAll acts at the server too, and reads the log.
func loggedAll(t *testing.T, s *server, p *person, boss *client.Client) {
	t.Helper()
	began := time.Now()
	blocked := endsBlock.FindStringSubmatch(s.coffer(t, "admin", "block", "add", "203.0.113.0/24", "--reason", "canary-7733", "--for", "24h"))
	if blocked == nil {
		t.Fatal("no network was blocked")
	}
	s.coffer(t, "admin", "block", "remove", blocked[1])
	next := pendingKey(t, boss, "token")
	s.coffer(t, "keys", "rewrap")
	s.coffer(t, "keys", "destroy", "token", next)
	s.coffer(t, "admin", "prune", "--dry-run")
	s.coffer(t, "admin", "prune")
	made := madeServer.FindStringSubmatch(s.coffer(t, "clients", "add", "Photos of the desk"))
	if made == nil {
		t.Fatal("no resource server was made")
	}
	s.coffer(t, "clients", "remove", made[1])
	page, err := boss.AdminEvents(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	byAction, times := map[string]client.AdminEvent{}, map[string]int{}
	for _, e := range page.Items {
		byAction[e.Action] = e
		times[e.Action]++
	}
	for action, kind := range map[string]string{
		"account.first-admin": "admin", "job.retry": "admin", "key.rotate": "admin", "share.block": "admin", "share.unblock": "admin", "drop.end": "admin",
		"block.add": "console", "block.remove": "console", "client.add": "console", "client.remove": "console", "key.rewrap": "console", "key.destroy": "console", "prune": "console",
	} {
		e, there := byAction[action]
		if !there || e.Actor.Kind != kind || kind == "console" && e.Actor.Console == "" {
			t.Errorf("%s: %+v", action, e)
		}
	}
	if e := byAction["account.first-admin"]; e.Account == nil || e.Account.Username != p.Username || e.Actor.Address != p.from.String() {
		t.Errorf("%+v", e)
	}
	added := byAction["block.add"]
	if added.Data["network"] != "203.0.113.0/24" || added.Data["reason"] != "canary-7733" {
		t.Errorf("%+v", added)
	}
	if ends, err := time.Parse(time.RFC3339, added.Data["expires_at"]); err != nil || ends.Before(began.Add(24*time.Hour-time.Second)) || ends.After(time.Now().Add(24*time.Hour)) {
		t.Errorf("the end of a block: %+v, %v", added, err)
	}
	if e := byAction["block.remove"]; e.Data["network"] != "203.0.113.0/24" {
		t.Errorf("%+v", e)
	}
	if e := byAction["key.destroy"]; e.Target != "token "+next {
		t.Errorf("%+v", e)
	}
	if times["prune"] != 1 {
		t.Errorf("%d entries of one removal and one count", times["prune"])
	}
	for _, action := range []string{"client.add", "client.remove"} {
		if e := byAction[action]; e.Target != made[1] || e.Data["name"] != "Photos of the desk" {
			t.Errorf("%+v", e)
		}
	}
}

// pendingKey is the key of a purpose that becomes the next one.
func pendingKey(t *testing.T, boss *client.Client, purpose string) string {
	t.Helper()
	ring, err := boss.AdminKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range ring.Keys {
		if k.Purpose == purpose && k.State == "pending" {
			return k.ID
		}
	}
	t.Fatalf("no key of %s is pending", purpose)
	return ""
}

// A suspended owner is refused alike by every way in, and no way in opens the account. security.md
// rows 21 and 53.
func TestSuspendedByEveryWayIn(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := startProvided(t, in, "COFFER_TRUSTED_COOLDOWN=0s")
		ctx := t.Context()
		_, boss := s.operator(t)
		p := s.member(t)
		c := p.signIn(t)
		key := newSecurityKey(t, s.server)
		key.register(c, "")
		s.connects(t, p, c, "suspended")
		p.twoLayers(t, c)
		trusted := p.trusts(t, c, "two-"+p.Email)
		codes := p.backup(t, c)
		before := p.recoveryLink(t, trusted)
		s.suspend(t, boss, p)

		for name, enter := range map[string]func(d *client.Client) error{
			"password": func(d *client.Client) error {
				_, _, err := d.SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
				return err
			},
			"passkey": func(d *client.Client) error { _, err := key.signIn(d); return err },
			"Google": func(d *client.Client) error {
				_, _, err := d.ExchangeSocial(ctx, arrive(t, d, "google"), client.SocialSignIn{})
				return err
			},
			"activation": func(d *client.Client) error { return d.Activate(ctx, p.Email, p.Password) },
			"activation by passkey": func(d *client.Client) error {
				options, err := d.BeginPasskeySignIn(ctx)
				if err != nil {
					return err
				}
				return d.ActivateByPasskey(ctx, key.get(options))
			},
			"activation by Google": func(d *client.Client) error { return d.ActivateSocial(ctx, arrive(t, d, "google")) },
			"backup code": func(d *client.Client) error {
				_, err := d.RecoverByBackupCode(ctx, client.BackupRecovery{Identifier: p.Email, Password: p.Password, Code: codes[0]})
				return err
			},
			"trusted address": func(d *client.Client) error {
				_, err := d.ConfirmTrustedRecovery(ctx, client.TrustedRecovery{Token: p.recoveryLink(t, trusted)})
				return err
			},
		} {
			if err := enter(p.client(t)); client.Code(err) != "account_suspended" || client.Status(err) != http.StatusForbidden {
				t.Errorf("%s: %v", name, err)
			}
		}
		if _, err := p.client(t).ConfirmTrustedRecovery(ctx, client.TrustedRecovery{Token: before}); client.Code(err) != "link_gone" {
			t.Errorf("a link from before: %v", err)
		}
		if slices.Contains(p.mails(t), "activate") {
			t.Error("a suspended owner gets a link to activate the account")
		}
		id := s.idOf(t, boss, p)
		if a, err := boss.AdminAccount(ctx, id); err != nil || !a.Suspended || a.Sessions != 0 {
			t.Errorf("%+v, %v", a, err)
		}
		if _, err := boss.AdminChange(ctx, id, map[string]any{"status": "active"}); err != nil {
			t.Fatal(err)
		}
		if opened, err := key.signIn(p.client(t)); err != nil || opened.AAL != "aal2" {
			t.Errorf("after the suspension: %+v, %v", opened, err)
		}
	})
}

func (s *server) idOf(t *testing.T, boss *client.Client, p *person) string {
	t.Helper()
	found, err := boss.AdminAccounts(t.Context(), p.Email, "")
	if err != nil || len(found.Items) != 1 {
		t.Fatalf("%+v, %v", found, err)
	}
	return found.Items[0].ID
}

func (s *server) suspend(t *testing.T, boss *client.Client, p *person) {
	t.Helper()
	if _, err := boss.AdminChange(t.Context(), s.idOf(t, boss, p), map[string]any{"status": "suspended"}); err != nil {
		t.Fatal(err)
	}
}

// The running answers of a suspended owner are cut: the stream of changes, and a download. A drop belongs
// to no account, so it goes on until an admin closes it, and its sockets with it.
func TestSuspensionCutsWhatRuns(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		ctx := t.Context()
		s := start(t, in)
		_, boss := s.operator(t)
		p := s.member(t)
		c := p.signIn(t, client.WithoutProofs())
		f := uploadPattern(t, c, 24<<20) // more than socket buffers hold
		d, err := c.Download(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Body.Close()
		if _, err := io.CopyN(io.Discard, d.Body, 1<<20); err != nil {
			t.Fatal(err)
		}
		next := p.watch(t, p.signIn(t))
		host := openDrop(t, s, p.from)
		guest := host.guest(newAddress())

		// 5 s are promised; a busy machine may need more.
		const promised, most = 5 * time.Second, 30 * time.Second
		began := time.Now()
		s.suspend(t, boss, p)
		cut := make(chan time.Duration, 1)
		go func() {
			for {
				if _, err := next(); err != nil {
					cut <- time.Since(began)
					return
				}
			}
		}()
		select {
		case took := <-cut:
			if took > promised {
				t.Logf("the stream of changes was cut after %s; %s are promised on a machine that is not busy", took, promised)
			}
		case <-time.After(most):
			t.Fatalf("the stream of changes lives %s after the suspension", most)
		}
		// The download waits for its reader: the cut shows once what is on the way is read.
		time.Sleep(time.Until(began.Add(promised + time.Second)))
		if n, err := io.Copy(io.Discard, d.Body); err == nil {
			t.Errorf("the download went on to its end: %d bytes", n)
		}

		began = time.Now()
		if err := boss.AdminEndDrop(ctx, host.name); err != nil {
			t.Fatal(err)
		}
		host.closes()
		guest.closes()
		if took := time.Since(began); took > most {
			t.Errorf("the sockets of a drop that an admin closed live for %s", took)
		}
	})
}

// An account that is being deleted has no owner: no sign-in finds it, and no admin changes it.
func TestAdminMeetsADeletion(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		ctx := t.Context()
		s := start(t, in)
		_, boss := s.operator(t)
		p := s.member(t)
		c := p.signIn(t)
		id := s.idOf(t, boss, p)
		if err := c.DeleteAccount(ctx); err != nil {
			t.Fatal(err)
		}
		if found, err := boss.AdminAccounts(ctx, p.Email, ""); err != nil || len(found.Items) != 0 {
			t.Errorf("found by its address: %+v, %v", found, err)
		}
		for _, changes := range []map[string]any{{"status": "suspended"}, {"status": "active"}, {"role": "admin"}, {"locked": true}, {"quota_bytes": 1}} {
			if _, err := boss.AdminChange(ctx, id, changes); client.Code(err) != "not_found" {
				t.Errorf("%v: %v", changes, err)
			}
		}
		for what, err := range map[string]error{"its sessions": boss.AdminEndSessions(ctx, id), "a reset": boss.AdminStartReset(ctx, id)} {
			if client.Code(err) != "not_found" {
				t.Errorf("%s: %v", what, err)
			}
		}
		if _, _, err := p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password}); client.Code(err) != "invalid_credentials" {
			t.Errorf("sign-in: %v", err)
		}
		page, err := boss.AdminEvents(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range page.Items {
			if e.Account != nil && e.Account.ID == id {
				t.Errorf("an act that did not happen is in the log: %+v", e)
			}
		}
	})
}

// An admin's unlock opens the door that strangers hold.
func TestAdminUnlock(t *testing.T) {
	t.Parallel()
	s := start(t, alone, "COFFER_LIMIT_SIGN_IN_ACCOUNT=3/15m")
	ctx := t.Context()
	_, boss := s.operator(t)
	p := s.member(t)
	try := func(password string) error {
		_, _, err := s.client(t, newAddress()).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: password})
		return err
	}
	for range 3 {
		if err := try("guessed otters 11"); client.Code(err) != "invalid_credentials" {
			t.Fatal(err)
		}
	}
	if err := try(p.Password); client.Code(err) != "sign_in_held" {
		t.Fatalf("a held door: %v", err)
	}
	if a, err := boss.AdminChange(ctx, s.idOf(t, boss, p), map[string]any{"locked": false}); err != nil || a.Locked {
		t.Fatalf("%+v, %v", a, err)
	}
	if err := try(p.Password); err != nil {
		t.Errorf("after the unlock: %v", err)
	}
}

// `coffer admin prune` in a shell without the server's variables removes nothing by its own
// ages.
func TestPruneWithoutTheServersSettings(t *testing.T) {
	t.Parallel()
	const setting = "COFFER_HISTORY_TTL=9000h"
	s := start(t, alone, setting)
	prune := func(env []string, more ...string) (string, error) {
		cmd := exec.CommandContext(t.Context(), program, append([]string{"admin", "prune"}, more...)...)
		cmd.Dir, cmd.Env = s.data, env
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	bare := slices.DeleteFunc(slices.Clone(s.env), func(v string) bool { return v == setting })
	wait(t, "a refusal", func() bool { // the server notes its ages as it begins to work
		out, err := prune(bare)
		return err != nil && strings.Contains(out, "sign_in_events for 9000h") && strings.Contains(out, "environment variables")
	})
	if out, err := prune(bare, "--dry-run"); err == nil {
		t.Errorf("a count by other ages:\n%s", out)
	}
	if out, err := prune(s.env); err != nil || !strings.Contains(out, "sign_in_events") {
		t.Errorf("with the server's settings: %v\n%s", err, out)
	}
}
