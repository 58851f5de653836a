package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"coffer/client/drop"
	"coffer/client/drop/disk"
)

// receiveCmd joins a drop and takes what is offered.
type receiveCmd struct {
	peerFlags
	Out      string `default:"." placeholder:"DIR" help:"Folder for what arrives; made if there is none. Default: the current one."`
	Existing string `enum:"ask,keep-both,replace,skip," default:"" placeholder:"WHAT" help:"When a name is taken: ask, keep-both, replace or skip. Default: ask at a terminal, keep-both elsewhere."`
	Wait     bool   `help:"Stay until Ctrl-C or the end of the drop, and take what is offered later too."`
	Drop     string `arg:"" optional:"" name:"name-or-link" help:"The drop's name; the command asks for the code. Or its link, which needs no code. Without it, the command asks for it: other users of this machine can see a command line."`
}

// Run receives.
func (c receiveCmd) Run(ctx context.Context) error {
	t := newTerminal()
	switch {
	case c.Existing == "" && t.inIs && t.outIs:
		c.Existing = "ask"
	case c.Existing == "":
		c.Existing = "keep-both"
	case c.Existing == "ask" && !t.inIs:
		return errors.New("--existing=ask: there is no terminal to ask at")
	}
	target, err := disk.OpenTarget(c.Out)
	if err != nil {
		return err
	}
	defer target.Close()
	heard := newHearing()
	defer heard.stop()
	m, err := c.join(ctx, t, heard)
	if err != nil {
		return err
	}
	defer leave(m, heard)
	r := &receiving{receiveCmd: c, m: m, t: t, screen: newScreen(t), target: target, jobs: make(chan drop.Item, maxJobs),
		settled: make(chan error), own: map[string]*wish{}}
	return r.run(ctx, heard)
}

// join asks for what is missing and joins. A person may type the code again.
func (c receiveCmd) join(ctx context.Context, t *terminal, heard *hearing) (*drop.Member, error) {
	where := c.Drop
	var err error
	if where == "" {
		if t.inIs {
			fmt.Fprint(t.err, "Name or link of the drop: ")
		}
		if where, err = t.line(ctx); err != nil {
			return nil, asked(ctx, err)
		}
	}
	server, name, secret, isLink := drop.ParseLink(where)
	if !isLink {
		if strings.Contains(where, "/") {
			return nil, cleaned(errors.New("this is no link of a drop; copy all of it, with what follows the #"))
		}
		server, name = c.Server, drop.NormalName(where)
	}
	config := drop.Config{Server: server, Device: c.device(), Notify: heard.notify}
	for {
		typed := secret == ""
		if typed {
			if secret, err = t.secret(ctx, fmt.Sprintf("Code of %s: ", disk.Clean(name))); err != nil {
				return nil, asked(ctx, err)
			}
		}
		m, err := drop.Join(ctx, config, name, secret)
		again := errors.Is(err, drop.ErrWrongCode) || errors.Is(err, drop.ErrSecret)
		switch {
		case err == nil:
			return m, nil
		case again && typed && t.inIs:
			t.note("%v", err)
			secret = ""
		case again || errors.Is(err, drop.ErrBurnt) || errors.Is(err, drop.ErrNotHost):
			return nil, exitError{exitCode, err}
		default:
			return nil, unreachable(ctx, server, err)
		}
	}
}

