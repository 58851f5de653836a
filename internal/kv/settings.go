package kv

// Settings are the operator's settings of this package.
type Settings struct {
	RedisURL string `env:"COFFER_REDIS_URL" secret:"url" placeholder:"redis://HOST:PORT/0" group:"Where it keeps things" help:"Redis or Valkey for sessions, limits and attempts. Empty: the database keeps them."`
}
