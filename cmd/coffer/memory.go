package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// headroom is the garbage allowed before the collector runs, even with a small live heap.
// By default it runs when garbage equals live data. With a few live megabytes that is
// hundreds of times a second under load, and a third of the processor's time.
const headroom = 32 << 20

// tuneGC sets the collector's percentage to headroom or 25 %, whichever is more, as the
// live heap changes. A large heap is mostly buffers, which cost the collector nothing. An
// operator's GOGC stays, and GOMEMLIMIT always holds.
func tuneGC() {
	if os.Getenv("GOGC") != "" {
		return
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	percent := 100
	adjust := func() {
		metrics.Read(sample)
		live := max(sample[0].Value.Uint64(), 1<<20)
		want := max(25, int(headroom*100/live))
		if want < percent*9/10 || want > percent*11/10 {
			percent = want
			debug.SetGCPercent(percent)
		}
	}
	adjust()
	afterEach(adjust)
}

// afterEach calls fn once after each collection, which it detects by the end of a token.
func afterEach(fn func()) {
	type token struct{ _ [16]byte }
	runtime.AddCleanup(new(token), func(struct{}) {
		fn()
		afterEach(fn)
	}, struct{}{})
}
