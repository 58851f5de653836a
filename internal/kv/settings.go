package kv

import "fmt"

// Settings are the operator's settings of this package.
type Settings struct {
	RedisURL string `env:"COFFER_REDIS_URL" secret:"url" placeholder:"redis://HOST:PORT/0" group:"Where it keeps things" help:"Redis or Valkey for sessions, limits and attempts, and for messages between nodes. Empty: the database keeps them, and a drop lives on one node."`
}

// AfterApply refuses what is no address of a Redis. Package kong calls it.
func (s *Settings) AfterApply() error {
	if s.RedisURL == "" {
		return nil
	}
	if _, err := redisOptions(s.RedisURL); err != nil {
		return fmt.Errorf("COFFER_REDIS_URL: %w", err)
	}
	return nil
}
