package e2e

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // writes a later program's entry into the file

	"coffer/internal/db/dbtest"
)

// refuses starts the program and expects it to exit at once, with one line beside its log
// that says why.
func (s *server) refuses(t *testing.T, says ...string) {
	t.Helper()
	cmd := exec.Command(program, "serve")
	cmd.Dir, cmd.Env = s.data, s.env
	var out, errs output
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	guard := time.AfterFunc(30*time.Second, func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !guard.Stop() {
		t.Fatalf("it runs on:\n%s%s", &out, &errs)
	}
	if err == nil {
		t.Error("it ended as if all were well")
	}
	var lines []string
	for line := range strings.Lines(errs.String()) {
		if !strings.HasPrefix(line, "time=") {
			lines = append(lines, strings.TrimSuffix(line, "\n"))
		}
	}
	line := strings.Join(lines, "⏎")
	if len(lines) != 1 || !strings.HasPrefix(line, "coffer: ") || out.String() != "" {
		t.Errorf("it printed %q and %q, want one line", out.String(), errs.String())
	}
	for _, what := range says {
		if !strings.Contains(line, what) {
			t.Errorf("it says %q, want %q in it", line, what)
		}
	}
	if strings.Contains(errs.String(), "hunter2") {
		t.Errorf("it prints a secret: %s", &errs)
	}
}

// An invalid setting prevents the start, and the program names it.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{
		"COFFER_ADDR=nonsense",
		"COFFER_ADDR=127.0.0.1:99999",
		"COFFER_URL=files.example.org",
		"COFFER_URL=https://files.example.org/below",
		"COFFER_URL=https://u:hunter2@files.example.org",
		"COFFER_TRUSTED_PROXIES=everybody",
		"COFFER_DATABASE_URL=mysql://coffer:hunter2@localhost/coffer",
		"COFFER_DATABASE_URL=postgres://coffer:hunter2@localhost:notaport/coffer",
		"COFFER_REDIS_URL=http://:hunter2@localhost",
		"COFFER_BLOBS=s3://key:hunter2@",
		"COFFER_SMTP_URL=ftp://user:hunter2@mail.example.org",
		"COFFER_SMTP_URL=smtp://user:hunter2@mail.example.org:x",
		"COFFER_MAIL_FROM=nobody",
		"COFFER_ROOT_KEY=hunter2",
		"COFFER_TOKEN_ALG=none",
		"COFFER_ACCESS_TTL=soon",
		"COFFER_ACCESS_TTL=0s",
		"COFFER_SESSION_TTL=10000h",
		"COFFER_REFRESH_GRACE=-1s",
		"COFFER_PASSWORD_MIN=4",
		"COFFER_PASSWORD_MIN=x",
		"COFFER_ARGON2_MEMORY=1",
		"COFFER_LIMIT_SIGN_UP=lots",
		"COFFER_LIMIT_SIGN_UP=0/1h",
		"COFFER_MAX_UPLOAD=-1",
		"COFFER_LOG_LEVEL=loud",
		"COFFER_GEOIP=/nowhere.mmdb",
		"COFFER_ROOT_KEY_FILE=/dev/null",
		"COFFER_BLOBS=ftp://example.org/files",
		"COFFER_PASSWORT_MIN=14",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			name, _, _ := strings.Cut(setting, "=")
			s := newServer(t, alone, setting)
			s.refuses(t, "coffer: "+name+": ")
			if made := s.files(t); made != "" {
				t.Errorf("it made\n%s", made)
			}
		})
	}
	t.Run("the address is taken", func(t *testing.T) {
		t.Parallel()
		running := start(t, alone)
		second := newServer(t, alone, "COFFER_ADDR="+strings.TrimPrefix(running.url, "http://"))
		second.refuses(t, "address already in use")
	})
	t.Run("a data folder that is a file", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		newServer(t, alone, "COFFER_DATA="+file).refuses(t, "COFFER_DATA")
	})
}

// A program older than the data does not change it.
func TestNewerSchema(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, in setup) {
		if in.name == scale.name {
			in.env = func(t *testing.T) []string { return stores(t, dbtest.EmptyPostgreSQLURL(t)) }
		}
		s := start(t, in)
		p := s.member(t)
		s.stop()
		const statement = `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, TRUE)`
		undo := `DELETE FROM goose_db_version WHERE version_id = 9999`
		s.execute(t, statement)
		before := s.files(t)
		s.refuses(t, "9999", "newer")
		if after := s.files(t); in.name == alone.name && after != before {
			t.Errorf("the data changed:\n%s\nbefore:\n%s", after, before)
		}
		s.execute(t, undo)
		s.start()
		p.signIn(t)
	})
}

// execute runs a statement on the database of a stopped server.
func (s *server) execute(t *testing.T, statement string) {
	t.Helper()
	for _, e := range s.env {
		if url, ok := strings.CutPrefix(e, "COFFER_DATABASE_URL="); ok {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			if _, err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
			return
		}
	}
	d, err := sql.Open("sqlite", filepath.Join(s.data, "coffer.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

// files lists the files in the data folder with their digests.
func (s *server) files(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	if err := filepath.WalkDir(s.data, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		raw, err := os.ReadFile(path)
		b.WriteString(strings.TrimPrefix(path, s.data) + " " + digest(raw)[:12] + "\n")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A wrong root key opens nothing, and the program says so.
func TestWrongRootKey(t *testing.T) {
	t.Parallel()
	s := start(t, alone)
	s.member(t)
	s.stop()
	s.env = append(s.env, "COFFER_ROOT_KEY=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	s.refuses(t, "root key")
}
