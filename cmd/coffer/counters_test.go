package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"coffer/internal/limit"
)

// A counter bounds answers or messages in a room's own tables, and is no limit.Rule.
type counter struct {
	name   string // that of a refusal's RateLimit, if its refusals have one
	room   string
	most   string // a constant of the room; "": one
	within string // a constant, or a field of its settings; "": waiting does not reset it
	what   string
}

var counters = []counter{
	{"attempt", "session", "maxTries", "", "Wrong answers in one sign-in. Then that sign-in is over."},
	{"code", "code", "maxTries", "", "Answers to the codes of one sign-in or set-up. Then none of its codes is good."},
	{"code-resend", "code", "", "Cooldown", "Codes sent for one sign-in or set-up."},
	{"code-send", "code", "maxSends", "", "Codes sent for one sign-in or set-up in all."},
	{"code-streak", "code", "maxStreak", "", "Wrong codes of one kind in a row, over all sign-ins of an account. Then its owner sets a new password by mail."},
	{"code-waiting", "code", "maxWaiting", "", "Codes of one kind sent to one account, over its sign-ins and set-ups that still run."},
	{"code-wrong", "code", "maxFailures", "failureTime", "Wrong codes of one kind, over all sign-ins of an account."},
	{"password-streak", "session", "maxFailures", "", "Wrong passwords in a row of an account, a remembered device or a session. Then a new device needs a mailed link, the device counts as new, the session ends."},
	{"question-wrong", "question", "maxFailures", "failureTime", "Wrong answers to the security question, over all sign-ins of an account."},
	{"totp", "totp", "maxTries", "", "Wrong codes in one set-up of an authenticator app. Then it begins anew."},
	{"totp-streak", "totp", "maxFailures", "", "Wrong codes of the authenticator app in a row. Then it passes nobody until it is set up anew."},
}

// writeCounters writes the table of counters, with their values from the code.
func writeCounters(t *testing.T, b *bytes.Buffer, rooms map[string]*room) {
	t.Helper()
	b.WriteString("\nThese counters are exact, and stand in the database:\n\n| counter | allows | setting | what it bounds |\n| --- | --- | --- | --- |\n")
	known := map[string]bool{}
	for _, c := range counters {
		known[c.name] = true
		r := rooms[c.room]
		if r == nil {
			t.Errorf("there is no room %s", c.room)
			continue
		}
		allows, setting := "1", "fixed"
		if c.most != "" {
			allows = r.number(t, c.most)
		}
		if tag, ok := r.settings[c.within]; ok {
			allows, setting = allows+"/"+tag.Get("default"), "`"+tag.Get("env")+"`"
		} else if c.within != "" {
			allows += "/" + r.duration(t, c.within)
		}
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", c.name, allows, setting, c.what)
	}
	for name, r := range rooms {
		for _, policy := range r.policies {
			if !known[policy] {
				t.Errorf("room %s refuses by %s, which counters does not name", name, policy)
			}
		}
	}
}

// room is a package of internal/, as far as limits need it.
type room struct {
	dir      string
	files    []*ast.File
	scope    *types.Scope
	info     *types.Info
	settings map[string]reflect.StructTag // by the name of the field
	policies []string                     // names of limits that its refusals show
}

