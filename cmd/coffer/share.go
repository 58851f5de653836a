package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/google/uuid"
	"golang.org/x/text/unicode/norm"

	"coffer/client"
	"coffer/client/drop/disk"
)

// shareCmd is the owner's side of links.
type shareCmd struct {
	Create shareCreateCmd `cmd:"" default:"withargs" help:"Make a link to a file or a folder; prints it."`
	List   shareListCmd   `cmd:"" help:"List your links."`
	Stop   shareStopCmd   `cmd:"" help:"Stop a link at once."`
}

// sessionFlags are the flags of a command that works with a person's files.
type sessionFlags struct {
	Server string `placeholder:"URL" help:"The server of the session; another one is refused."`
	JSON   bool   `name:"json" help:"Print JSON."`
}

type shareCreateCmd struct {
	sessionFlags
	Expires      string `placeholder:"WHEN" help:"When the link ends: 12h, 7d, 2w, or a date such as 2027-01-31."`
	Downloads    int64  `placeholder:"N" help:"How many downloads the link gives."`
	Password     bool   `xor:"password" help:"Ask for a password that guests need. Without a terminal it is a line of standard input."`
	PasswordFile string `xor:"password" type:"existingfile" placeholder:"FILE" help:"The first line of FILE is the password that guests need."`
	Note         string `placeholder:"TEXT" help:"What guests read beside the name."`
	QR           bool   `name:"qr" default:"true" negatable:"" help:"Draw the link as a QR code. A terminal has it unless --no-qr."`
	What         string `arg:"" name:"path-or-id" help:"The path of a file or a folder at the server, such as /Papers/2026.pdf, or its id."`
}

// Run makes a link.
func (c shareCreateCmd) Run(ctx context.Context) error {
	expires, err := until(c.Expires, time.Now())
	if err != nil {
		return fmt.Errorf("--expires: %w", err)
	}
	if c.Downloads < 0 {
		return errors.New("--downloads: must be positive")
	}
	t := newTerminal()
	password, err := c.password(ctx, t)
	if err != nil {
		return err
	}
	person, kept, err := signedIn(c.Server)
	if err != nil {
		return err
	}
	e, err := find(ctx, person, c.What)
	if err != nil {
		return kept.refused(ctx, err)
	}
	made, err := person.CreateShare(ctx, e.ID, client.NewShare{Password: password, ExpiresAt: expires, MaxDownloads: c.Downloads, Note: c.Note})
	if err != nil {
		return kept.refused(ctx, err)
	}
	switch {
	case c.JSON:
		return writeJSON(t, made)
	case !t.outIs:
		_, err := fmt.Fprintf(t.out, "link: %s\nid: %s\n", disk.Clean(made.URL), disk.Clean(made.ID))
		return err
	}
	if _, err := fmt.Fprintf(t.out, "%s is shared%s.\n\n  Link:  %s\n\n", disk.Clean(e.Name), bounds(made), disk.Clean(made.URL)); err != nil {
		return err
	}
	if c.QR {
		if err := writeQR(t.out, made.URL, t.width()); err != nil {
			return err
		}
	}
	_, err = fmt.Fprintf(t.out, "It ends with\n  coffer share stop %s\n", disk.Clean(made.ID))
	return err
}

// password returns the password of the link, "" for none.
func (c shareCreateCmd) password(ctx context.Context, t *terminal) (string, error) {
	if c.PasswordFile != "" {
		b, err := os.ReadFile(c.PasswordFile)
		if err != nil {
			return "", err
		}
		line, _, _ := strings.Cut(string(b), "\n")
		if line = strings.TrimRight(line, "\r"); line == "" {
			return "", fmt.Errorf("%s: its first line is empty", c.PasswordFile)
		}
		return line, nil
	}
	if !c.Password {
		return "", nil
	}
	password, err := t.password(ctx, "Password of the link: ")
	if err != nil {
		return "", err
	}
	if password == "" {
		return "", errors.New("the password is empty")
	}
	if t.inIs {
		again, err := t.password(ctx, "Again: ")
		if err != nil {
			return "", err
		}
		if again != password {
			return "", errors.New("the two passwords differ")
		}
	}
	return password, nil
}

// bounds says what ends a link.
func bounds(s client.Share) string {
	text := ""
	if s.ExpiresAt != nil {
		text += " until " + moment(*s.ExpiresAt)
	}
	if s.MaxDownloads != nil {
		text += fmt.Sprintf(" for %d downloads", *s.MaxDownloads)
	}
	if s.HasPassword {
		text += " with a password"
	}
	return text
}

