package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"log/slog"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"coffer/internal/limit"
)

// fixedLimits says what each limit without a setting bounds.
var fixedLimits = map[string]string{
	"admin-reset": "Resets of one account that admins start.",
	"avatar":      "Pictures that one account sends.", "backup-code": "Backup codes that one account tries.",
	"backup-code-mail":       "Backup codes for one account that one address tries without a password.",
	"backup-code-mail-total": "Backup codes for one account that all addresses try without a password.",
	"change-email":           "Changes of its address that one account asks for.",
	"drop-reject":            "Guests from one address that a drop's host rejected.", "drop-ticket": "Tickets of one member of a drop.",
	"mail-first":             "The first mail from one network to one recipient.",
	"share-password":         "Wrong passwords of one link from one address.",
	"share-password-address": "Wrong passwords of links from one address.", "share-password-link": "Wrong passwords of one link from all addresses.",
	"sign-up-password": "Wrong passwords for one sign-up from one address; ten times as many from all.",
	"trusted-email":    "Changes of the trusted address that one account asks for.",
	"unlock-mail":      "Mails that unlock one account.", "unlock-guesses": "Mails to one account about many wrong passwords.",
	"username": "Usernames that one account or one sign-up tries.", "verify-email": "Links and codes from mails that one address tries.",
}

// unlimited are the operations that no rule of attempts bounds, by the reason. Operations of
// admins need none.
var unlimited = map[string][]string{
	"An answer from memory, the same for everyone.": {"read-jwks", "read-settings", "options-uploads"},
	"It needs a secret of at least 128 bits; a wrong one costs one look by its digest, and wrong links block their address.": {
		"refresh", "sign-out", "introspect", "check-social", "exchange-social", "end-social", "read-attempt", "read-link", "read-avatar",
		"confirm-identity", "reauthenticate-social",
	},
	"A sign-in's own counter bounds it, which no wait resets: few wrong codes end the attempt, many lock the layer.": {"pass-totp", "pass-passkey", "confirm-totp"},
	"The bound of streams at once, and the quota of what is kept.": {
		"export-account", "export-sign-ins", "watch-changes", "upload-files", "download-chosen", "download-archive", "download-file", "read-thumbnail",
		"download-version", "download-link-archive", "download-link", "hand-in-files", "read-link-thumbnail", "read-trash-thumbnail",
		"create-upload", "end-upload", "head-upload", "append-upload",
	},
	"A change that needs a fresh proof, which is limited.": {
		"delete-account", "set-always-ask", "disable-backup-codes", "read-backup-codes", "make-backup-codes", "confirm-backup-codes", "regenerate-backup-codes",
		"disable-email-otp", "enable-email-otp", "delete-identity", "add-passkey", "remove-passkey", "rename-passkey", "disable-security-question",
		"put-security-question", "disable-sms", "disable-totp", "enrol-totp", "delete-trusted-email", "read-trusted-email",
	},
	"The caller's own account by a session, which a limited sign-in opened: its rows and its quota bound the cost.": {
		"get-account", "remove-avatar", "deactivate-account", "list-identities", "list-passkeys", "read-security", "list-sign-ins", "read-totp-qr",
		"list-files", "create-folder", "search-files", "file-usage", "delete-file", "read-file", "update-file", "copy-file",
		"list-file-shares", "create-share", "list-versions", "delete-version", "restore-version",
		"revoke-other-sessions", "list-sessions", "revoke-session", "read-session", "rename-session",
		"list-shares", "delete-share", "read-share", "update-share", "list-share-uses",
		"empty-trash", "list-trash", "delete-trash", "restore-trash", "list-uploads", "read-upload", "list-own-ledger",
		"list-pins", "list-pin-targets", "read-pin", "delete-pin",
	},
}

