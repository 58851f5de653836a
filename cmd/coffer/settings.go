package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/alecthomas/kong"
)

// BeforeResolve refuses an unreadable .env. Commands without settings ignore the file.
func (s *Settings) BeforeResolve(env dotenv) error { return env.err }

// AfterApply completes the settings and passes them, and their log, to the command. Each
// room's AfterApply follows and refuses unusable values.
func (s *Settings) AfterApply(k *kong.Context) error {
	k.Bind(s, newLogger(s))
	return s.complete()
}

// complete fills settings that follow from others.
func (s *Settings) complete() error {
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
	if s.DB.DatabaseURL == "" {
		s.DB.DatabaseURL = "sqlite:" + filepath.Join(s.Data, "coffer.db")
	}
	if s.Blob.Blobs == "" {
		s.Blob.Blobs = filepath.Join(s.Data, "blobs")
	}
	if s.Keyring.RootKeyFile == "" {
		s.Keyring.RootKeyFile = filepath.Join(s.Data, "root.key")
	}
	return nil
}

// moveTo sets the settings of a server with its data in dir and without other services.
func (s *Settings) moveTo(dir string) {
	s.Data, s.DB.DatabaseURL, s.Blob.Blobs = dir, "sqlite:"+filepath.Join(dir, "coffer.db"), filepath.Join(dir, "blobs")
	s.Keyring.RootKey, s.Keyring.RootKeyFile = "", filepath.Join(dir, "root.key")
	s.Keyring.TokenAlg = "ES256" // fast to make
	s.KV.RedisURL, s.Mail.SMTPURL, s.Session.GeoIP = "", "", ""
}

// makeData creates the data folder, accessible to its owner only.
func (s *Settings) makeData() error {
	if err := os.MkdirAll(s.Data, 0o700); err != nil {
		return fmt.Errorf("COFFER_DATA: %w", err)
	}
	return nil
}
