package db

// Settings are the operator's settings of this package.
type Settings struct {
	DatabaseURL string `env:"COFFER_DATABASE_URL" secret:"url" placeholder:"sqlite:DATA/coffer.db" group:"Where it keeps things" help:"sqlite:PATH or postgres://… ."`
}
