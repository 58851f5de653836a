package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"coffer/client/drop"
)

// dropCommands are what the scripts of send and receive need beside testscript's own.
func dropCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"grab": grab, "make": makeFiles, "same": sameFiles, "hostile": hostile, "killed": killed,
	}
}

// grab waits until a line of a file fits a pattern, and keeps its group: grab FILE VAR
// PATTERN [N]. N is which of the lines that fit.
func grab(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 3 || len(args) > 4 || neg {
		ts.Fatalf("usage: grab FILE VAR PATTERN [N]")
	}
	n := 1
	if len(args) == 4 {
		var err error
		n, err = strconv.Atoi(args[3])
		ts.Check(err)
	}
	pattern := regexp.MustCompile("(?m)" + args[2])
	var b []byte
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		var err error
		if b, err = os.ReadFile(ts.MkAbs(args[0])); err != nil {
			continue
		}
		if m := pattern.FindAllSubmatch(b, n); len(m) == n {
			ts.Setenv(args[1], string(m[n-1][len(m[n-1])-1]))
			return
		}
	}
	ts.Fatalf("%s has no line %s:\n%s", args[0], args[2], b)
}

// makeFiles makes a file of random bytes, or a folder of them: make PATH SIZE [COUNT].
func makeFiles(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 || neg {
		ts.Fatalf("usage: make PATH SIZE [COUNT]")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	path := ts.MkAbs(args[0])
	random := rand.NewChaCha8(sha256.Sum256([]byte(args[0])))
	content := func(n int) []byte {
		b := make([]byte, n)
		_, _ = random.Read(b)
		return b
	}
	if len(args) == 2 {
		ts.Check(os.MkdirAll(filepath.Dir(path), 0o777))
		ts.Check(os.WriteFile(path, content(size), 0o666))
		return
	}
	count, err := strconv.Atoi(args[2])
	ts.Check(err)
	for i := range count {
		dir := filepath.Join(path, fmt.Sprint("d", i%7), fmt.Sprint("e", i%11))
		ts.Check(os.MkdirAll(dir, 0o777))
		ts.Check(os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), content(i*size/count), 0o666))
	}
	ts.Check(os.MkdirAll(filepath.Join(path, "empty", "folder"), 0o777))
}

// killed runs a command and kills it when a part has SIZE bytes: killed DIR PART SIZE
// COMMAND…
func killed(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 4 || neg {
		ts.Fatalf("usage: killed DIR PART SIZE COMMAND...")
	}
	size, err := strconv.ParseInt(args[2], 10, 64)
	ts.Check(err)
	c := exec.Command(args[3], args[4:]...)
	c.Dir, c.Stderr = ts.MkAbs("."), os.Stderr
	ts.Check(c.Start())
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	for {
		select {
		case err := <-ended:
			ts.Fatalf("it ended before it was killed: %v", err)
		case <-time.After(time.Millisecond):
		}
		var held int64
		_ = filepath.WalkDir(filepath.Join(ts.MkAbs(args[0]), args[1]), func(_ string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				if info, err := d.Info(); err == nil {
					held += info.Size()
				}
			}
			return nil
		})
		if held >= size {
			ts.Check(c.Process.Kill())
			<-ended
			return
		}
	}
}

// sameFiles compares two files or folders, with names, contents and times: same A B.
func sameFiles(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: same A B")
	}
	a, b := listing(ts, ts.MkAbs(args[0])), listing(ts, ts.MkAbs(args[1]))
	if (a == b) == neg {
		ts.Fatalf("%s:\n%s%s:\n%s", args[0], a, args[1], b)
	}
}

func listing(ts *testscript.TestScript, root string) string {
	var b strings.Builder
	ts.Check(filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, path)
		if d.IsDir() {
			fmt.Fprintf(&b, "%s/\n", name)
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s %d %x", name, len(content), sha256.Sum256(content))
		if info, err := d.Info(); err == nil && path != root { // a file alone has no time
			fmt.Fprintf(&b, " %d", info.ModTime().UnixMilli())
		}
		b.WriteByte('\n')
		return nil
	}))
	return b.String()
}

// forged is an item with any name and any bytes.
type forged struct {
	info drop.Info
	*bytes.Reader
}

func (f forged) Info() drop.Info { return f.info }
func (forged) Changed() bool     { return false }
func (forged) Close() error      { return nil }

// hostile opens a drop as no honest sender does, for a receiver that leaves: hostile SERVER
// VAR. VAR becomes its link.
func hostile(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: hostile SERVER VAR")
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	left := make(chan bool, 32)
	m, err := drop.Open(ctx, drop.Config{Server: args[0], Device: "\x1b[31mEvil\x1b[0m\u202e", Notify: func(n drop.Notice) {
		if n.Event == drop.Left {
			left <- true
		}
	}})
	ts.Check(err)
	folder := func(header, content string) forged {
		stream := string([]byte{0, 0, byte(len(header) >> 8), byte(len(header))}) + header + content
		return forged{drop.Info{Kind: drop.Folder, Size: int64(len(stream)), Files: 1}, bytes.NewReader([]byte(stream))}
	}
	var items []drop.Source
	offer := func(name string, f forged) {
		f.info.Name = name
		items = append(items, f)
	}
	for _, name := range []string{"../escaped", "/tmp/coffer-escaped", "..", ".", `..\escaped`, "in/side"} {
		offer(name, forged{drop.Info{Kind: drop.File, Size: 4}, bytes.NewReader([]byte("evil"))})
	}
	for name, header := range map[string]string{
		"up":       `{"files":[["../../escaped",4,0]],"dirs":[]}`,
		"absolute": `{"files":[["/tmp/coffer-escaped",4,0]],"dirs":[]}`,
		"emptyup":  `{"files":[["a",4,0]],"dirs":["../../escaped"]}`,
		"twice":    `{"files":[["a",2,0],["a",2,0]],"dirs":[]}`,
		"longer":   `{"files":[["a",1099511627776,0]],"dirs":[]}`,
		"noheader": strings.Repeat("\x00", 50),
	} {
		offer(name, folder(header, "evil"))
	}
	// These are changed, and then harmless.
	offer("\x1b]0;owned\a\x1b[2J.txt", forged{drop.Info{Kind: drop.File, Size: 4}, bytes.NewReader([]byte("good"))})
	offer("invoice\u202efdp.exe", forged{drop.Info{Kind: drop.File, Size: 4}, bytes.NewReader([]byte("good"))})
	offer("new\nline", forged{drop.Info{Kind: drop.File, Size: 4}, bytes.NewReader([]byte("good"))})
	offer("bundle", folder(`{"files":[["a\u001b[2J",4,0]],"dirs":[]}`, "good"))
	_, err = m.Offer(ctx, items...)
	ts.Check(err)
	ts.Setenv(args[1], m.Link())
	go func() {
		defer cancel()
		select {
		case <-left:
		case <-ctx.Done():
		}
		_ = m.Close(ctx)
	}()
	ts.Defer(cancel)
}

var _ io.ReaderAt = forged{}