// readRooms reads the packages below a folder. It computes their constants and nothing of what
// they import, which takes no build.
func readRooms(t *testing.T, dir string) map[string]*room {
	t.Helper()
	files, rooms := token.NewFileSet(), map[string]*room{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(dir, filepath.Dir(path))
		if err != nil {
			return err
		}
		if rooms[name] == nil {
			rooms[name] = &room{dir: name, settings: map[string]reflect.StructTag{}}
		}
		rooms[name].files = append(rooms[name].files, file)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rooms {
		r.info = &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
		check := types.Config{Importer: durations(), Error: func(error) {}} // all else that it imports is unknown
		p, _ := check.Check(r.dir, files, r.files, r.info)
		r.scope = p.Scope()
		for _, file := range r.files {
			ast.Inspect(file, r.note)
		}
	}
	return rooms
}

// importOf is an importer of one package.
type importOf struct{ *types.Package }

func (p importOf) Import(path string) (*types.Package, error) {
	if path != p.Path() {
		return nil, fmt.Errorf("%s is not needed", path)
	}
	return p.Package, nil
}

// durations is package time as far as constants need it. Its source is not where tests of a
// trimmed build run.
func durations() importOf {
	p := types.NewPackage("time", "time")
	name := types.NewTypeName(token.NoPos, p, "Duration", nil)
	types.NewNamed(name, types.Typ[types.Int64], nil)
	p.Scope().Insert(name)
	for unit, d := range map[string]time.Duration{"Millisecond": time.Millisecond, "Second": time.Second, "Minute": time.Minute, "Hour": time.Hour} {
		p.Scope().Insert(types.NewConst(token.NoPos, p, unit, name.Type(), constant.MakeInt64(int64(d))))
	}
	p.MarkComplete()
	return importOf{p}
}

// note keeps a setting or a policy.
func (r *room) note(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Field:
		if n.Tag == nil || len(n.Names) == 0 {
			return true
		}
		text, _ := strconv.Unquote(n.Tag.Value)
		if tag := reflect.StructTag(text); tag.Get("env") != "" {
			r.settings[n.Names[0].Name] = tag
		}
	case *ast.CompositeLit:
		if selector(n.Type) == "fault.Policy" {
			if name := text(valuesOf(n)["Name"]); name != "" {
				r.policies = append(r.policies, name)
			}
		}
	}
	return true
}

// valuesOf are the values of a literal by the names of its fields.
func valuesOf(n *ast.CompositeLit) map[string]ast.Expr {
	values := map[string]ast.Expr{}
	for _, e := range n.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			values[fmt.Sprint(kv.Key)] = kv.Value
		}
	}
	return values
}

// number and duration are a constant of the room.
func (r *room) number(t *testing.T, name string) string {
	t.Helper()
	return strconv.FormatInt(r.constant(t, name), 10)
}

func (r *room) duration(t *testing.T, name string) string {
	t.Helper()
	return limit.Short(time.Duration(r.constant(t, name)))
}

func (r *room) constant(t *testing.T, name string) int64 {
	t.Helper()
	c, ok := r.scope.Lookup(name).(*types.Const)
	if !ok {
		t.Errorf("room %s has no constant %s", r.dir, name)
		return 0
	}
	n, exact := constant.Int64Val(constant.ToInt(c.Val()))
	if !exact {
		t.Errorf("%s of room %s is no number: %s", name, r.dir, c.Val())
	}
	return n
}

// value computes an expression in the room's code; false: it is no constant.
func (r *room) value(e ast.Expr) (int64, bool) {
	v := r.info.Types[e].Value
	if v == nil {
		return 0, false
	}
	return constant.Int64Val(constant.ToInt(v))
}

// ruleOf is the rule of a literal as settings write it: 10/15m. A window may be a setting's.
func (r *room) ruleOf(t *testing.T, n *ast.CompositeLit) string {
	t.Helper()
	values := valuesOf(n)
	calls, ok := r.value(values["Limit"])
	if !ok {
		t.Errorf("the limit %s: its number is no constant", text(values["Name"]))
	}
	if window, ok := r.value(values["Window"]); ok {
		return limit.Rule{Limit: int(calls), Window: time.Duration(window)}.String()
	}
	if of, ok := values["Window"].(*ast.SelectorExpr); ok && of.Sel.Name == "Window" {
		if x, ok := of.X.(*ast.SelectorExpr); ok && r.settings[x.Sel.Name] != "" {
			return fmt.Sprintf("%d in the window of %s", calls, limitName(r.settings[x.Sel.Name]))
		}
	}
	t.Errorf("the limit %s: its window is neither a constant nor a setting's", text(values["Name"]))
	return ""
}

// limitName is how the table of limits calls a setting.
func limitName(tag reflect.StructTag) string { return strings.TrimPrefix(tag.Get("name"), "limit-") }
