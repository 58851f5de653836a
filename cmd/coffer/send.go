package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"coffer/client"
	"coffer/client/drop"
	"coffer/client/drop/disk"
)

// peerFlags are the flags of a command that takes part in a drop.
type peerFlags struct {
	Server string `env:"COFFER_SERVER" default:"${server}" placeholder:"URL" help:"The Coffer server that forwards the drop. It sees ciphertext only. Default ${server}."`
	Device string `placeholder:"NAME" help:"How this device is shown to the other side; the name of the machine without it."`
}

// defaultServer is the address of a server that was started without settings.
const defaultServer = "http://localhost:8420"

func (f peerFlags) device() string {
	if f.Device != "" {
		return f.Device
	}
	name, err := os.Hostname()
	if err != nil {
		return "a computer"
	}
	return name
}

// sendCmd opens a drop and offers files.
type sendCmd struct {
	peerFlags
	Keep      bool     `help:"Stay until Ctrl-C, for as many receivers as come."`
	Receivers int      `default:"1" placeholder:"N" help:"End when N receivers have verified everything. Default 1."`
	QR        bool     `name:"qr" default:"true" negatable:"" help:"Draw the link as a QR code. A terminal has it unless --no-qr."`
	Paths     []string `arg:"" name:"path" help:"Files and folders."`
}

// Validate refuses numbers that no drop has.
func (c sendCmd) Validate() error {
	if c.Receivers < 1 || c.Receivers > 32 {
		return errors.New("--receivers: a drop has 1 to 32 receivers")
	}
	return nil
}

// Run sends.
func (c sendCmd) Run(ctx context.Context) error {
	t := newTerminal()
	sources, err := openSources(t, c.Paths)
	if err != nil {
		return cleaned(err)
	}
	heard := newHearing()
	defer heard.stop()
	m, err := drop.Open(ctx, drop.Config{Server: c.Server, Device: c.device(), Notify: heard.notify})
	if err != nil {
		for _, s := range sources {
			s.Close()
		}
		return unreachable(ctx, c.Server, err)
	}
	defer leave(m, heard)
	if _, err = m.Offer(ctx, sources...); err != nil {
		return cleaned(err)
	}
	s := &sending{sendCmd: c, m: m, t: t, screen: newScreen(t), peers: map[string]*receiver{}}
	if err := s.announce(); err != nil {
		return err
	}
	return s.run(ctx, heard)
}

func openSources(t *terminal, paths []string) ([]drop.Source, error) {
	var sources []drop.Source
	for _, path := range paths {
		s, err := disk.Open(path)
		if err != nil {
			for _, s := range sources {
				s.Close()
			}
			return nil, err
		}
		sources = append(sources, s)
		for _, name := range s.Skipped {
			t.note("%s is a link or a device; it is not sent", disk.Clean(name))
		}
		for _, name := range s.Renamed {
			t.note("sent under another name, because receivers refuse this one: %s", name)
		}
	}
	return sources, nil
}

// hearing passes notices to a loop. After stop it drops them, so that the end of a member
// waits for no reader.
type hearing struct {
	notices chan drop.Notice
	over    chan struct{}
}

func newHearing() *hearing {
	return &hearing{make(chan drop.Notice), make(chan struct{})}
}

func (h *hearing) notify(n drop.Notice) {
	select {
	case h.notices <- n:
	case <-h.over:
	}
}

func (h *hearing) stop() {
	select {
	case <-h.over:
	default:
		close(h.over)
	}
}

// leave leaves a drop; its host closes it for everybody.
func leave(m *drop.Member, heard *hearing) {
	heard.stop()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = m.Close(ctx) // the drop ends without its host anyway
}

// cleaned makes the other side's words in an error harmless.
func cleaned(err error) error { return exitError{1, err} }

func oneOf(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(t error) bool { return errors.Is(err, t) })
}

