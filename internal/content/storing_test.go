package content

import (
	"io"
	"testing"
	"time"

	"coffer/internal/seal"
)

// The sealing stage gives all chunks back while the reading stage, which saw none free, begins to
// wait for one.
func TestChunkForTheReaderAfterARest(t *testing.T) {
	p := &pipe{ctx: t.Context(), free: make(chan *chunk, inFlight)}
	for range 2 {
		p.live.Add(1)
		p.free <- takeChunk()
	}
	sw, err := seal.NewWriter(io.Discard, make([]byte, 32), nil)
	if err != nil {
		t.Fatal(err)
	}
	from, ended := make(chan *chunk), make(chan struct{})
	go func() {
		defer close(ended)
		_, _, _ = (&sealing{pipe: p, from: from}).next(sw)
	}()
	time.Sleep(2 * idle) // it has given them back by now
	select {
	case c := <-p.free: // as take waits
		giveChunk(c)
	case <-time.After(10 * time.Second):
		t.Error("no chunk comes")
	}
	close(from)
	<-ended
	p.rest()
}
