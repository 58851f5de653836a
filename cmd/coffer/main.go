// A form part has at most this many header fields. The parser's default of 10,000 takes
// megabytes for each connection that stops inside them.
//
//go:debug multipartmaxheaders=64

// Command coffer is the one binary: server, key management, settings, the sending and
// receiving end of drops, and links to one's own files.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/alecthomas/kong"
	"github.com/joho/godotenv"

	"coffer/client"
	"coffer/client/drop/disk"
)

// cli is the command tree. Commands that need a server's settings have them as flags.
type cli struct {
	Serve   serveCmd   `cmd:"" help:"Run the server; it needs no settings to begin with."`
	Send    sendCmd    `cmd:"" help:"Send files and folders to another device, encrypted between the two."`
	Receive receiveCmd `cmd:"" help:"Receive what another device sends."`
	Login   loginCmd   `cmd:"" help:"Sign in to a server, for commands that work with your files."`
	Logout  logoutCmd  `cmd:"" help:"End the session of coffer login."`
	Share   shareCmd   `cmd:"" help:"Share a file or a folder of yours by a link; list links, stop them."`
	History historyCmd `cmd:"" help:"List what happened at the doors of your account: sign-ins, failures, changes."`
	Keys    keysCmd    `cmd:"" help:"List, rotate, re-wrap or destroy keys."`
	Clients clientsCmd `cmd:"" help:"Add, list or remove resource servers, which may ask about access tokens."`
	Quota   quotaCmd   `cmd:"" help:"Show or change how much an account may keep."`
	Link    linkCmd    `cmd:"" help:"Show or block a link to files."`
	Ledger  ledgerCmd  `cmd:"" help:"Verify, export or sign the ledger of what was published."`
	Pins    pinsCmd    `cmd:"" help:"List what is published on IPFS, read it back, or move it to another service."`
	Open    openCmd    `cmd:"" help:"Open the link of an encrypted pin, without an account."`
	Admin   adminCmd   `cmd:"" help:"Work at the server as an admin does in the app: an overview, accounts, blocked networks, jobs, drops, old rows, the log."`
	Health  healthCmd  `cmd:"" help:"Ask the server on this machine whether it is ready; for health checks."`
	Config  configCmd  `cmd:"" help:"Print each setting in force and where it came from."`
	OpenAPI openAPICmd `cmd:"" name:"openapi" help:"Print the OpenAPI 3.1 document of the HTTP API."`
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
	err := run(ctx, os.Args[1:])
	var exit exitError
	switch {
	case errors.Is(err, errNoCommand):
		os.Exit(2)
	case errors.As(err, &exit):
		fmt.Fprintln(os.Stderr, "coffer:", err)
		os.Exit(exit.status)
	case err != nil:
		fmt.Fprintln(os.Stderr, "coffer:", plainError(err))
		os.Exit(1)
	}
}

// plainError returns an error's text. The words of a server move no cursor and make no line.
func plainError(err error) string {
	if _, ok := errors.AsType[*client.Error](err); ok {
		return disk.Clean(err.Error())
	}
	return err.Error()
}

// errNoCommand says that the command line names no command; the help was shown.
var errNoCommand = errors.New("no command")

func run(ctx context.Context, args []string) error {
	if err := dropEmpty(); err != nil {
		return err
	}
	var c cli
	parser, err := newParser(ctx, &c, readDotenv(".env"))
	if err != nil {
		return err
	}
	switch {
	case len(args) == 0:
		shortHelp(os.Stderr, parser)
		return errNoCommand
	case args[0] == "--version":
		args = append([]string{"version"}, args[1:]...)
	case args[0] == "help":
		args = append(slices.Clone(args[1:]), "--help")
	}
	command, err := parse(parser, args)
	if err != nil {
		return err
	}
	return command.Run()
}

// parse reads a command line. A refused setting is named as operators know it: by its
// variable, wherever the value came from.
func parse(parser *kong.Kong, args []string) (*kong.Context, error) {
	command, err := parser.Parse(args)
	var refused *kong.ParseError
	if !errors.As(err, &refused) || refused.Context == nil {
		return command, err
	}
	for _, f := range refused.Context.Flags() {
		why, ok := strings.CutPrefix(err.Error(), "--"+f.Name)
		if ok && len(f.Envs) > 0 && (why[0] == ':' || why[0] == ' ') {
			why, _, _ = strings.Cut(strings.TrimLeft(why, ": "), " (from envar ")
			return command, fmt.Errorf("%s: %s", f.Envs[0], why)
		}
	}
	return command, err
}

// help prints the short help of the program, or all about one command.
func help(options kong.HelpOptions, k *kong.Context) error {
	if k.Selected() == nil {
		shortHelp(k.Stdout, k.Kong)
		return nil
	}
	return kong.DefaultHelpPrinter(options, k)
}

// shortHelp prints the commands. The settings are many, so the help of a command has them.
func shortHelp(w io.Writer, k *kong.Kong) {
	fmt.Fprintf(w, "Usage: coffer <command> [flags]\n\n%s\n\nCommands:\n", k.Model.Help)
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	for _, c := range k.Model.Children {
		fmt.Fprintf(table, "  %s\t%s\n", c.Name, c.Help)
	}
	table.Flush()
	fmt.Fprint(w, `
"coffer help <command>" explains a command and its flags; "coffer --version" is "coffer version".
Settings are flags, environment variables or lines of .env: "coffer help serve" lists them
all, "coffer config" shows those in force.
`)
}

func newParser(ctx context.Context, c *cli, env dotenv) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("coffer"),
		kong.Description("Coffer keeps people's accounts and their private files."),
		kong.Help(help),
		kong.Vars{"server": defaultServer},
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
