package social

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"coffer/internal/limit"
	"coffer/internal/outbound"
)

// Settings are the operator's settings of the room; the tags hold their defaults.
type Settings struct {
	GoogleID     string `name:"google-client-id" env:"COFFER_GOOGLE_CLIENT_ID" placeholder:"NUMBER.apps.googleusercontent.com" group:"Social sign-in" help:"Client id of \"Sign in with Google\". Empty: none. docs/social.md explains each step."`
	GoogleSecret string `name:"google-client-secret" env:"COFFER_GOOGLE_CLIENT_SECRET" secret:"all" group:"Social sign-in" help:"Its client secret."`
	GoogleIssuer string `name:"google-issuer" env:"COFFER_GOOGLE_ISSUER" default:"https://accounts.google.com" group:"Social sign-in" help:"Issuer that stands in for Google, as in tests."`
	GitHubID     string `name:"github-client-id" env:"COFFER_GITHUB_CLIENT_ID" group:"Social sign-in" help:"Client id of \"Sign in with GitHub\". Empty: none."`
	GitHubSecret string `name:"github-client-secret" env:"COFFER_GITHUB_CLIENT_SECRET" secret:"all" group:"Social sign-in" help:"Its client secret."`
	GitHubURL    string `name:"github-url" env:"COFFER_GITHUB_URL" default:"https://github.com" group:"Social sign-in" help:"GitHub, or a GitHub Enterprise Server."`
	GitHubAPIURL string `name:"github-api-url" env:"COFFER_GITHUB_API_URL" default:"https://api.github.com" group:"Social sign-in" help:"Its API; of an Enterprise Server https://HOST/api/v3."`

	SocialLimit limit.Rule `name:"limit-social" env:"COFFER_LIMIT_SOCIAL" default:"100/15m" group:"Limits" help:"Sign-ins with a provider that one address begins (IPv6: one /64), and mails to activate that it asks for after one."`

	// Further are the providers of COFFER_OIDC_NAME_ISSUER and its like, in the order of names.
	Further []Further `kong:"-"`
}

// Further is an OpenID Connect provider beside Google.
type Further struct {
	Name                        string // as in the variables
	Issuer, ID, Secret, Caption string
}

// The variables of a further provider have its name in the middle: capital letters and digits.
const furtherPrefix = "COFFER_OIDC_"

var furtherName = regexp.MustCompile(`^[A-Z][A-Z0-9]{0,31}$`)

// FurtherVariable reports whether a variable is one of a further provider, of which, and
// whether its value is secret.
func FurtherVariable(variable string) (name, part string, secret, ok bool) {
	rest, ok := strings.CutPrefix(variable, furtherPrefix)
	if !ok {
		return "", "", false, false
	}
	for _, part := range []string{"_CLIENT_SECRET", "_CLIENT_ID", "_ISSUER", "_LABEL"} {
		if name, ok := strings.CutSuffix(rest, part); ok && furtherName.MatchString(name) {
			return name, part, part == "_CLIENT_SECRET", true
		}
	}
	return "", "", false, false
}

// ReadFurther takes the further providers from an environment of NAME=VALUE pairs.
func (s *Settings) ReadFurther(environ []string) {
	found := map[string]*Further{}
	for _, pair := range environ {
		variable, value, _ := strings.Cut(pair, "=")
		name, part, _, ok := FurtherVariable(variable)
		if !ok || value == "" {
			continue
		}
		if found[name] == nil {
			found[name] = &Further{Name: name}
		}
		f := found[name]
		*map[string]*string{"_ISSUER": &f.Issuer, "_CLIENT_ID": &f.ID, "_CLIENT_SECRET": &f.Secret, "_LABEL": &f.Caption}[part] = value
	}
	s.Further = nil
	for _, f := range found {
		s.Further = append(s.Further, *f)
	}
	slices.SortFunc(s.Further, func(a, b Further) int { return strings.Compare(a.Name, b.Name) })
}

// AfterApply refuses settings that cannot work, by name. Package kong calls it, and New.
func (s *Settings) AfterApply() error {
	if err := both("COFFER_GOOGLE_CLIENT_ID", s.GoogleID, "COFFER_GOOGLE_CLIENT_SECRET", s.GoogleSecret); err != nil {
		return err
	}
	if err := both("COFFER_GITHUB_CLIENT_ID", s.GitHubID, "COFFER_GITHUB_CLIENT_SECRET", s.GitHubSecret); err != nil {
		return err
	}
	for name, text := range map[string]string{"COFFER_GOOGLE_ISSUER": s.GoogleIssuer, "COFFER_GITHUB_URL": s.GitHubURL, "COFFER_GITHUB_API_URL": s.GitHubAPIURL} {
		if err := checkURL(name, text); err != nil {
			return err
		}
	}
	for _, f := range s.Further {
		variable := furtherPrefix + f.Name
		switch {
		case f.Name == "GOOGLE" || f.Name == "GITHUB":
			return fmt.Errorf("%s_…: that provider is set with COFFER_%s_…", variable, f.Name)
		case f.Issuer == "":
			return fmt.Errorf("%s_ISSUER: it is missing, and other variables of %s are set", variable, f.Name)
		case f.ID == "":
			return fmt.Errorf("%s_CLIENT_ID: it is missing, and other variables of %s are set", variable, f.Name)
		case f.Secret == "":
			return fmt.Errorf("%s_CLIENT_SECRET: it is missing, and other variables of %s are set", variable, f.Name)
		case len(f.Caption) > 40:
			return fmt.Errorf("%s_LABEL: at most 40 bytes", variable)
		}
		if err := checkURL(variable+"_ISSUER", f.Issuer); err != nil {
			return err
		}
	}
	return nil
}

// both refuses a provider of which one half is set.
func both(nameA, a, nameB, b string) error {
	switch {
	case a != "" && b == "":
		return errors.New(nameB + ": it is missing, and " + nameA + " is set")
	case a == "" && b != "":
		return errors.New(nameA + ": it is missing, and " + nameB + " is set")
	}
	return nil
}

// checkURL refuses what cannot be the base of a provider's addresses. Without TLS only this
// machine is asked.
func checkURL(name, text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return errors.New(name + ": not of the form https://HOST or https://HOST/PATH")
	case u.Scheme != "https" && (u.Scheme != "http" || !outbound.Here(u.Hostname())):
		return errors.New(name + ": https:// is required, unless the host is this machine")
	}
	return nil
}
