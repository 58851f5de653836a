package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// sources are the peers that Go builds, each in its own module, so that none changes
// another's dependency versions.
var sources = map[string]struct{ module, pkg string }{
	"pocketbase": {"bench/peers/pocketbase", "github.com/pocketbase/pocketbase/examples/base"},
	"croc":       {"bench/peers/croc", "github.com/schollz/croc/v10"},
	"tusd":       {"bench/peers/tusd", "github.com/tus/tusd/v2/cmd/tusd"},
	"versitygw":  {"test/tools", "github.com/versity/versitygw/cmd/versitygw"},
}

// peer returns the program of a peer and installs it on the first call. Its error explains
// in one line why there is none.
func (b *bench) peer(name string) (string, error) {
	source, ok := sources[name]
	if !ok {
		return b.debian(name)
	}
	bin := b.path("bin")
	built := filepath.Base(source.pkg)
	if version, _ := filepath.Match("v[0-9]*", built); version {
		built = filepath.Base(filepath.Dir(source.pkg)) // as Go names it
	}
	program := filepath.Join(bin, built)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	log.Printf("compiling %s", name)
	install := exec.Command("go", "-C", source.module, "install", source.pkg)
	install.Env = append(os.Environ(), "GOBIN="+bin, "CGO_ENABLED=0")
	if out, err := install.CombinedOutput(); err != nil {
		return "", fmt.Errorf("it does not build here: %s", lastLine(out, err))
	}
	version := ""
	if info, err := buildinfo.ReadFile(program); err == nil {
		version = " " + info.Main.Version
	}
	b.peers = append(b.peers, name+version)
	return program, nil
}

// debian returns the program of the Debian package of that name. It uses the installed one,
// or unpacks one beside the bench, which starts no service and changes nothing else.
func (b *bench) debian(name string) (string, error) {
	program := b.path("bin", name)
	if _, err := os.Stat(program); err == nil {
		return program, nil
	}
	found, err := exec.LookPath(name)
	if err != nil {
		log.Printf("fetching %s", name)
		dir := b.path("debian")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
		fetch := exec.Command("sh", "-c", `apt-get download "$1" || { apt-get update && apt-get download "$1"; } && dpkg -x "$1"_*.deb .`, "sh", name)
		fetch.Dir = dir
		if out, err := fetch.CombinedOutput(); err != nil {
			return "", fmt.Errorf("the package of Debian cannot be had here: %s", lastLine(out, err))
		}
		found = filepath.Join(dir, "usr/sbin", name)
	}
	version, err := exec.Command(found, "-v").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("it does not run here: %s", lastLine(version, err))
	}
	_, number, _ := strings.Cut(strings.TrimSpace(string(version)), "/")
	b.peers = append(b.peers, name+" "+number)
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		return "", err
	}
	return program, os.Symlink(found, program)
}

func lastLine(out []byte, err error) string {
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	if last := lines[len(lines)-1]; last != "" {
		return last
	}
	return err.Error()
}

// pocket is a PocketBase with one signed-in user.
type pocket struct {
	*process
	id, token string
}

const pocketAdmin = "admin@example.org"

// pocketServer starts PocketBase on a data folder.
func (b *bench) pocketServer(program, data string) (*process, time.Duration, error) {
	addr := freeAddr()
	return launch(addr, "/api/health", nil, program, "serve", "--http", addr, "--dir", b.path(data, "pb_data"),
		"--migrationsDir", b.path(data, "migrations"), "--hooksDir", b.path(data, "hooks"), "--publicDir", b.path(data, "public"))
}

// pocketBase starts PocketBase with its default settings and a collection of files.
func (b *bench) pocketBase() (*pocket, error) {
	program, err := b.peer("pocketbase")
	if err != nil {
		return nil, err
	}
	data := fmt.Sprint("pocketbase", len(b.closers), time.Now().UnixNano())
	if out, err := exec.Command(program, "superuser", "upsert", pocketAdmin, benchPassword, "--dir", b.path(data, "pb_data")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("it takes no admin: %s", lastLine(out, err))
	}
	p, _, err := b.pocketServer(program, data)
	if err != nil {
		return nil, err
	}
	b.later(p.stop)
	admin, err := p.pocketSignIn("_superusers", pocketAdmin)
	if err != nil {
		return nil, err
	}
	steps := []struct {
		path string
		in   map[string]any
	}{
		{"/api/collections/users/records", map[string]any{"email": benchMail, "password": benchPassword, "passwordConfirm": benchPassword, "name": "Bench"}},
		{"/api/collections", map[string]any{"name": "docs", "type": "base", "createRule": "@request.auth.id != ''",
			"fields": []map[string]any{{"name": "file", "type": "file", "maxSelect": 1}}}},
	}
	for _, s := range steps {
		if err := p.call("POST", s.path, "Bearer "+admin.token, s.in, nil); err != nil {
			return nil, err
		}
	}
	user, err := p.pocketSignIn("users", benchMail)
	if err != nil {
		return nil, err
	}
	return user, nil
}

