package recovery_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"coffer/internal/account"
	"coffer/internal/db"
	"coffer/internal/db/dbtest"
	"coffer/internal/rest"
	"coffer/internal/session"
)

// The page for people says what is enough to get back in. These tests read its tables and
// try every combination.
const ladderPage = "../../docs/recovery.md"

// The proofs, as the page names them.
const (
	havePassword = "password"
	haveMailbox  = "mailbox"
	haveSteps    = "every sign-in step"
	haveBackup   = "backup code"
	haveTrusted  = "trusted mailbox"
	havePasskey  = "passkey"
)

// outcomes are what a person gets, the least first.
var outcomes = []string{"nothing", "a new password", "back in after 24 hours", "back in"}

// rung is one row of a table: what it takes, and what a person gets for it.
type rung struct {
	needs []string
	gets  int
}

// ladder reads the table below a heading of the page.
func ladder(t *testing.T, heading string) (rungs []rung) {
	t.Helper()
	raw, err := os.ReadFile(ladderPage)
	if err != nil {
		t.Fatal(err)
	}
	_, part, found := strings.Cut(string(raw), "\n## "+heading+"\n")
	part, _, _ = strings.Cut(part, "\n## ")
	proofs := []string{havePassword, haveMailbox, haveSteps, haveBackup, haveTrusted, havePasskey}
	for line := range strings.Lines(part) {
		cells := strings.Split(strings.TrimSpace(line), " | ")
		if len(cells) != 3 || strings.Contains(line, "---") || strings.Contains(line, "you still have") {
			continue
		}
		r := rung{needs: strings.Split(strings.TrimPrefix(cells[0], "| "), " + "), gets: slices.Index(outcomes, cells[1])}
		if r.gets < 0 || slices.ContainsFunc(r.needs, func(n string) bool { return !slices.Contains(proofs, n) }) {
			t.Fatalf("a row that no test understands: %s", line)
		}
		rungs = append(rungs, r)
	}
	if !found || len(rungs) == 0 {
		t.Fatalf("%s has no table below %q", ladderPage, heading)
	}
	return rungs
}

// promised is the most that the page gives for what a person holds.
func promised(rungs []rung, held []string) (gets int) {
	for _, r := range rungs {
		if !slices.ContainsFunc(r.needs, func(n string) bool { return !slices.Contains(held, n) }) {
			gets = max(gets, r.gets)
		}
	}
	return gets
}

// subsets are all combinations of some things.
func subsets(of []string) (all [][]string) {
	for bits := range 1 << len(of) {
		var some []string
		for i, s := range of {
			if bits>>i&1 == 1 {
				some = append(some, s)
			}
		}
		all = append(all, some)
	}
	return all
}

// person is an account, and what its owner still holds.
type person struct {
	*world
	name, secret, backup string
	id                   account.ID
	held                 []string
}

func (p *person) has(proof string) bool { return slices.Contains(p.held, proof) }

// person makes an account with what is enabled.
func (w *world) person(name string, steps bool, ways, held []string) *person {
	w.t.Helper()
	p := &person{world: w, name: name, held: held, id: w.Join(name)}
	if steps {
		p.secret = w.twoLayers(p.id)
	}
	if slices.Contains(ways, haveBackup) {
		p.backup = w.withCodes(p.id)[0]
	}
	if slices.Contains(ways, haveTrusted) {
		w.is(w.verifyTrusted(w.askTrusted(p.id, name+secondOf)), 204, "")
	}
	w.Advance(rest3days)
	w.Mails()
	return p
}

// tap is the proof of a passkey, which passes every layer. It is refused when the person has
// lost it.
func (p *person) tap() error {
	if !p.has(havePasskey) {
		return account.ErrCredentials
	}
	return nil
}