// unreachable explains why there is no drop.
func unreachable(ctx context.Context, server string, err error) error {
	var network *url.Error
	if ctx.Err() != nil {
		return errInterrupted
	}
	var refused *client.Error
	if errors.Is(err, drop.ErrTooOften) && errors.As(err, &refused) && refused.RetryAfter > 0 {
		return cleaned(fmt.Errorf("%w; try again in %s", drop.ErrTooOften, refused.RetryAfter.Round(time.Second)))
	}
	if !errors.As(err, &refused) && errors.Is(err, io.EOF) {
		return cleaned(fmt.Errorf("the server at %s has closed the connection", server))
	}
	if errors.As(err, &network) {
		return cleaned(fmt.Errorf("no server answers at %s (%w); --server or COFFER_SERVER names another", server, network.Err))
	}
	return cleaned(err)
}

// sending is a drop whose host is this command.
type sending struct {
	sendCmd
	m      *drop.Member
	t      *terminal
	screen *screen
	peers  map[string]*receiver // by rid

	served   int       // receivers that have everything
	sent     int       // items that a receiver has
	codes    int       // that were drawn anew without a person
	answered chan bool // a person wants a new code
	failed   error
	lingers  time.Time // when the end comes, though a receiver is still here
}

// receiver is what a member has of this command's items.
type receiver struct {
	device   string
	greeted  bool
	verified map[string]bool // items
	running  map[string]bool
	served   bool
	gone     bool
}

// announce prints how to join.
func (s *sending) announce() error {
	name, code, link := s.m.Name(), s.m.Code(), s.m.Link()
	if !s.t.outIs {
		_, err := fmt.Fprintf(s.t.out, "name: %s\ncode: %s\nlink: %s\n", name, code, link)
		return err
	}
	var total int64
	for _, i := range s.m.Offers() {
		total += i.Size
	}
	fmt.Fprintf(s.t.out, "Sending %s, %s.\n\n  Name:  %s\n  Code:  %s\n  Link:  %s\n\n", shownItems(s.m.Offers()), bytesText(total), name, code, link)
	if s.QR {
		if err := writeQR(s.t.out, link, s.t.width()); err != nil {
			return err
		}
	}
	server := ""
	if s.Server != defaultServer {
		server = " --server " + s.Server
	}
	_, err := fmt.Fprintf(s.t.out, "On the other device open the link, or run\n  coffer receive%s %s\nWhoever has the code or the link receives, until this command ends. Ctrl-C ends it.\n\n", server, name)
	return err
}

func shownItems(items []drop.Item) string {
	if len(items) == 1 {
		return disk.Clean(items[0].Name)
	}
	return fmt.Sprintf("%d items", len(items))
}

func (s *sending) run(ctx context.Context, heard *hearing) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case n := <-heard.notices:
			s.hear(ctx, n)
		case <-s.answered:
			s.answered = nil
			s.newCode()
		case <-tick.C:
			s.screen.tick()
		case <-s.m.Done():
			return cleaned(s.m.Err())
		case <-ctx.Done():
			if s.Keep && s.sent > 0 { // the usual end
				return nil
			}
			return errInterrupted
		}
		if s.over() {
			return s.failed
		}
	}
}

// over reports whether enough receivers have everything, or no receiver ever can. It waits
// for transfers that still run, and a moment for the last receiver to leave: it may not have
// read how its transfer ended.
func (s *sending) over() bool {
	if s.failed == nil && (s.Keep || s.served < s.Receivers) {
		return false
	}
	here := false
	for _, p := range s.peers {
		if len(p.running) > 0 {
			return false
		}
		here = here || (p.served || s.failed != nil) && !p.gone
	}
	if s.lingers.IsZero() {
		s.lingers = time.Now().Add(3 * time.Second)
	}
	return !here || time.Now().After(s.lingers)
}

