package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"coffer/client"
)

// canary is a person whose every word can be searched for.
var canary = client.NewAccount{
	FirstName: "Quetzalinda", LastName: "Vanderbirdcage", Username: "kanarienvogel77", Email: "Kanarien.Vogel@canary-mail.example", Password: "yellow feathers 8841",
}

const (
	canaryAgent   = "CanaryBrowser/77.7 (Birdcage)"
	canaryDevice  = "perch in the kitchen"
	canaryFile    = "birdsong-notes-1907.txt"
	canaryFolder  = "aviary blueprints"
	canaryBio     = "Collects mother-of-pearl seed bowls."
	canaryContent = "The nightingale sings at a quarter past four, whoever listens."
	canaryIP      = "127.77.66.55"
	canarySecond  = "Zweite.Voliere@second-perch.example"
	canaryThird   = "Dritte.Voliere@third-perch.example"
	canaryPasskey = "key in the nest box"
)

// needles are the forms in which a word may be stored.
func needles(words ...string) map[string][]byte {
	all := map[string][]byte{}
	for _, w := range words {
		all[w] = lower([]byte(w))
		if len(w) < 8 {
			continue // too short: random bytes would match
		}
		all["hex of "+w] = []byte(hex.EncodeToString([]byte(w)))
		// The middle of the base64 of a text is the same at one of three offsets.
		for offset := range 3 {
			text := base64.RawStdEncoding.EncodeToString([]byte(strings.Repeat("\x00", offset) + w))
			all["base64 of "+w+strings.Repeat("'", offset)] = lower([]byte(text[4 : len(text)-2]))
		}
	}
	return all
}

// lower changes ASCII letters to lower case and keeps every other byte.
func lower(b []byte) []byte {
	b = bytes.Clone(b)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}

// Neither a dump of all stored data nor the log reveals a person.
func TestCanary(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		s := start(t, in, "COFFER_LOG_LEVEL=debug", "COFFER_TRUSTED_COOLDOWN=0s")
		ctx := t.Context()
		p := &person{s: s, from: []byte{127, 77, 66, 55}, NewAccount: canary}
		if newAddress().String() == "127.0.0.1" {
			p.from = newAddress()
		}
		p.join(t)
		c := p.client(t, client.WithUserAgent(canaryAgent))
		p.signInAt(t, c, client.SignIn{DeviceName: canaryDevice, Remember: true})
		bio := canaryBio
		if _, err := c.ChangeProfile(ctx, client.ProfileChange{Bio: &bio}); err != nil {
			t.Fatal(err)
		}
		folder, err := c.CreateFolder(ctx, "", canaryFolder)
		if err != nil {
			t.Fatal(err)
		}
		for _, times := range []int{50, 5000} { // content stored in SQL, and in the blob store
			in := client.Source{Name: canaryFile, MediaType: "text/x-canary", Content: strings.NewReader(strings.Repeat(canaryContent+"\n", times))}
			if _, err := c.Upload(ctx, folder.ID, in); err != nil {
				t.Fatal(err)
			}
		}
		p.harden(t, c)
		key := newSecurityKey(t, s)
		key.register(c, canaryPasskey)
		key.signIn(p.client(t))
		waits, err := c.BeginPasskeyProof(ctx) // its challenge waits
		if err != nil {
			t.Fatal(err)
		}
		codes := p.backup(t, c)
		if _, err := p.client(t).RecoverByBackupCode(ctx, client.BackupRecovery{Identifier: p.Email, Password: p.Password, Code: codes[0]}); err != nil {
			t.Fatal(err)
		}
		if err := p.client(t).MailBackupRecovery(ctx, p.Email, codes[1]); err != nil { // a link holds this one
			t.Fatal(err)
		}
		newer, err := c.RegenerateBackupCodes(ctx)
		if err != nil {
			t.Fatal(err)
		}
		codes = append(codes, newer...) // these wait
		second := p.trusts(t, c, canarySecond)
		if err := c.SetTrustedAddress(ctx, canaryThird); err != nil { // waits
			t.Fatal(err)
		}
		p.recovers(t, second) // the next one waits
		waiting := &person{s: s, from: newAddress(), NewAccount: canary}
		waiting.Email, waiting.Username = "waiting."+canary.Email, canary.Username+"2"
		waiting.apply(t, waiting.client(t)) // never proven
		waiting.mail(t, "verify-email")
		// An open attempt, half used limits, logged errors.
		p.client(t, client.WithUserAgent(canaryAgent)).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: p.Password})
		p.client(t).SignIn(ctx, client.SignIn{Identifier: p.Email, Password: canary.Password + "x"})
		p.client(t).VerifyEmail(ctx, client.Verification{Email: p.Email, Code: "000000", SignUp: waiting.signUp})
		c.File(ctx, canaryFile)

		creds := c.Credentials()
		words := []string{
			canary.FirstName, canary.LastName, canary.Username, canary.Email, "canary-mail.example", canarySecond, "second-perch.example", canaryThird, "third-perch.example", canary.Password, canaryAgent, "CanaryBrowser",
			canaryDevice, canaryFile, canaryFolder, canaryBio, canaryContent[:40], "text/x-canary",
			creds.AccessToken, creds.RefreshToken, creds.DeviceToken, waiting.signUp,
		}
		words = append(words, canaryPasskey, string(key.key.ID), string(key.device.Options.UserHandle), string(key.key.Key.AttestationData()[10:42]), challengeOf(t, waits))
		words = append(words, codes...)
		for _, l := range layers {
			words = append(words, l.traces(p)...)
		}
		if p.from.String() == canaryIP {
			words = append(words, canaryIP, "\xff\xff\x7fMB7") // and in 16 bytes
		}
		hunt(t, s, words)
	})
}