// until reads a time from now on, or a date; nil for "".
func until(s string, now time.Time) (*time.Time, error) {
	if s == "" {
		return nil, nil
	}
	units := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if unit, ok := units[s[len(s)-1]]; ok {
		n, err := strconv.ParseUint(s[:len(s)-1], 10, 16)
		if err != nil || n == 0 {
			return nil, fmt.Errorf("%q is no time such as 12h, 7d or 2w", s)
		}
		at := now.Add(time.Duration(n) * unit)
		return &at, nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if at, err := time.ParseInLocation(layout, s, time.Local); err == nil {
			return &at, nil
		}
	}
	return nil, fmt.Errorf("%q is no time such as 12h, 7d or 2w, and no date such as 2027-01-31", s)
}

// find returns the entry that a path or an id names.
func find(ctx context.Context, c *client.Client, what string) (client.Entry, error) {
	if uuid.Validate(what) == nil && len(what) == 36 {
		if e, err := c.File(ctx, what); client.Code(err) != "not_found" {
			return e, err
		}
	}
	var at client.Entry
	names := strings.FieldsFunc(norm.NFC.String(what), func(r rune) bool { return r == '/' })
	if len(names) == 0 {
		return at, errors.New("name a file or a folder: everything at once cannot be shared")
	}
	for i, name := range names {
		found := false
		for e, err := range c.Files(ctx, at.ID, "") {
			if err != nil {
				return at, err
			}
			if found = e.Name == name; found {
				at = e
				break
			}
		}
		if !found || i < len(names)-1 && at.Kind != "folder" {
			return at, fmt.Errorf("the server keeps no %s of yours", disk.Clean("/"+strings.Join(names, "/")))
		}
	}
	return at, nil
}

func writeJSON(t *terminal, v any) error {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := io.WriteString(t.out, escaped(b.String()))
	return err
}

// escaped escapes the controls that JSON leaves alone, DEL and C1: a terminal obeys them.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r >= 0x7f && r <= 0x9f {
			fmt.Fprintf(&b, `\u%04x`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

type shareListCmd struct{ sessionFlags }

// Run lists links.
func (c shareListCmd) Run(ctx context.Context) error {
	person, kept, err := signedIn(c.Server)
	if err != nil {
		return err
	}
	all := []client.Share{}
	for s, err := range person.Shares(ctx, "") {
		if err != nil {
			return kept.refused(ctx, err)
		}
		all = append(all, s)
	}
	t := newTerminal()
	if c.JSON {
		return writeJSON(t, all)
	}
	w := tabwriter.NewWriter(t.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tKIND\tSTATE\tDOWNLOADS\tEXPIRES\tWHAT\tLINK")
	for _, s := range all {
		downloads, expires := strconv.FormatInt(s.Downloads, 10), "never"
		if s.MaxDownloads != nil {
			downloads += fmt.Sprintf(" of %d", *s.MaxDownloads)
		}
		if s.ExpiresAt != nil {
			expires = moment(*s.ExpiresAt)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", disk.Clean(s.ID), disk.Clean(s.Kind), disk.Clean(s.State), downloads, expires, disk.Clean(place(s.Entry)), disk.Clean(s.URL))
	}
	return w.Flush()
}

// place is the path of what is shared.
func place(e *client.SharedEntry) string {
	if e == nil {
		return "(deleted)"
	}
	path := ""
	for _, step := range e.Path {
		path += "/" + step.Name
	}
	return path + "/" + e.Name
}

type shareStopCmd struct {
	sessionFlags
	Link string `arg:"" name:"id-or-link" help:"The id, as listed, or the link."`
}

// Run stops a link.
func (c shareStopCmd) Run(ctx context.Context) error {
	person, kept, err := signedIn(c.Server)
	if err != nil {
		return err
	}
	id := c.Link
	if strings.Contains(id, "/") {
		if id, err = idOf(ctx, person, c.Link); err != nil {
			return kept.refused(ctx, err)
		}
	}
	if err := person.StopShare(ctx, id); err != nil {
		return kept.refused(ctx, err)
	}
	t := newTerminal()
	if c.JSON {
		return writeJSON(t, map[string]string{"stopped": id})
	}
	_, err = fmt.Fprintf(t.out, "%s is stopped\n", disk.Clean(id))
	return err
}

// idOf returns the id of one's own link.
func idOf(ctx context.Context, c *client.Client, link string) (string, error) {
	for s, err := range c.Shares(ctx, "") {
		if err != nil {
			return "", err
		}
		if s.URL == link {
			return s.ID, nil
		}
	}
	return "", errors.New("none of your links has that address")
}