func asked(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// The bounds of a receive.
const (
	maxJobs   = 32 * 500 // items that a full drop can offer
	atOnce    = 4        // transfers
	quietTime = time.Second
)

// receiving is a drop that this command has joined.
type receiving struct {
	receiveCmd
	m      *drop.Member
	t      *terminal
	screen *screen
	target *disk.Target

	jobs    chan drop.Item
	settled chan error // of one item each

	mu  sync.Mutex
	own map[string]*wish // names that items of this run want
}

// wish is a name that items of this run want.
type wish struct {
	items int
	taken bool // by something that was there before
}

// run takes items until everything is settled and no more is offered. A member offers its
// items in several messages, one after the other, so the end is a moment after the last.
func (r *receiving) run(ctx context.Context, heard *hearing) error {
	ctx, stop := context.WithCancelCause(ctx)
	var workers sync.WaitGroup
	for range atOnce {
		workers.Go(func() {
			for item := range r.jobs {
				if ctx.Err() != nil {
					return
				}
				err := r.take(ctx, item)
				select {
				case r.settled <- err:
				case <-ctx.Done():
				}
			}
		})
	}
	defer workers.Wait()
	defer close(r.jobs)
	defer stop(errInterrupted)
	if r.t.outIs {
		fmt.Fprintf(r.t.out, "You are in %s. Waiting for files.\n", r.m.Name())
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	offered, done := 0, 0
	var last time.Time // when something was offered
	var failed error
	over := r.m.Done()
	quiet := time.NewTimer(time.Hour)
	defer quiet.Stop()
	for {
		select {
		case n := <-heard.notices:
			if n.Event == drop.Offered {
				last = time.Now()
			}
			offered += r.hear(n)
		case err := <-r.settled:
			done++
			switch {
			case err == nil:
			case r.m.Err() != nil && errors.Is(err, r.m.Err()): // said once, below
				failed = cleaned(r.m.Err())
			default:
				failed = errNotAll
				r.warn("%v", err)
			}
		case <-tick.C:
			r.screen.tick()
			continue
		case <-quiet.C:
			if !r.Wait {
				return failed
			}
			continue
		case <-over:
			over = nil // what is complete still gets its name
			if offered == 0 {
				return cleaned(r.m.Err())
			}
		case <-ctx.Done():
			if offered > done {
				r.warn("what has come stays in %s; the same command goes on there", filepath.Join(r.Out, "*"+disk.Suffix))
			} else if r.Wait && offered > 0 {
				return failed
			}
			return errInterrupted
		}
		if over == nil && offered == done {
			return failed
		}
		if offered > 0 && offered == done {
			quiet.Reset(time.Until(last.Add(quietTime)))
		} else {
			quiet.Reset(time.Hour)
		}
	}
}

// errNotAll ends a receive whose errors were printed one by one.
var errNotAll = errors.New("not everything was received")

// hear takes a notice and returns how many items are new.
func (r *receiving) hear(n drop.Notice) (offered int) {
	label := disk.Clean(n.Item.Name)
	switch n.Event {
	case drop.Offered:
		for _, i := range n.Items {
			select {
			case r.jobs <- i:
				offered++
			default: // more than a drop may hold
			}
		}
		if r.t.outIs {
			r.screen.println(fmt.Sprintf("%s offers %s.", named(n.Person), shownItems(n.Items)))
		}
	case drop.Receiving:
		r.screen.progress(n.Item.ID, label, n.Bytes, n.Item.Size)
	case drop.Retrying:
		r.screen.say(n.Item.ID, label, "waiting for "+named(n.Person))
	case drop.Checking:
		r.screen.say(n.Item.ID, label, "checking")
	case drop.Received:
		r.screen.end(n.Item.ID)
	case drop.Reconnecting:
		r.warn("the connection to the server is lost; trying again")
	case drop.Back:
		r.warn("connected again")
	case drop.Suspicious:
		r.warn("refused what no honest server or device sends: %v", n.Err)
	}
	return offered
}

func named(p drop.Person) string {
	if d := disk.Clean(p.Device); d != "" {
		return d
	}
	return "somebody"
}

func (r *receiving) warn(format string, args ...any) {
	r.screen.aside(func() { r.t.note("%s", disk.Clean(fmt.Sprintf(format, args...))) })
}

// take brings one item. Its error names the item.
func (r *receiving) take(ctx context.Context, item drop.Item) error {
	defer r.screen.end(item.ID)
	err := r.bring(ctx, item)
	if err != nil {
		return fmt.Errorf("%s: %w", disk.Clean(item.Name), err)
	}
	return nil
}

func (r *receiving) bring(ctx context.Context, item drop.Item) error {
	part, err := r.target.Begin(item)
	if err != nil {
		return err
	}
	defer part.Close()
	existing, skip, err := r.decide(ctx, part)
	if err != nil {
		return err
	}
	if skip {
		return r.skipped(part)
	}
	if err := r.m.Receive(ctx, item, part); err != nil {
		if errors.Is(err, disk.ErrUnsafe) {
			err = errors.Join(err, part.Discard())
		}
		return err
	}
	switch kept := part.Kept(); {
	case part.Claims():
		r.warn("%s was here already", part.Name())
	case kept > 0:
		r.warn("%s went on after %s", part.Name(), bytesText(kept))
	}
	name, err := part.Finish(existing)
	if errors.Is(err, disk.ErrExists) { // taken meanwhile, or it was not the same
		if existing, skip, err = r.askLate(ctx, part.Name()); err != nil {
			return err
		}
		if skip {
			return errors.Join(part.Discard(), r.skipped(part))
		}
		name, err = part.Finish(existing)
	}
	if err != nil {
		return err
	}
	line := fmt.Sprintf("received %s %d verified", name, item.Size)
	if r.t.outIs {
		line = fmt.Sprintf("Received and verified: %s, %s.", name, bytesText(item.Size))
	}
	r.screen.println(line)
	return nil
}

// decide settles what becomes of a name that is taken, before anything is brought. What may
// be the item itself is left to the sender's digest.
func (r *receiving) decide(ctx context.Context, p *disk.Part) (existing disk.Existing, skip bool, err error) {
	key := disk.FoldKey(p.Name())
	r.mu.Lock()
	w := r.own[key]
	if w == nil {
		w = &wish{taken: r.target.Taken(p.Name())}
		r.own[key] = w
	}
	w.items++
	items, taken := w.items, w.taken
	r.mu.Unlock()
	switch {
	case r.Existing == "skip" && taken:
		return disk.KeepBoth, true, nil
	case items > 1: // another item of this run may have the name before this one
		return disk.KeepBoth, false, nil
	case r.Existing == "ask" && (!taken || p.Claims()):
		return disk.Refuse, false, nil
	case r.Existing == "ask":
		ctx, cancel := r.while(ctx)
		defer cancel()
		return r.ask(ctx, p.Name())
	case r.Existing == "replace" && taken: // a name that was free goes to the first item
		return disk.Replace, false, nil
	}
	return disk.KeepBoth, false, nil
}

// askLate asks about a name that was taken while the item came. It does not ask when another
// item of this run has it.
func (r *receiving) askLate(ctx context.Context, name string) (disk.Existing, bool, error) {
	r.mu.Lock()
	items := r.own[disk.FoldKey(name)].items
	r.mu.Unlock()
	if items > 1 {
		return disk.KeepBoth, false, nil
	}
	return r.ask(ctx, name)
}

// while returns a context that ends with this device's part in the drop: nothing can come then, so
// there is nothing to decide.
func (r *receiving) while(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	go func() {
		select {
		case <-r.m.Done():
			cancel(r.m.Err())
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// ask lets the person decide. Only one question is asked at a time.
func (r *receiving) ask(ctx context.Context, name string) (existing disk.Existing, skip bool, err error) {
	err = r.screen.ask(func() error {
		for {
			if ctx.Err() != nil { // another question was open until now
				return context.Cause(ctx)
			}
			fmt.Fprintf(r.t.err, "%s exists. Keep [b]oth, [r]eplace it, or [s]kip? ", name)
			answer, err := r.t.line(ctx)
			if err != nil {
				fmt.Fprintln(r.t.err) // after the question
				return err
			}
			switch strings.ToLower(answer) {
			case "b", "both", "":
				existing = disk.KeepBoth
				return nil
			case "r", "replace":
				existing = disk.Replace
				return nil
			case "s", "skip":
				skip = true
				return nil
			}
		}
	})
	return existing, skip, err
}

func (r *receiving) skipped(p *disk.Part) error {
	line := "skipped " + p.Name()
	if r.t.outIs {
		line = fmt.Sprintf("Skipped: %s.", p.Name())
	}
	r.screen.println(line)
	return nil
}
