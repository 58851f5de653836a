package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// prefix is what the names of all settings begin with.
const prefix = "COFFER_"

// BeforeResolve refuses a .env that could not be read, and a variable that is no setting: a
// misspelt name would leave a default in force. Commands without settings look at neither.
func (s *Settings) BeforeResolve(env dotenv, k *kong.Context) error {
	if env.err != nil {
		return env.err
	}
	var known []string
	for _, f := range k.Flags() {
		known = append(known, f.Envs...)
	}
	for _, other := range k.Model.Children { // settings of send and receive may be set too
		for _, f := range other.Flags {
			known = append(known, f.Envs...)
		}
	}
	var set []string
	for _, pair := range os.Environ() {
		if name, _, _ := strings.Cut(pair, "="); strings.HasPrefix(name, prefix) {
			set = append(set, name)
		}
	}
	slices.Sort(set)
	for _, name := range set {
		if ofProvider, _ := furtherProvider(name); !ofProvider && !slices.Contains(known, name) {
			return unknown(name, known, env)
		}
	}
	return nil
}

func unknown(name string, known []string, env dotenv) error {
	where := ""
	if _, ok := env.values[name]; ok {
		where = " (in .env)"
	}
	nearest := slices.MinFunc(known, func(a, b string) int { return distance(name, a) - distance(name, b) })
	if distance(name, nearest) > (len(nearest)-len(prefix)+1)/2 {
		return fmt.Errorf("%s: there is no such setting%s; \"coffer help serve\" lists them", name, where)
	}
	return fmt.Errorf("%s: there is no such setting%s; is it %s?", name, where, nearest)
}

// distance is how many letters must be put in, taken out or changed to make b of a
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// AfterApply completes the settings and passes them, and their log, to the command. Each
// room's AfterApply follows and refuses unusable values.
func (s *Settings) AfterApply(k *kong.Context) error {
	k.Bind(s, newLogger(s))
	return s.complete()
}

// complete fills settings that follow from others.
func (s *Settings) complete() error {
	s.Social.ReadFurther(os.Environ())
	if err := s.Server.AfterApply(); err != nil { // the URL follows from the address
		return err
	}
	host, port, err := net.SplitHostPort(s.Server.Addr)
	if err != nil {
		return err
	}
	if s.URL == "" {
		if ip := net.ParseIP(host); host == "" || (ip != nil && (ip.IsLoopback() || ip.IsUnspecified())) {
			host = "localhost"
		}
		s.URL = "http://" + net.JoinHostPort(host, port)
	}
	s.URL = strings.TrimRight(s.URL, "/")
	u, err := url.Parse(s.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "" {
		shown := "what is set"
		if err == nil {
			shown = u.Redacted()
		}
		return fmt.Errorf("COFFER_URL: %q is not a base URL such as https://files.example.org", shown)
	}
	if s.Data, err = filepath.Abs(s.Data); err != nil {
		return fmt.Errorf("COFFER_DATA: %w", err)
	}
	if info, err := os.Stat(s.Data); err == nil && !info.IsDir() {
		return fmt.Errorf("COFFER_DATA: %s is no folder", s.Data)
	}
	if s.DB.DatabaseURL == "" {
		s.DB.DatabaseURL = "sqlite:" + filepath.Join(s.Data, "coffer.db")
	}
	if s.Blob.Blobs == "" {
		s.Blob.Blobs = filepath.Join(s.Data, "blobs")
	}
	if s.Keyring.RootKeyFile == "" {
		s.Keyring.RootKeyFile = filepath.Join(s.Data, "root.key")
	}
	if s.Ledger.File == "" {
		s.Ledger.File = filepath.Join(s.Data, "ledger", "checkpoints.txt")
	}
	return nil
}

// moveTo sets the settings of a server with its data in dir and without other services.
func (s *Settings) moveTo(dir string) {
	s.Data, s.DB.DatabaseURL, s.Blob.Blobs = dir, "sqlite:"+filepath.Join(dir, "coffer.db"), filepath.Join(dir, "blobs")
	s.Ledger.File, s.Ledger.Mail = filepath.Join(dir, "ledger", "checkpoints.txt"), ""
	s.Keyring.RootKey, s.Keyring.RootKeyFile = "", filepath.Join(dir, "root.key")
	s.Keyring.TokenAlg = "ES256" // fast to make
	s.KV.RedisURL, s.Mail.SMTPURL, s.SMS.SMSURL, s.Session.GeoIP = "", "", "", ""
	s.Social.GoogleID, s.Social.GitHubID, s.Social.GoogleSecret, s.Social.GitHubSecret, s.Social.Further = "", "", "", "", nil
}

// makeData creates the data folder, accessible to its owner only.
func (s *Settings) makeData() error {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return fmt.Errorf("COFFER_DATA: %w", err)
	}
	return nil
}
