package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"coffer/client"
	"coffer/client/drop/disk"
)

// historyCmd lists what happened at the doors of one's own account.
type historyCmd struct {
	sessionFlags
	Only  string `enum:",ok,failed,held,noticed" default:"" placeholder:"OUTCOME" help:"ok, failed, held (the right password, and it waited for a mail) or noticed (by the server). Default: everything."`
	Limit int    `default:"50" help:"Most lines."`
}

// Run prints the history, the newest first.
func (c historyCmd) Run(ctx context.Context) error {
	if c.Limit < 1 {
		return errors.New("--limit: must be positive")
	}
	person, kept, err := signedIn(c.Server)
	if err != nil {
		return err
	}
	all := []client.SignInEvent{}
	for e, err := range person.SignIns(ctx, client.SignInFilter{Outcome: c.Only}) {
		if err != nil {
			return kept.refused(ctx, err)
		}
		if all = append(all, e); len(all) == c.Limit {
			break
		}
	}
	t := newTerminal()
	if c.JSON {
		return writeJSON(t, all)
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "AT\tWHAT\tBY\tDEVICE\tPLACE\tADDRESS\tNOTE")
	for _, e := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", moment(e.At), disk.Clean(happened(e)), provenBy(e), told(e.Device), told(e.Place), disk.Clean(e.Address), disk.Clean(noted(e)))
	}
	return w.Flush()
}

// happened is a happening in words.
func happened(e client.SignInEvent) string {
	if e.Outcome == client.EventHeld {
		return "sign-in waited for a mail"
	}
	if words := happenings[e.Kind]; words != "" {
		return words
	}
	return strings.ReplaceAll(e.Kind, "-", " ")
}

// happenings are the kinds whose names say too little.
var happenings = map[string]string{
	"sign-in-failed": "sign-in failed", "stepped-up": "confirmed it was you", "sign-up-exists": "a sign-up with your address was tried",
	"change-email-notice": "a change of your address was asked for", "change-email-exists": "a change to your address was tried",
}

// proofs are the words of what a session was opened with (RFC 8176), and of what failed.
var proofs = map[string]string{
	"pwd": "password", "otp": "code", "sms": "text message", "kba": "security question", "hwk": "passkey", "swk": "passkey", "fed": "connected account",
	"password": "password", "totp": "authenticator app", "email": "mailbox", "trusted_email": "trusted mailbox", "email_otp": "mailed code", "security_question": "security question", "passkey": "passkey",
	"backup_code": "backup code", "social": "connected account",
}

// provenBy names the proofs of a happening, each once.
func provenBy(e client.SignInEvent) string {
	var all []string
	for _, m := range e.Methods {
		if word := proofs[m]; word != "" && !slices.Contains(all, word) {
			all = append(all, word)
		}
	}
	return strings.Join(all, " + ")
}

// noted says why a happening stands out, and whether it is of this session.
func noted(e client.SignInEvent) string {
	var all []string
	if e.Here {
		all = append(all, "this session")
	}
	for _, flag := range e.Flags {
		all = append(all, strings.ReplaceAll(flag, "_", " "))
	}
	return strings.Join(all, ", ")
}

// told is a text of the server, "-" for one that it does not know.
func told(text *string) string {
	if text == nil {
		return "-"
	}
	return disk.Clean(*text)
}