// hunt searches every store of the server and its output for words.
func hunt(t *testing.T, s *server, words []string) {
	t.Helper()
	all := needles(words...)
	looked := 0
	look := func(where string, raw []byte) {
		looked += len(raw)
		text := lower(raw)
		for name, needle := range all {
			if bytes.Contains(text, needle) {
				t.Errorf("%s holds %q", where, name)
			}
		}
	}
	if err := filepath.WalkDir(s.data, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if e.Name() == "outbox" { // stands for people's mailboxes
				return fs.SkipDir
			}
			return nil
		}
		raw, err := os.ReadFile(path)
		look(path, raw)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	for _, e := range s.env {
		name, value, _ := strings.Cut(e, "=")
		switch name {
		case "COFFER_DATABASE_URL":
			look("PostgreSQL", dumpPostgres(t, value))
		case "COFFER_REDIS_URL":
			look("Redis", dumpRedis(t, value))
		case "COFFER_BLOBS":
			look("S3", dumpS3(t, value))
		}
	}
	look("the log", []byte(s.out.String()))
	if looked < 10_000 {
		t.Errorf("only %d bytes were looked at", looked)
	}
	// The hunt finds a word that is there.
	if !bytes.Contains(lower([]byte(base64.StdEncoding.EncodeToString([]byte("ab"+words[0]+"cd")))), needles(words[0])["base64 of "+words[0]+"''"]) {
		t.Error("the hunt is blind to base64")
	}
}

// dumpPostgres returns every row of every table as text, with bytes in hex.
func dumpPostgres(t *testing.T, url string) []byte {
	t.Helper()
	ctx := t.Context()
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, `SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = 'public'`)
	if err != nil {
		t.Fatal(err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, table := range tables {
		rows, err := conn.Query(ctx, `SELECT r::text FROM `+table+` r`)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			t.Fatal(err)
		}
		all.WriteString(table + "\n" + strings.Join(lines, "\n") + "\n")
	}
	if len(tables) < 8 {
		t.Errorf("only tables %v", tables)
	}
	return all.Bytes()
}
