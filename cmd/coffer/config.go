package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"

	"coffer/internal/limit"
)

// configCmd prints each setting in force.
type configCmd struct{ Settings }

// Run prints one line per setting: name, value, origin.
func (configCmd) Run(s *Settings, env dotenv, k *kong.Context) error {
	w := tabwriter.NewWriter(k.Stdout, 0, 0, 2, ' ', 0)
	onLine := flagsOnLine(k)
	values := s.inForce()
	for _, f := range settingFlags(k.Selected()) {
		name := f.Envs[0]
		value := values[name]
		if value == "" {
			value = fmt.Sprint(k.FlagValue(f))
			if d, ok := k.FlagValue(f).(time.Duration); ok {
				value = limit.Short(d)
			}
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", name, masked(f, value), origin(f, env, onLine))
	}
	writeFurther(w, env)
	return w.Flush()
}

// writeFurther prints the settings of providers whose names are parts of variables.
func writeFurther(w io.Writer, env dotenv) {
	var set []string
	for _, pair := range os.Environ() {
		name, value, _ := strings.Cut(pair, "=")
		is, secret := furtherProvider(name)
		if !is {
			continue
		}
		if secret {
			value = mask
		}
		from := "environment"
		if _, ok := env.values[name]; ok {
			from = ".env"
		}
		set = append(set, fmt.Sprintf("%s\t%s\t%s\n", name, value, from))
	}
	slices.Sort(set)
	fmt.Fprint(w, strings.Join(set, ""))
}

// inForce returns the settings whose value follows from others.
func (s *Settings) inForce() map[string]string {
	return map[string]string{
		"COFFER_URL": s.URL, "COFFER_DATA": s.Data, "COFFER_DATABASE_URL": s.DB.DatabaseURL,
		"COFFER_BLOBS": s.Blob.Blobs, "COFFER_ROOT_KEY_FILE": s.Keyring.RootKeyFile, "COFFER_LEDGER_FILE": s.Ledger.File,
	}
}

func flagsOnLine(k *kong.Context) map[*kong.Flag]bool {
	set := map[*kong.Flag]bool{}
	for _, p := range k.Path {
		if p.Flag != nil {
			set[p.Flag] = true
		}
	}
	return set
}

func origin(f *kong.Flag, env dotenv, onLine map[*kong.Flag]bool) string {
	if onLine[f] {
		return "flag"
	}
	if _, ok := env.values[f.Envs[0]]; ok {
		return ".env"
	}
	if _, ok := os.LookupEnv(f.Envs[0]); ok {
		return "environment"
	}
	return "default"
}

const mask = "••••••"

// masked hides a secret: all of it, or the user part and query of a URL.
func masked(f *kong.Flag, value string) string {
	if value == "" {
		return "(none)"
	}
	switch f.Tag.Get("secret") {
	case "all":
		return mask
	case "url":
		return maskedURL(value)
	}
	return value
}

// maskedURL shows a folder, a SQLite path, and of another URL the scheme, the host and the
// path. A password that is written without escapes turns up in any of them, or makes the
// value no URL at all: what is not plainly one of the three is hidden whole.
func maskedURL(value string) string {
	u, err := url.Parse(value)
	if err != nil || u.Opaque != "" && u.Scheme != "sqlite" || u.Fragment != "" {
		return mask
	}
	shown := value
	if u.User != nil || u.RawQuery != "" {
		host, path := u.Host, u.Path
		if u.User != nil {
			host = mask + "@" + host
		}
		if u.RawQuery != "" {
			path += "?" + mask
		}
		shown = u.Scheme + "://" + host + path
	}
	if strings.ContainsAny(u.Host+u.Path+u.Opaque, "@=") {
		return mask
	}
	return shown
}

// settingFlags returns the flags of a command that are settings: those with an environment
// name. Several rooms' settings may share a group, so the flags come group by group.
func settingFlags(command *kong.Node) []*kong.Flag {
	var flags []*kong.Flag
	var groups []string
	for _, f := range command.Flags {
		if len(f.Envs) > 0 {
			flags = append(flags, f)
			groups = append(groups, f.Group.Title)
		}
	}
	slices.SortStableFunc(flags, func(a, b *kong.Flag) int {
		return slices.Index(groups, a.Group.Title) - slices.Index(groups, b.Group.Title)
	})
	return flags
}

// writeSettings writes the table of settings in docs/operations.md.
func writeSettings(w io.Writer, command *kong.Node) {
	group := ""
	for _, f := range settingFlags(command) {
		if g := f.Group.Title; g != group {
			group = g
			fmt.Fprintf(w, "\n### %s\n\n| setting | default | meaning |\n| --- | --- | --- |\n", group)
		}
		value := "(empty)"
		switch {
		case f.HasDefault:
			value = "`" + f.Default + "`"
		case f.PlaceHolder != "":
			value = "e.g. `" + f.PlaceHolder + "`"
		}
		fmt.Fprintf(w, "| `%s`<br>`--%s` | %s | %s |\n", f.Envs[0], f.Name, value, strings.ReplaceAll(f.Help, "|", "\\|"))
	}
}