func (p *process) pocketSignIn(collection, identity string) (*pocket, error) {
	var answer struct {
		Token  string `json:"token"`
		Record struct {
			ID string `json:"id"`
		} `json:"record"`
	}
	err := p.call("POST", "/api/collections/"+collection+"/auth-with-password", "", map[string]any{"identity": identity, "password": benchPassword}, &answer)
	return &pocket{p, answer.Record.ID, answer.Token}, err
}

// gateway is a versitygw over a folder.
type gateway struct {
	*process
	client *minio.Client
}

func (b *bench) gateway() (*gateway, error) {
	program, err := b.peer("versitygw")
	if err != nil {
		return nil, err
	}
	store, iam := b.path("versitygw", "store"), b.path("versitygw", "iam")
	if err := errors.Join(os.MkdirAll(filepath.Join(store, "bench"), 0o755), os.MkdirAll(iam, 0o755)); err != nil {
		return nil, err
	}
	addr := freeAddr()
	p, _, err := launch(addr, "/", nil, program, "--access", "bench", "--secret", benchPassword, "--port", addr, "--iam-dir", iam, "posix", store)
	if err != nil {
		return nil, err
	}
	b.later(p.kill)
	c, err := minio.New(addr, &minio.Options{Creds: credentials.NewStaticV4("bench", benchPassword, ""), Region: "us-east-1"})
	return &gateway{p, c}, err
}

// address returns a signed address for the bench's plain client.
func (g *gateway) address(method, object string) (*url.URL, error) {
	return g.client.Presign(context.Background(), method, "bench", object, time.Hour, nil)
}

// put uploads size bytes to an object.
func (g *gateway) put(size int64) error {
	u, err := g.address(http.MethodPut, "large.bin")
	if err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPut, u.String(), newSource(size))
	if err != nil {
		return err
	}
	req.ContentLength = size
	return do(req, http.StatusOK, nil)
}

// small puts the files of P13, 8 at a time. It signs the addresses beforehand.
func (g *gateway) small() (sample, error) {
	run := time.Now().UnixNano()
	addresses := make(chan *url.URL, manySmall)
	for n := range manySmall {
		u, err := g.address(http.MethodPut, fmt.Sprintf("%d-%d.bin", run, n))
		if err != nil {
			return sample{}, err
		}
		addresses <- u
	}
	close(addresses)
	content := make([]byte, smallSize)
	before, begin := g.cpu(), time.Now()
	var all sync.WaitGroup
	failed := make(chan error, manySmall)
	for range 8 {
		all.Go(func() {
			for u := range addresses {
				req, err := http.NewRequest(http.MethodPut, u.String(), bytes.NewReader(content))
				if err == nil {
					req.Close = true
					err = do(req, http.StatusOK, nil)
				}
				if err != nil {
					failed <- err
				}
			}
		})
	}
	all.Wait()
	value := manySmall / time.Since(begin).Seconds()
	if len(failed) > 0 {
		return sample{}, <-failed
	}
	return sample{value: value, cpu: (g.cpu() - before) * 1000 / manySmall}, nil
}

// tusd stores plain text. Each upload is one request: creation with upload.
func (b *bench) tusd() (func(size int64) error, *process, error) {
	program, err := b.peer("tusd")
	if err != nil {
		return nil, nil, err
	}
	addr, dir := freeAddr(), b.path("tusd")
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, nil, err
	}
	p, _, err := launch(addr, "/", nil, program, "-host", host, "-port", port, "-upload-dir", dir)
	if err != nil {
		return nil, nil, err
	}
	b.later(p.kill)
	return func(size int64) error {
		req, err := http.NewRequest(http.MethodPost, "http://"+addr+"/files/", newSource(size))
		if err != nil {
			return err
		}
		req.ContentLength = size
		for k, v := range map[string]string{"Tus-Resumable": "1.0.0", "Upload-Length": fmt.Sprint(size), "Content-Type": "application/offset+octet-stream"} {
			req.Header.Set(k, v)
		}
		return do(req, http.StatusCreated, nil)
	}, p, nil
}

// nginx serves a folder in clear, by sendfile.
func (b *bench) nginx(dir string) (*process, error) {
	program, err := b.peer("nginx")
	if err != nil {
		return nil, err
	}
	addr := freeAddr()
	var config bytes.Buffer
	if os.Getuid() == 0 {
		config.WriteString("user root;\n")
	}
	fmt.Fprintf(&config, "daemon off;\npid %[1]s/pid;\nlock_file %[1]s/lock;\nerror_log %[1]s/error.log;\nworker_processes auto;\nevents {}\nhttp {\naccess_log off;\nsendfile on;\n", dir)
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		fmt.Fprintf(&config, "%s_temp_path %s/%s;\n", kind, dir, kind)
	}
	fmt.Fprintf(&config, "server { listen %s; root %s/files; }\n}\n", addr, dir)
	if err := os.WriteFile(dir+"/nginx.conf", config.Bytes(), 0o600); err != nil {
		return nil, err
	}
	p, _, err := launch(addr, "/nothing", nil, program, "-c", dir+"/nginx.conf", "-p", dir, "-e", dir+"/error.log")
	if err != nil {
		return nil, err
	}
	b.later(p.stop)
	return p, nil
}

// without returns contender c with the reason why it cannot be measured.
func (c contender) without(err error) contender {
	c.missing = strings.Join(slices.Collect(strings.Lines(err.Error())), " ")
	return c
}