// steps passes the layers of an attempt, if the person can, and reports whether that opened
// an ordinary session.
func (p *person) steps(r reply) bool {
	p.t.Helper()
	if r.Status == 201 {
		return r.AAL != "recovery" && p.alive(r.AccessToken)
	}
	if r.Status != 202 || r.AttemptID == "" {
		return false
	}
	if !p.has(haveSteps) {
		in := session.AttemptInput{ID: r.AttemptID, Authorization: "Attempt " + r.AttemptToken}
		out, err := p.sessions.PassAll(p.t.Context(), in, func(context.Context, *db.Tx, account.ID) ([]string, error) {
			return []string{"hwk", "user", "mfa"}, p.tap()
		})
		return err == nil && out.Opened.AAL == session.AAL2 && p.alive(out.Opened.AccessToken)
	}
	p.Advance(time.Minute) // to a code that is not spent
	p.is(p.pass(r, p.secret), 202, "")
	r = p.is(p.call(home, "POST", "/auth/attempts/"+r.AttemptID+"/broken", "Attempt "+r.AttemptToken, nil), 201, "")
	return r.AAL == "aal2" && p.alive(r.AccessToken)
}

// repairs turns the layers off in a recovery session, sets a password, and signs in with it.
// A session that may not do so does nothing.
func (p *person) repairs(r reply) bool {
	p.t.Helper()
	as := "Bearer " + r.AccessToken
	if got := p.call(home, "DELETE", "/account/totp?recovery=off", as, nil); got.Status != 204 {
		p.is(got, 403, "recovery_waits")
		return false
	}
	p.is(p.call(home, "DELETE", "/account/broken", as, nil), 204, "")
	p.is(p.call(home, "PUT", "/account/password", as, fields{"new_password": "eleven shy lemurs 63"}), 201, "")
	return p.is(p.signIn(p.name, "eleven shy lemurs 63", nil), 201, "").AAL == "aal1"
}

// ways are what a person tries, each with the proofs that it takes; it returns what it got.
var ways = map[string]func(p *person) int{
	"sign-in": func(p *person) int {
		if p.has(havePassword) && p.steps(p.signIn(p.name, oldPassword, nil)) {
			return 3
		}
		return 0
	},
	"passkey": func(p *person) int {
		st, err := p.Accounts.State(p.t.Context(), p.id)
		if err != nil {
			p.t.Fatal(err)
		}
		e, err := p.sessions.Prepare(session.SessionRequest{}, rest.Client{}, "hwk", "user", "mfa")
		if err != nil {
			p.t.Fatal(err)
		}
		out, err := p.sessions.EnterProven(p.t.Context(), st, e, func(context.Context, *db.Tx, string) error { return p.tap() })
		if err == nil && out.Opened.AAL == session.AAL2 && p.alive(out.Opened.AccessToken) {
			return 3
		}
		return 0
	},
	"forgot": func(p *person) int {
		if !p.has(haveMailbox) {
			return 0
		}
		if p.steps(p.reset(p.forgot(p.name), newPassword)) {
			return 3
		}
		return 1
	},
	"backup code, password": func(p *person) int {
		password, code := oldPassword, p.backup
		if !p.has(havePassword) {
			password = "guessed otters 11"
		}
		if !p.has(haveBackup) {
			code = wrongBackup
		}
		if got := p.useCode(p.name, password, code); got.Status == 201 && p.repairs(got) {
			return 3
		}
		return 0
	},
	"backup code, mailbox": func(p *person) int {
		code := p.backup
		if !p.has(haveBackup) {
			code = wrongBackup
		}
		p.Mails()
		p.is(p.mailCode(home, p.name, code), 202, "")
		links := p.mailed("recovery-backup")
		if len(links) == 0 || !p.has(haveMailbox) {
			return 0
		}
		_, token, _ := strings.Cut(strings.TrimSuffix(links[0].Data["link"], "&way=backup-code"), "#token=")
		if got := p.useLink(token); got.Status == 201 && p.repairs(got) {
			return 3
		}
		return 0
	},
	"trusted address": func(p *person) (got int) {
		for range 2 {
			p.Mails()
			p.is(p.post("/auth/recovery/trusted-email", fields{"identifier": p.name}), 202, "")
			links := p.trustedLinks()
			if len(links) == 0 || !p.has(haveTrusted) {
				return got
			}
			open := p.is(p.useTrusted(links[0]), 201, "")
			if p.repairs(open) {
				return max(got, 2)
			}
			if got > 0 {
				return got
			}
			next := p.is(p.call(home, "PUT", "/account/password", "Bearer "+open.AccessToken, fields{"new_password": newPassword}), 202, "")
			if got = 1; p.steps(next) {
				return 3
			}
			p.Advance(wait1day)
		}
		return got
	},
}

