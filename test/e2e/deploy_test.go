package e2e

import (
	"bufio"
	"debug/elf"
	"errors"
	"io/fs"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const deploy = "../../deploy"

// compose is the part of a compose file that these tests look at.
type compose struct {
	Services map[string]service
	Networks map[string]struct {
		Internal bool
		IPAM     struct{ Config []struct{ Subnet string } }
	}
	Volumes map[string]any
}

type service struct {
	Image       string
	Build       struct{ Context, Dockerfile string }
	Profiles    []string
	EnvFile     string `yaml:"env_file"`
	Environment any
	Networks    any // a list, or a map with aliases
	Volumes     []string
	Ports       []string
	Command     []string
	DependsOn   any    `yaml:"depends_on"`
	ReadOnly    bool   `yaml:"read_only"`
	Grace       string `yaml:"stop_grace_period"`
	Develop     struct {
		Watch []struct{ Action, Path string }
	}
}

func readCompose(t *testing.T) compose {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(deploy, "compose.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var c compose
	if err := yaml.Unmarshal(raw, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// listed are the elements of a list, or the keys of a map.
func listed(v any) (all []string) {
	switch v := v.(type) {
	case []any:
		for _, e := range v {
			all = append(all, e.(string))
		}
	case map[string]any:
		for e := range v {
			all = append(all, e)
		}
	}
	slices.Sort(all)
	return all
}

// setUp runs deploy/setup and returns the folder that it wrote.
func setUp(t *testing.T, site string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "env")
	if out, err := exec.Command(filepath.Join(deploy, "setup"), site, dir).CombinedOutput(); err != nil {
		t.Fatalf("deploy/setup: %v\n%s", err, out)
	}
	return dir
}

// readEnv reads the lines of an env file as Compose does: a value may stand in quotes.
func readEnv(t *testing.T, file string) map[string]string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	all := map[string]string{}
	for lines := bufio.NewScanner(f); lines.Scan(); {
		name, value, ok := strings.Cut(lines.Text(), "=")
		if ok && !strings.HasPrefix(name, "#") {
			all[name] = strings.Trim(value, `"`)
		}
	}
	return all
}

// The compose file is whole: what it refers to is there, each profile is a whole
// installation, and only the proxy can be reached from outside.
func TestComposeFile(t *testing.T) {
	t.Parallel()
	c := readCompose(t)
	env := setUp(t, "https://files.example.org")
	for name, s := range c.Services {
		if len(s.Profiles) == 0 || s.Image == "" {
			t.Errorf("%s: profiles %v, image %q", name, s.Profiles, s.Image)
		}
		if s.Environment != nil {
			t.Errorf("%s: settings stand outside its env file", name)
		}
		if _, err := os.Stat(filepath.Join(env, filepath.Base(s.EnvFile))); err != nil || filepath.Dir(s.EnvFile) != "env" {
			t.Errorf("%s: deploy/setup does not write %q: %v", name, s.EnvFile, err)
		}
		for _, other := range listed(s.DependsOn) {
			if !within(s.Profiles, c.Services[other].Profiles) {
				t.Errorf("%s needs %s, which lacks one of its profiles", name, other)
			}
		}
		for _, network := range listed(s.Networks) {
			if _, ok := c.Networks[network]; !ok {
				t.Errorf("%s: no network %s", name, network)
			}
		}
		for _, volume := range s.Volumes {
			from, _, _ := strings.Cut(volume, ":")
			if path, local := strings.CutPrefix(from, "./"); local {
				if _, err := os.Stat(filepath.Join(deploy, path)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			} else if _, ok := c.Volumes[from]; !ok {
				t.Errorf("%s: no volume %s", name, from)
			}
		}
		if len(s.Ports) > 0 && !strings.HasSuffix(name, "proxy") {
			t.Errorf("%s can be reached from outside", name)
		}
		for _, port := range s.Ports {
			if slices.Contains(s.Profiles, "dev") && !strings.HasPrefix(port, "127.0.0.1:") {
				t.Errorf("%s: other machines can reach port %s", name, port)
			}
		}
		if s.Build.Dockerfile != "" {
			if _, err := os.Stat(filepath.Join(deploy, s.Build.Context, s.Build.Dockerfile)); err != nil || !s.ReadOnly || s.Grace != "30s" {
				t.Errorf("%s: %v, read-only %t, ends within %q", name, err, s.ReadOnly, s.Grace)
			}
		}
		for _, w := range s.Develop.Watch {
			if _, err := os.Stat(filepath.Join(deploy, w.Path)); err != nil || w.Action != "rebuild" {
				t.Errorf("%s watches %s: %s, %v", name, w.Path, w.Action, err)
			}
		}
	}
	if !c.Networks["back"].Internal {
		t.Error("the stores reach the internet")
	}
	for _, profile := range []string{"dev", "prod"} {
		nodes, others := 0, 0
		for _, s := range c.Services {
			switch {
			case !slices.Contains(s.Profiles, profile):
			case s.Build.Dockerfile != "":
				nodes++
			default:
				others++
			}
		}
		if nodes != 2 || others != 4 {
			t.Errorf("%s: %d nodes and %d others; want 2 and PostgreSQL, Valkey, S3 and a proxy", profile, nodes, others)
		}
	}
}

func within(part, whole []string) bool {
	return !slices.ContainsFunc(part, func(s string) bool { return !slices.Contains(whole, s) })
}

// deploy/setup draws each secret once, writes files for their owner only and overwrites
// nothing. The program takes the settings, and they name what the compose file has.
func TestDeploySetup(t *testing.T) {
	t.Parallel()
	script := filepath.Join(deploy, "setup")
	for _, site := range []string{"", "files.example.org", "http://files.example.org", "https://"} {
		dir := filepath.Join(t.TempDir(), "env")
		if out, err := exec.Command(script, site, dir).CombinedOutput(); err == nil || !strings.Contains(string(out), "usage:") {
			t.Errorf("%q: %v\n%s", site, err, out)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: wrote %s", site, dir)
		}
	}
	dir := setUp(t, "https://files.example.org")
	if out, err := exec.Command(script, "https://files.example.org", dir).CombinedOutput(); err == nil || !strings.Contains(string(out), "root key") {
		t.Errorf("a second time: %v\n%s", err, out)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", f.Name(), info.Mode(), err)
		}
	}
	node := readEnv(t, filepath.Join(dir, "node.env"))
	c := readCompose(t)
	hosts := map[string]string{}
	for name, store := range map[string]string{"COFFER_DATABASE_URL": "postgres", "COFFER_REDIS_URL": "valkey", "COFFER_BLOBS": "s3"} {
		u, err := url.Parse(node[name])
		if err != nil || u.Hostname() != store {
			t.Errorf("%s is at %q, %v; want %s", name, u.Hostname(), err, store)
		}
		if _, ok := c.Services[store]; !ok {
			t.Errorf("no service %s", store)
		}
		hosts[store], _ = u.User.Password()
	}
	secrets := []string{
		node["COFFER_ROOT_KEY"], readEnv(t, filepath.Join(dir, "postgres.env"))["POSTGRES_PASSWORD"],
		readEnv(t, filepath.Join(dir, "valkey.env"))["VALKEY_PASSWORD"], readEnv(t, filepath.Join(dir, "s3.env"))["ROOT_SECRET_KEY"],
	}
	if !slices.Equal(secrets[1:], []string{hosts["postgres"], hosts["valkey"], hosts["s3"]}) {
		t.Error("the nodes have other passwords than the stores")
	}
	again := readEnv(t, filepath.Join(setUp(t, "https://files.example.org"), "node.env"))
	for i, secret := range secrets {
		if len(secret) < 44 || slices.Index(secrets, secret) != i || strings.Contains(strings.Join(mapValues(again), " "), secret) {
			t.Errorf("secret %d is short or not new", i)
		}
	}
	trusted, err := netip.ParsePrefix(node["COFFER_TRUSTED_PROXIES"])
	if err != nil || c.Networks["front"].IPAM.Config[0].Subnet != trusted.String() {
		t.Errorf("the nodes trust %s, %v; the proxy's network is %v", trusted, err, c.Networks["front"].IPAM.Config)
	}
	for upstream := range strings.FieldsSeq(readEnv(t, filepath.Join(dir, "proxy.env"))["NODES"]) {
		name, _, _ := strings.Cut(upstream, ":")
		if _, ok := c.Services[name]; !ok || !strings.HasSuffix(upstream, ":8420") {
			t.Errorf("the proxy has no node at %s", upstream)
		}
	}
	for site, is := range map[string]string{"https://files.example.org": "files.example.org", "http://localhost:8420": "localhost"} {
		dir := setUp(t, site)
		config := exec.Command(program, "config")
		config.Dir = t.TempDir()
		for name, value := range readEnv(t, filepath.Join(dir, "node.env")) {
			config.Env = append(config.Env, name+"="+value)
		}
		out, err := config.CombinedOutput()
		if err != nil || !strings.Contains(string(out), site) || !strings.Contains(string(out), "Coffer <coffer@"+is+">") || strings.Contains(string(out), node["COFFER_ROOT_KEY"]) {
			t.Errorf("%s: %v\n%s", site, err, out)
		}
	}
}

func mapValues(m map[string]string) (all []string) {
	for _, v := range m {
		all = append(all, v)
	}
	return all
}

// The image's build command makes a program that needs no other file, and its health check
// is a command of that program.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(deploy, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	build := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 go build .*) -o /out/coffer (\S+)$`).FindStringSubmatch(text)
	if build == nil {
		t.Fatal("no build command")
	}
	for _, line := range []string{"FROM scratch\n", "USER 65532:65532\n", "/ca-certificates.crt\n", `ENTRYPOINT ["/coffer"]`, `CMD ["/coffer", "health"]`} {
		if !strings.Contains(text, line) {
			t.Errorf("no %q", line)
		}
	}
	if last := text[strings.LastIndex(text, "\nFROM "):]; strings.Contains(last, "\nRUN ") {
		t.Error("the last image runs a command, and has none")
	}
	binary := filepath.Join(t.TempDir(), "coffer")
	command := exec.Command("sh", "-c", build[1]+" -o "+binary+" "+build[2])
	command.Dir = "../.."
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if runtime.GOOS == "linux" {
		f, err := elf.Open(binary)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
			t.Error("the program needs a loader and libraries")
		}
	}
	version := exec.Command(binary, "version")
	version.Env = []string{}
	if out, err := version.CombinedOutput(); err != nil || !strings.HasPrefix(string(out), "coffer ") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The health check tells whether the server on this machine is ready.
func TestHealthCommand(t *testing.T) {
	t.Parallel()
	s := newServer(t, alone)
	check := func() (string, error) {
		cmd := exec.Command(program, "health")
		cmd.Env, cmd.Dir = s.env, s.data
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := check(); err == nil || !strings.Contains(out, "refused") {
		t.Errorf("without a server: %v\n%s", err, out)
	}
	s.start()
	if out, err := check(); err != nil || out != "" {
		t.Errorf("with a server: %v\n%s", err, out)
	}
	_, port, _ := strings.Cut(s.url, "127.0.0.1:")
	for _, addr := range []string{":" + port, "0.0.0.0:" + port} {
		s.env = append(s.env, "COFFER_ADDR="+addr)
		if out, err := check(); err != nil {
			t.Errorf("at %s: %v\n%s", addr, err, out)
		}
	}
	s.env = append(s.env, "COFFER_ADDR=127.0.0.1:"+port)
}

// A server whose store is away is not ready.
func TestHealthCommandWithoutAStore(t *testing.T) {
	t.Parallel()
	s, wires := wired(t)
	wires["kv"].Cut()
	wait(t, "not ready", func() bool {
		cmd := exec.Command(program, "health")
		cmd.Env, cmd.Dir = s.env, s.data
		out, err := cmd.CombinedOutput()
		return err != nil && strings.Contains(string(out), "503")
	})
	wires["kv"].Restore(t)
}

// The unit file is one that systemd takes, and its settings are the program's.
func TestUnitFile(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile(filepath.Join(deploy, "coffer.service"))
	if err != nil {
		t.Fatal(err)
	}
	config := exec.Command(program, "config")
	config.Dir = t.TempDir()
	for _, m := range regexp.MustCompile(`(?m)^(?:Environment=|#   )(COFFER_\w+)=(.*)$`).FindAllStringSubmatch(string(raw), -1) {
		value := strings.Trim(m[2], `"`)
		if m[1] == "COFFER_DATA" {
			value = config.Dir
		}
		config.Env = append(config.Env, m[1]+"="+value)
	}
	if out, err := config.CombinedOutput(); err != nil || len(config.Env) < 6 {
		t.Errorf("%d settings, %v\n%s", len(config.Env), err, out)
	}
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		return // the rest is systemd's word on its own format
	}
	unit := filepath.Join(t.TempDir(), "coffer.service")
	if err := os.WriteFile(unit, []byte(strings.Replace(string(raw), "ExecStart=/usr/local/bin/coffer", "ExecStart="+program, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(analyze, "verify", unit).CombinedOutput(); err != nil || strings.Contains(string(out), "coffer.service") {
		t.Errorf("%v\n%s", err, out)
	}
}
