package keyring

import (
	"errors"
	"fmt"
	"io/fs"
)

// Settings are the operator's settings of this package; the tags hold their defaults.
type Settings struct {
	RootKey     string `env:"COFFER_ROOT_KEY" secret:"all" group:"Keys" help:"Root key, 32 bytes in base64. Empty: read from the root key file."`
	RootKeyFile string `env:"COFFER_ROOT_KEY_FILE" placeholder:"DATA/root.key" group:"Keys" help:"Root key file (mode 0600), made at the first start."`
	TokenAlg    string `env:"COFFER_TOKEN_ALG" default:"RS256" enum:"RS256,RS256-3072,ES256,EdDSA" group:"Keys" help:"Algorithm of new token signing keys: RS256 (RSA-2048), RS256-3072, ES256 or EdDSA."`
}

// AfterApply refuses a root key that is none. A file that is not there yet is made later.
// Package kong calls it.
func (s *Settings) AfterApply() error {
	if s.RootKey != "" {
		if _, err := decodeRoot(s.RootKey); err != nil {
			return fmt.Errorf("COFFER_ROOT_KEY: %w", err)
		}
		return nil
	}
	if _, err := readRoot(s.RootKeyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("COFFER_ROOT_KEY_FILE: %w", err)
	}
	return nil
}