// cheapFirst lists the ways. Those that need one call come first.
func cheapFirst() []string {
	first := []string{"passkey", "sign-in", "forgot"}
	rest := slices.DeleteFunc(slices.Sorted(maps.Keys(ways)), func(way string) bool { return slices.Contains(first, way) })
	return append(first, rest...)
}

// Each combination of what is enabled and what is still held gets what the page says: not
// more than was proved, and a way back for each who has one.
func TestLadder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t), nil)
	tried := 0
	for _, steps := range []bool{false, true} {
		rungs := ladder(t, map[bool]string{false: "Without sign-in steps", true: "With sign-in steps"}[steps])
		all := []string{haveBackup, haveTrusted}
		if !steps {
			all = nil // they need layers
		}
		used := map[int]bool{}
		for _, enabled := range subsets(all) {
			holdable := append([]string{havePassword, haveMailbox, havePasskey}, enabled...)
			if steps {
				holdable = append(holdable, haveSteps)
			}
			for _, held := range subsets(holdable) {
				tried++
				want, got := promised(rungs, held), 0
				for i, way := range cheapFirst() {
					if got == len(outcomes)-1 && got == want {
						break // no way gives more
					}
					name := fmt.Sprintf("ada-%d-%d", tried, i)
					most := ways[way](w.person(name, steps, enabled, held))
					if most > want {
						t.Errorf("with %q enabled, and %q held: %s gives %q, the page says %q", enabled, held, way, outcomes[most], outcomes[want])
					}
					got = max(got, most)
				}
				if got < want {
					t.Errorf("with %q enabled, and %q held: %q, the page says %q", enabled, held, outcomes[got], outcomes[want])
				}
				for i, r := range rungs {
					used[i] = used[i] || len(held) == len(r.needs) && promised([]rung{r}, held) == r.gets
				}
			}
		}
		for i, r := range rungs {
			if !used[i] {
				t.Errorf("no combination is the row %q", r.needs)
			}
		}
	}
	if tried != 2*(4+8+16+16+32) {
		t.Errorf("%d combinations", tried)
	}
}

// passable gives the world's own layer its operations: anybody passes it, and turns it off.
func (w *world) passable(a *rest.API) {
	rest.Register(a, rest.Op{Method: "POST", Path: "/auth/attempts/{id}/broken", ID: "pass-broken", Tag: "Test", Access: rest.Attempt, Status: 201, Summary: "Pass"},
		func(ctx context.Context, in *session.AttemptInput) (*session.Answer, error) {
			return session.Respond(w.sessions.Pass(ctx, *in, w.Name(), func(context.Context, *db.Tx, account.ID) error { return nil }))
		})
	rest.Register(a, rest.Op{Method: "DELETE", Path: "/account/broken", ID: "drop-broken", Tag: "Test", Access: rest.StepUp, Repairs: true, Status: 204, Summary: "Off"},
		func(ctx context.Context, in *account.DropLayerInput) (*struct{}, error) {
			return nil, w.sessions.TurnOff(ctx, in.Caller, w.Name(), "totp-disabled", in.RecoveryOff())
		})
}

// off is the world's own layer without rows.
func off(context.Context, *db.Tx, account.ID) (was bool, err error) { return false, nil }
