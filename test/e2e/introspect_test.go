package e2e

import (
	"os/exec"
	"regexp"
	"testing"
	"time"

	"coffer/client"
)

var madeServer = regexp.MustCompile(`(?m)^client id: +(\S+)\nclient secret: (\S+)$`)

// coffer runs a command of the program beside the server, on the same data.
func (s *server) coffer(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir, cmd.Env = s.data, s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("coffer %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// resourceServer asks about tokens with credentials that the operator made.
func resourceServer(t *testing.T, s *server) {
	ctx := t.Context()
	found := madeServer.FindStringSubmatch(s.coffer(t, "clients", "add", "Photos of "+t.Name()))
	if found == nil {
		t.Fatal("no credentials are printed")
	}
	as := client.ResourceServer{ID: found[1], Secret: found[2]}
	asking := s.client(t, nil)
	p := s.member(t)
	c := p.signIn(t, client.WithoutProofs())
	profile, err := c.Profile(ctx)
	if err != nil {
		t.Fatal(err)
	}
	accessToken := c.Credentials().AccessToken
	got, err := asking.Introspect(ctx, as, accessToken)
	if err != nil || !got.Active || got.Account != profile.ID || got.AAL != "aal1" || len(got.AMR) != 1 || got.AMR[0] != "pwd" {
		t.Errorf("a live token: %+v, %v", got, err)
	}
	if left := time.Until(got.Expires); left < time.Minute || left > time.Hour || time.Since(got.AuthTime) > time.Minute {
		t.Errorf("it expires in %v, and the proof is of %v", left, got.AuthTime)
	}
	if _, err := asking.Introspect(ctx, client.ResourceServer{ID: as.ID, Secret: as.Secret + "x"}, accessToken); client.Code(err) != "invalid_client" {
		t.Errorf("with another secret: %v", err)
	}
	if err := c.SignOut(ctx); err != nil {
		t.Fatal(err)
	}
	if got, err := asking.Introspect(ctx, as, accessToken); err != nil || got.Active {
		t.Errorf("after sign-out: %+v, %v", got, err)
	}
	s.coffer(t, "clients", "remove", as.ID)
	if _, err := asking.Introspect(ctx, as, accessToken); client.Code(err) != "invalid_client" {
		t.Errorf("after its removal: %v", err)
	}
}
