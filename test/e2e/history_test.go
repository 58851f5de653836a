package e2e

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"coffer/client"
)

// history reads the sign-in history, and waits until it holds what a job adds.
func history(t *testing.T, c *client.Client, f client.SignInFilter, ready func([]client.SignInEvent) bool) (all []client.SignInEvent) {
	t.Helper()
	wait(t, "the history holds what happened", func() bool {
		all = nil
		for one, err := range c.SignIns(t.Context(), f) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, one)
		}
		return ready(all)
	})
	return all
}

// signIns: an owner reads what happened at the doors, in words and as a table, and answers
// whether a new device was his.
func signIns(t *testing.T, s *server) {
	ctx := t.Context()
	p := s.member(t)
	home := p.signIn(t, client.WithUserAgent("otter/1"))
	// Strangers guess, from an address of their own, whatever they say it is (security.md row 18).
	stranger := newAddress()
	for _, header := range []string{"X-Forwarded-For", "X-Real-Ip", "Forwarded", "Cf-Connecting-Ip", "True-Client-Ip"} {
		a := s.raw(t, stranger, "POST", "/v1/auth/sign-in", fmt.Sprintf(`{"identifier":%q,"password":"wrong otters 41"}`, p.Email),
			header, "203.0.113.7", header, "for=203.0.113.8", "User-Agent", "-2+3")
		if a.status != http.StatusUnauthorized {
			t.Fatalf("a guess: %d %s", a.status, a.body)
		}
	}
	failed := history(t, home, client.SignInFilter{Outcome: client.EventFailed}, func(all []client.SignInEvent) bool { return len(all) == 5 })
	for _, one := range failed {
		if one.Kind != "sign-in-failed" || one.Address != stranger.String() || !slices.Equal(one.Methods, []string{"password"}) || one.SessionID != nil || one.Here {
			t.Errorf("a guess shows as %+v", one)
		}
	}

	// A new device of the owner, who says so, and then that it was not.
	p.stepUp(t, home)
	other := p.signIn(t, client.WithUserAgent("heron/1"))
	l := p.mail(t, "new-device")
	anybody := s.client(t, newAddress())
	if err := anybody.ConfirmDevice(ctx, l.token()); err != nil {
		t.Fatal(err)
	}
	if err := anybody.EndDevice(ctx, l.token()); err != nil {
		t.Fatal(err)
	}
	if err := anybody.ConfirmDevice(ctx, l.token()); client.Code(err) != "link_gone" {
		t.Errorf("a yes after the no: %v", err)
	}
	p.dead(t, other.Credentials())
	all := history(t, home, client.SignInFilter{}, func([]client.SignInEvent) bool { return true })
	var kinds []string
	for _, one := range all {
		if one.Outcome == client.EventOK {
			kinds = append(kinds, one.Kind)
		}
	}
	if want := []string{"device-ended", "device-confirmed", "signed-in", "stepped-up", "signed-in"}; !slices.Equal(kinds, want) {
		t.Errorf("the history: %q, want %q", kinds, want)
	}
	for _, one := range all {
		if one.Kind == "signed-in" && (one.SessionID == nil || one.Here != (*one.SessionID == home.Credentials().SessionID) || one.Address != p.from.String()) {
			t.Errorf("a sign-in shows as %+v", one)
		}
		if one.Kind == "signed-in" && !one.Here && !slices.Contains(one.Flags, "new_device") {
			t.Errorf("the new device is not flagged: %+v", one)
		}
	}
	if got := history(t, home, client.SignInFilter{Since: all[0].At, Until: all[0].At.Add(1e9)}, func([]client.SignInEvent) bool { return true }); len(got) == 0 || got[0].ID != all[0].ID {
		t.Errorf("the last one by its time: %+v", got)
	}

	table, err := home.ExportSignIns(ctx, client.SignInFilter{})
	if err != nil {
		t.Fatal(err)
	}
	defer table.Close()
	lines, err := csv.NewReader(table).ReadAll()
	if err != nil || len(lines) != len(all)+1 {
		t.Fatalf("a table of %d lines, %v, want %d", len(lines), err, len(all)+1)
	}
	for _, cell := range slices.Concat(lines...) {
		if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
			t.Errorf("the cell %q is a formula", cell)
		}
	}

	// Another person reads none of it.
	q := s.member(t)
	eve := q.signIn(t)
	for _, one := range history(t, eve, client.SignInFilter{}, func(all []client.SignInEvent) bool { return len(all) > 0 }) {
		if one.Address != q.from.String() || slices.ContainsFunc(all, func(a client.SignInEvent) bool { return a.ID == one.ID }) {
			t.Errorf("somebody else reads %+v", one)
		}
	}
}