func (s *sending) hear(ctx context.Context, n drop.Notice) {
	p := s.peer(n.Person)
	key := n.Person.RID + n.Item.ID
	label := disk.Clean(n.Item.Name) + " → " + p.device
	switch n.Event {
	case drop.Joined, drop.Came:
		p.gone = false
		if !p.greeted && n.Person.Device != "" {
			p.greeted = true
			s.tell(p.device + " is here.")
		}
	case drop.Went, drop.Left:
		p.gone = true
		for id := range p.running {
			s.screen.end(n.Person.RID + id)
		}
		p.running = map[string]bool{}
		if n.Event == drop.Left && !p.served {
			s.tell(p.device + " left before it had everything.")
		}
	case drop.Sending:
		p.running[n.Item.ID] = true
		s.screen.progress(key, label, n.Bytes, n.Item.Size)
	case drop.Verified:
		delete(p.running, n.Item.ID)
		s.screen.end(key)
		s.verified(p, n)
	case drop.NotSent:
		delete(p.running, n.Item.ID)
		s.screen.end(key)
		switch {
		case errors.Is(n.Err, drop.ErrChanged):
			s.failed = cleaned(fmt.Errorf("%s: %w", n.Item.Name, n.Err))
		case oneOf(n.Err, drop.ErrTampered, drop.ErrStalled, drop.ErrUnequal, drop.ErrUnconfirmed):
			s.warn("%s: %v", label, n.Err)
		} // after any other end the receiver asks again
	case drop.WrongCode:
		s.warn("somebody typed a wrong code; %d more and the code is void", n.Tries)
	case drop.Burnt:
		s.burnt(ctx)
	case drop.Reconnecting:
		s.warn("the connection to the server is lost; trying again")
	case drop.Back:
		s.warn("connected again")
	case drop.Suspicious:
		s.warn("refused what no honest server or device sends: %v", n.Err)
	}
}

func (s *sending) peer(who drop.Person) *receiver {
	p := s.peers[who.RID]
	if p == nil {
		p = &receiver{verified: map[string]bool{}, running: map[string]bool{}}
		if who.RID != "" {
			s.peers[who.RID] = p
		}
	}
	if p.device = disk.Clean(who.Device); p.device == "" {
		p.device = "somebody"
	}
	return p
}

func (s *sending) verified(p *receiver, n drop.Notice) {
	line := fmt.Sprintf("sent %s %d verified", disk.Clean(n.Item.Name), n.Item.Size)
	if s.t.outIs {
		line = fmt.Sprintf("Sent and verified: %s, %s, to %s.", disk.Clean(n.Item.Name), bytesText(n.Item.Size), p.device)
	}
	s.screen.println(line)
	p.verified[n.Item.ID] = true
	s.sent++
	if !p.served && len(p.verified) == len(s.m.Offers()) {
		p.served = true
		s.served++
	}
}

// tell says something that only a person wants to know.
func (s *sending) tell(line string) {
	if s.t.outIs {
		s.screen.println(line)
	}
}

func (s *sending) warn(format string, args ...any) {
	s.screen.aside(func() { s.t.note("%s", disk.Clean(fmt.Sprintf(format, args...))) })
}

// maxCodes bounds the codes that are drawn without a person: each gives a stranger three
// guesses in a million.
const maxCodes = 10

// burnt asks the person for a new code. Without a person it draws one, a few times.
func (s *sending) burnt(ctx context.Context) {
	switch {
	case s.t.outIs && s.t.inIs:
		s.warn("three wrong codes: the code is void. The link still works. Press Enter for a new code")
		answered := make(chan bool, 1)
		s.answered = answered
		go func() {
			if _, err := s.t.line(ctx); err == nil {
				answered <- true
			}
		}()
	case s.codes == maxCodes:
		s.warn("three wrong codes again and again: there is no new code; the link still works")
	default:
		s.codes++
		s.warn("three wrong codes: the code is void")
		s.newCode()
	}
}

func (s *sending) newCode() {
	line := "code: " + s.m.NewCode()
	if s.t.outIs {
		line = "  New " + strings.Replace(line, ": ", ":  ", 1)
	}
	s.screen.println(line)
}
