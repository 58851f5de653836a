// A form part has at most this many header fields. The parser's default of 10,000 takes
// megabytes for each connection that stops inside them.
//
//go:debug multipartmaxheaders=64

// Command coffer is the one binary: server, key management and settings.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/joho/godotenv"
)

// cli is the command tree. Commands that need a server's settings have them as flags.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the server. With no settings it makes ./data and listens on http://localhost:8420."`
	Keys    keysCmd    `cmd:"" help:"List, rotate, re-wrap and destroy the keys of the ring."`
	Config  configCmd  `cmd:"" help:"Print each setting in force and where it came from; secrets are masked."`
	OpenAPI openAPICmd `cmd:"" name:"openapi" help:"Print the OpenAPI 3.1 document of the HTTP interface."`
	Version versionCmd `cmd:"" help:"Print the version."`
}

// dotenv is the content of .env in the working directory. It is kept apart from the real
// environment so that `coffer config` can tell the two apart.
type dotenv struct {
	values map[string]string
	err    error // why the file could not be read
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "coffer:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if err := dropEmpty(); err != nil {
		return err
	}
	var c cli
	parser, err := newParser(ctx, &c, readDotenv(".env"))
	if err != nil {
		return err
	}
	command, err := parser.Parse(args)
	if err != nil {
		return err
	}
	return command.Run()
}

func newParser(ctx context.Context, c *cli, env dotenv) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("coffer"),
		kong.Description("One program that keeps people's accounts, their private files, and the files they hand to each other."),
		kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(env),
	)
}

// dropEmpty removes empty settings: compose files and unit files write unset settings so.
func dropEmpty() error {
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		if value == "" && strings.HasPrefix(name, "COFFER_") {
			if err := os.Unsetenv(name); err != nil {
				return err
			}
		}
	}
	return nil
}

// readDotenv adds the file's settings to the environment, unless the environment has them.
// A missing file is no error.
func readDotenv(path string) dotenv {
	values, err := godotenv.Read(path)
	if errors.Is(err, fs.ErrNotExist) {
		return dotenv{}
	}
	if err != nil {
		return dotenv{err: fmt.Errorf("%s: %w", path, err)}
	}
	set := dotenv{values: map[string]string{}}
	for name, value := range maps.All(values) {
		if _, ok := os.LookupEnv(name); ok || value == "" {
			continue
		}
		if err := os.Setenv(name, value); err != nil {
			set.err = fmt.Errorf("%s: %w", path, err)
			return set
		}
		set.values[name] = value
	}
	return set
}

func newLogger(s *Settings) *slog.Logger {
	var level slog.Level
	// The enum tag has already refused levels that slog cannot read.
	if err := level.UnmarshalText([]byte(s.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: level}
	if s.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, options))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, options))
}

// versionCmd prints the module version that the binary was built from.
type versionCmd struct{}

// Run prints the version.
func (versionCmd) Run() error {
	fmt.Println("coffer", version())
	return nil
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
