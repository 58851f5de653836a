package e2e

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"coffer/client"
)

// operation is one operation of the server's OpenAPI document.
type operation struct {
	method, path string
	public       bool
}

func operations(t *testing.T, c *client.Client) []operation {
	t.Helper()
	raw, err := c.OpenAPI(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]struct {
			Security []map[string][]string `json:"security"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatal(err)
	}
	var all []operation
	for path, methods := range document.Paths {
		if !strings.HasPrefix(path, "/v1") {
			path = "/v1" + path // the document's server is at /v1
		}
		for method, o := range methods {
			public := len(o.Security) != 1 || o.Security[0]["bearer"] == nil
			all = append(all, operation{strings.ToUpper(method), path, public})
		}
	}
	slices.SortFunc(all, func(a, b operation) int { return strings.Compare(a.path+a.method, b.path+b.method) })
	if len(all) < 20 {
		t.Fatalf("the document has %d operations", len(all))
	}
	return all
}

// good are valid bodies for the operations on an id, so that only the id decides.
var good = map[string]string{
	"PATCH /v1/files/{id}":             `{"name":"mine now"}`,
	"PATCH /v1/sessions/{id}":          `{"name":"mine now"}`,
	"PATCH /v1/account/passkeys/{id}":  `{"name":"mine now"}`,
	"DELETE /v1/account/passkeys/{id}": "",
	"DELETE /v1/files/{id}":            "",
	"DELETE /v1/sessions/{id}":         "",
	"GET /v1/files/{id}":               "",
	"GET /v1/files/{id}/content":       "",
	"GET /v1/files/{id}/archive":       "",
	"GET /v1/files/{id}/thumbnail":     "",
	"GET /v1/trash/{id}/thumbnail":     "",
	"GET /v1/sessions/{id}":            "",
	"POST /v1/files/{id}/copy":         `{"name":"mine now"}`,
	"GET /v1/files/{id}/versions":      "",
	"POST /v1/trash/{id}/restore":      "",
	"DELETE /v1/trash/{id}":            "",

	"GET /v1/files/{id}/versions/{version}/content":  "",
	"POST /v1/files/{id}/versions/{version}/restore": "",
	"DELETE /v1/files/{id}/versions/{version}":       "",

	"POST /v1/files/{id}/shares": `{"kind":"read"}`, "GET /v1/files/{id}/shares": "",
	"GET /v1/shares/{id}": "", "PATCH /v1/shares/{id}": `{"note":"mine now"}`, "DELETE /v1/shares/{id}": "", "GET /v1/shares/{id}/uses": "",

	"POST /v1/files/{id}/pins": `{}`, "GET /v1/pins/{id}": "", "DELETE /v1/pins/{id}": "", "POST /v1/pins/{id}/verify": "", "POST /v1/pins/{id}/retry": "",

	"GET /v1/auth/attempts/{id}": "",

	"GET /v1/uploads/{id}": "", "HEAD /v1/uploads/{id}": "", "PATCH /v1/uploads/{id}": "bytes", "DELETE /v1/uploads/{id}": "",

	"POST /v1/auth/attempts/{id}/sms/resend": "",

	"POST /v1/auth/attempts/{id}/passkey/options": "", "POST /v1/auth/attempts/{id}/passkey": `{"credential":{}}`,
}

// private makes a folder with a diary, which has a version, a folder in the trash, and an
// upload that is not finished.
func private(t *testing.T, c *client.Client) (folder, diary, trashed client.Entry, version, upload string) {
	t.Helper()
	ctx := t.Context()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	folder, err := c.CreateFolder(ctx, "", "private")
	must(err)
	_, err = c.Upload(ctx, folder.ID, client.Source{Name: "diary.txt", Content: strings.NewReader("A draft")})
	must(err)
	stored, err := c.UploadOver(ctx, folder.ID, client.Source{Name: "diary.txt", Content: strings.NewReader("Dear diary")})
	must(err)
	for v, err := range c.Versions(ctx, stored[0].ID) {
		must(err)
		version = v.ID
	}
	trashed, err = c.CreateFolder(ctx, folder.ID, "deleted")
	must(err)
	must(c.DeleteFile(ctx, trashed.ID))
	upload, err = c.BeginUpload(ctx, client.NewUpload{Name: "diary.bin", Size: 5})
	must(err)
	return folder, stored[0], trashed, version, upload
}

// notMine calls every operation with an id, using another person's ids. Every call answers
// not found and changes nothing.
func notMine(t *testing.T, s *server) {
	ctx := t.Context()
	alice, eve := s.member(t), s.member(t)
	alice.harden(t, alice.signIn(t))
	c := alice.signIn(t)
	folder, diary, trashed, version, upload := private(t, c)
	passkey := newSecurityKey(t, s).register(c, "")
	link, stillLinked := linked(t, c, diary.ID)
	ids := map[string][]string{
		"/v1/account/passkeys/": {passkey.ID},
		"/v1/files/":            {diary.ID, folder.ID}, "/v1/trash/": {trashed.ID}, "/v1/sessions/": {c.Credentials().SessionID}, "/v1/auth/attempts/": {}, "/v1/uploads/": {upload},
		"/v1/shares/": {link}, "/v1/pins/": {}, // TestPins has some
	}
	_, attempt, err := alice.client(t).SignIn(ctx, client.SignIn{Identifier: alice.Email, Password: alice.Password})
	if err != nil {
		t.Fatal(err)
	}
	if len(layers) > 0 {
		ids["/v1/auth/attempts/"] = []string{attempt.ID}
	}
	nothing := func(kind string) string {
		if kind == "/v1/sessions/" {
			return strings.Repeat("A", 22)
		}
		return "01890000-0000-7000-8000-000000000000"
	}
	e := eve.signIn(t, client.WithoutProofs())
	token := "Bearer " + e.Credentials().AccessToken
	// Uploads want the header fields of their protocol; other operations ignore them.
	header := []string{"Authorization", token, "Tus-Resumable", "1.0.0", "Upload-Offset", "0"}
	tried := 0
	known := map[string][]string{}
	for _, o := range operations(t, e) {
		known[o.path] = append(known[o.path], o.method)
	}
	for path, documented := range known {
		if !strings.Contains(path, "{id}") || strings.HasPrefix(path, "/v1/drops/") || strings.HasPrefix(path, "/v1/admin/") || strings.HasPrefix(path, "/v1/avatars/") { // drops belong to no account: their members' tokens have tests of their own; pictures are public; TestAdminDesk sweeps the operations of admins
			continue
		}
		kind := path[:strings.Index(path, "{")]
		if ids[kind] == nil {
			t.Fatalf("%s: this test knows nobody's id for it: teach it one", path)
		}
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"} {
			body, taught := good[method+" "+path]
			if b, ok := layerPaths()[strings.TrimPrefix(path, "/v1/auth/attempts/{id}/")]; ok && method == "POST" {
				body, taught = b, true
			}
			if slices.Contains(documented, method) && !taught {
				t.Fatalf("%s %s: this test knows no body for it: teach it one", method, path)
			}
			header := header
			if kind == "/v1/uploads/" && method == "PATCH" {
				header = append(slices.Clone(header), "Content-Type", "application/offset+octet-stream")
			}
			absent := s.raw(t, eve.from, method, strings.NewReplacer("{id}", nothing(kind), "{version}", version).Replace(path), body, header...).plain()
			for _, id := range ids[kind] {
				got := s.raw(t, eve.from, method, strings.NewReplacer("{id}", id, "{version}", version).Replace(path), body, header...).plain()
				if diff := cmp.Diff(absent, got, cmp.AllowUnexported(answer{})); diff != "" {
					t.Errorf("%s %s tells somebody else's id from none:\n%s", method, path, diff)
				}
				if !slices.Contains([]int{401, 403, 404, 405}, got.status) {
					t.Errorf("%s %s: %d %s", method, path, got.status, got.body)
				}
				tried++
			}
		}
	}
	if tried < 30+10*min(len(layers), 1) { // a layer adds attempts
		t.Errorf("only %d tries", tried)
	}
	// The same applies to ids in bodies and queries.
	for _, r := range [][3]string{
		{"GET", "/v1/files?parent=" + folder.ID, ""},
		{"POST", "/v1/files/folders", `{"name":"x","parent":"` + folder.ID + `"}`},
	} {
		if a := s.raw(t, eve.from, r[0], r[1], r[2], "Authorization", token); a.status != http.StatusNotFound {
			t.Errorf("%s %s %s: %d %s", r[0], r[1], r[2], a.status, a.body)
		}
	}
	own, err := e.CreateFolder(ctx, "", "own")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.MoveFile(ctx, own.ID, folder.ID); client.Code(err) != "not_found" {
		t.Errorf("move into somebody else's folder: %v", err)
	}
	if _, err := e.CopyFile(ctx, own.ID, folder.ID, ""); client.Code(err) != "not_found" {
		t.Errorf("copy into somebody else's folder: %v", err)
	}
	if _, err := e.Upload(ctx, folder.ID, client.Source{Name: "planted", Content: strings.NewReader("x")}); client.Code(err) != "not_found" {
		t.Errorf("upload into somebody else's folder: %v", err)
	}
	if _, err := e.BeginUpload(ctx, client.NewUpload{Name: "planted", Parent: folder.ID, Size: 1}); client.Code(err) != "not_found" {
		t.Errorf("a resumable upload into somebody else's folder: %v", err)
	}
	stillMine(t, c, attempt, diary, passkey)
	stillLinked()
}

// linked makes a link to an entry, and what fails the test unless the link is as it was made.
func linked(t *testing.T, c *client.Client, entry string) (link string, still func()) {
	t.Helper()
	made, err := c.CreateShare(t.Context(), entry, client.NewShare{Note: "hers"})
	if err != nil {
		t.Fatal(err)
	}
	return made.ID, func() {
		t.Helper()
		if got, err := c.Share(t.Context(), made.ID); err != nil || got.Note != "hers" || got.Entry.ID != entry {
			t.Errorf("the link: %+v, %v", got, err)
		}
	}
}

// stillMine fails the test unless everything of notMine is as its owner left it.
func stillMine(t *testing.T, c *client.Client, attempt *client.Challenge, diary client.Entry, passkey client.Passkey) {
	t.Helper()
	ctx := t.Context()
	if got := content(t, c, diary.ID); string(got) != "Dear diary" {
		t.Errorf("the diary now says %q", got)
	}
	if diff := cmp.Diff([]string{"diary.txt"}, names(t, c, *diary.Parent, "")); diff != "" {
		t.Error(diff)
	}
	if _, err := c.RenamePasskey(ctx, passkey.ID, "hers still"); err != nil {
		t.Error(err)
	}
	for name := range layers {
		if err := attempt.Refresh(ctx); err != nil || !attempt.Open(name) {
			t.Errorf("the attempt: %+v, %v", attempt, err)
		}
	}
}

// rules are what a page must know before anybody has signed in: here, the defaults.
func rules(t *testing.T, s *server) {
	got, err := s.client(t, newAddress()).Settings(t.Context())
	if want := (client.Settings{PasswordMin: 12, CodeSeconds: 600, LinkSeconds: 86400, StepUpSeconds: 600, Passkeys: true, Versions: 20, TrustedRestSeconds: 72 * 3600, Providers: []client.Provider{}}); err != nil || !cmp.Equal(got, want) {
		t.Errorf("%+v, %v, want %+v", got, err, want)
	}
}

// withoutToken asks every operation that wants an access token: one uniform 401.
func withoutToken(t *testing.T, s *server) {
	from := newAddress()
	public := []string{ // everything else wants a token; a new name here wants a reason
		"OPTIONS /v1/uploads",                                                             // says what the server speaks of tus, and nothing of any upload
		"GET /v1/.well-known/jwks.json", "GET /v1/auth/attempts/{id}", "GET /v1/settings", // of the sign-up page
		"POST /v1/auth/first-admin/check", "POST /v1/auth/verify-email/check", // ask with the link's secret
		"POST /v1/auth/password/reset/check", "POST /v1/auth/activate/check", // likewise
		"POST /v1/auth/recovery/backup-code", "POST /v1/auth/recovery/backup-code/confirm", "POST /v1/auth/recovery/backup-code/confirm/check", // by an owner who lost the layers
		"POST /v1/auth/password/forgot", "POST /v1/auth/password/reset", // by somebody who cannot sign in
		"POST /v1/auth/activate", "POST /v1/auth/activate/confirm", // likewise
		"POST /v1/auth/activate/passkey", "POST /v1/auth/social/activate", // likewise, without a password
		"POST /v1/account/email/undo", "POST /v1/account/email/undo/check", // by an owner whose session may be another's
		"POST /v1/auth/end-device", "POST /v1/auth/end-device/check", "POST /v1/auth/end-device/confirm", // by an owner without a session at hand
		"POST /v1/auth/unlock", "POST /v1/auth/unlock/check", // by an owner who is to sign in, with the link's secret
		"POST /v1/auth/trusted-email/verify", "POST /v1/auth/trusted-email/verify/check", // with the link's secret
		"POST /v1/auth/recovery/trusted-email", "POST /v1/auth/recovery/trusted-email/confirm", "POST /v1/auth/recovery/trusted-email/confirm/check", // by somebody who cannot sign in
		"POST /v1/auth/recovery/stop", "POST /v1/auth/recovery/stop/check", // by an owner whose session may be another's
		"POST /v1/auth/passkey/options", "POST /v1/auth/passkey", // by somebody who wants to sign in
		"POST /v1/auth/attempts/{id}/passkey/options", "POST /v1/auth/attempts/{id}/passkey", // with the attempt's token
		"GET /v1/auth/social/{provider}", "GET /v1/auth/social/{provider}/callback", "POST /v1/auth/social/check", "POST /v1/auth/social/exchange", // by somebody who signs in with a provider
		"POST /v1/auth/social/google/token",                                    // with Google's credential
		"POST /v1/auth/introspect",                                             // wants the credentials of a resource server
		"POST /v1/drops", "GET /v1/drops/{name}", "POST /v1/drops/{name}/join", // by people without an account
		"GET /v1/avatars/{id}/{file}",                                                                                       // by every caller with the address
		"PATCH /v1/drops/{name}", "DELETE /v1/drops/{name}", "POST /v1/drops/{name}/tickets", "GET /v1/drops/{name}/socket", // with a member's token
		"POST /v1/drops/{name}/transfers", "GET /v1/drops/{name}/transfers/{id}/stream", // likewise
		"GET /v1/ledger", "GET /v1/ledger/checkpoint", "GET /v1/ledger/consistency", "GET /v1/ledger/entries/{n}/proof", "GET /v1/ledger/keys", // no personal data
		"GET /v1/public/shares/{token}", "GET /v1/public/shares/{token}/content", "GET /v1/public/shares/{token}/archive", "GET /v1/public/shares/{token}/thumbnail", // with a link's secret
		"POST /v1/public/shares/{token}/unlock", "POST /v1/public/shares/{token}/files", // likewise
		"POST /v1/auth/first-admin", "POST /v1/auth/refresh",
		"POST /v1/auth/sign-in", "POST /v1/auth/sign-out", "POST /v1/auth/sign-up", "POST /v1/auth/verify-email", "POST /v1/auth/verify-email/resend",
	}
	for path := range layerPaths() {
		public = append(public, "POST /v1/auth/attempts/{id}/"+path)
	}
	slices.Sort(public)
	var open []string
	var want *answer
	for _, o := range operations(t, s.client(t, from)) {
		if o.public {
			open = append(open, o.method+" "+o.path)
			continue
		}
		got := s.raw(t, from, o.method, strings.Replace(o.path, "{id}", "x", 1), "").plain()
		if want == nil && o.method != "HEAD" {
			want = &got
		}
		if o.method == "HEAD" {
			got.body, got.header = want.body, want.header
		}
		if got.status != http.StatusUnauthorized {
			t.Errorf("%s %s: %d %s", o.method, o.path, got.status, got.body)
		} else if diff := cmp.Diff(*want, got, cmp.AllowUnexported(answer{})); diff != "" {
			t.Errorf("%s %s answers unlike the others:\n%s", o.method, o.path, diff)
		}
	}
	slices.Sort(open)
	if diff := cmp.Diff(public, open); diff != "" {
		t.Errorf("public operations:\n%s", diff)
	}
}
