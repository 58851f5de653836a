package drop

import "sync"

// notifier gives notices to one function, one at a time and in order, without holding up
// the caller. Progress that waits is replaced by newer progress,
// and so is what is suspicious: a server can send that without end.
type notifier struct {
	hear func(Notice)

	mu      sync.Mutex
	waiting []Notice
	running bool
	idle    sync.Cond
}

func newNotifier(hear func(Notice)) *notifier {
	n := &notifier{hear: hear}
	n.idle.L = &n.mu
	return n
}

func (n *notifier) tell(x Notice) {
	if n.hear == nil {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if i := len(n.waiting) - 1; i >= 0 && (x.Event == Sending || x.Event == Receiving || x.Event == Suspicious) {
		if w := n.waiting[i]; w.Event == x.Event && w.Item.ID == x.Item.ID && w.Person.RID == x.Person.RID {
			n.waiting[i] = x
			return
		}
	}
	n.waiting = append(n.waiting, x)
	if !n.running {
		n.running = true
		go n.run()
	}
}

func (n *notifier) run() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for len(n.waiting) > 0 {
		x := n.waiting[0]
		n.waiting = n.waiting[1:]
		n.mu.Unlock()
		n.hear(x)
		n.mu.Lock()
	}
	n.running = false
	n.idle.Broadcast()
}

// drain waits until every notice was heard.
func (n *notifier) drain() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for n.running {
		n.idle.Wait()
	}
}