// TestEveryOperationIsLimited reads the API: each operation answers rate_limited, or stands in
// unlimited with its reason. An operation that costs or reveals something cannot come without
// either.
func TestEveryOperationIsLimited(t *testing.T) {
	document, err := openAPI(t.Context(), defaultSettings(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			ID        string `json:"operationId"`
			Responses map[string]struct {
				Codes []string `json:"x-coffer-codes"`
			} `json:"responses"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		t.Fatal(err)
	}
	reasons := map[string]string{}
	for reason, ids := range unlimited {
		for _, id := range ids {
			if reasons[id] != "" {
				t.Errorf("%s has two reasons", id)
			}
			reasons[id] = reason
		}
	}
	limited := 0
	for path, methods := range doc.Paths {
		for _, o := range methods {
			codes := o.Responses["429"].Codes
			is := slices.Contains(codes, limit.ErrLimited.Code)
			if is {
				limited++
			}
			switch reason, has := reasons[o.ID]; {
			case is && has:
				t.Errorf("%s is limited, and has a reason not to be", o.ID)
			case !is && !has && !strings.HasPrefix(path, "/admin/"):
				t.Errorf("%s has neither a limit nor a reason to have none", o.ID)
			case strings.HasPrefix(reason, "The bound of streams") && !slices.Contains(codes, "too_many_streams"):
				t.Errorf("%s is no stream", o.ID)
			}
			delete(reasons, o.ID)
		}
	}
	for id := range reasons {
		t.Errorf("there is no operation %s", id)
	}
	if limited < 40 {
		t.Errorf("only %d operations are limited", limited)
	}
}

// found is one limit in the code.
type found struct{ name, rule, setting, what string }

// scanLimits reads every rule of the rooms: settings, and literals with a name.
func scanLimits(t *testing.T, rooms map[string]*room) (all []found) {
	t.Helper()
	for _, r := range rooms {
		for _, file := range r.files {
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.Field:
					if selector(n.Type) == "limit.Rule" && n.Tag != nil {
						text, _ := strconv.Unquote(n.Tag.Value)
						tag := reflect.StructTag(text)
						all = append(all, found{limitName(tag), tag.Get("default"), tag.Get("env"), tag.Get("help")})
					}
				case *ast.CompositeLit:
					if selector(n.Type) != "limit.Rule" {
						return true
					}
					if name := text(valuesOf(n)["Name"]); name != "" {
						all = append(all, found{name, r.ruleOf(t, n), "", fixedLimits[name]})
					}
				}
				return true
			})
		}
	}
	slices.SortFunc(all, func(a, b found) int { return strings.Compare(a.name, b.name) })
	return all
}

// shown is how the table writes a rule: in numbers, never by a name in the code.
var shown = regexp.MustCompile(`^[0-9]+(/[0-9]+(ms|s|m|h)| in the window of [a-z-]+)$`)

// writeLimits writes the table of limits in docs/operations.md.
func writeLimits(t *testing.T, b *bytes.Buffer) {
	t.Helper()
	rooms := readRooms(t, "../../internal")
	all := scanLimits(t, rooms)
	if len(all) < 30 {
		t.Errorf("the code has %d limits", len(all))
	}
	b.WriteString("| limit | allows | setting | what it bounds |\n| --- | --- | --- | --- |\n")
	known := map[string]bool{}
	for _, f := range all {
		if f.what == "" {
			t.Errorf("fixedLimits does not say what %s bounds", f.name)
		}
		if !shown.MatchString(f.rule) {
			t.Errorf("the limit %s allows %q, which a reader cannot count", f.name, f.rule)
		}
		known[f.name] = true
		setting := "fixed"
		if f.setting != "" {
			setting = "`" + f.setting + "`"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", f.name, f.rule, setting, f.what)
	}
	for name := range fixedLimits {
		if !known[name] {
			t.Errorf("the code has no limit %s", name)
		}
	}
	writeCounters(t, b, rooms)
	b.WriteString("\nThese operations have no such limit:\n\n| operations | why |\n| --- | --- |\n")
	for _, reason := range slices.Sorted(maps.Keys(unlimited)) {
		fmt.Fprintf(b, "| %s | %s |\n", strings.Join(slices.Sorted(slices.Values(unlimited[reason])), ", "), reason)
	}
	b.WriteString("| all below `/admin/` | They are for admins alone. |\n")
}
