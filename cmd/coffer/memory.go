package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// headroom is how much garbage may gather before the collector runs, also when little is
// live. By default it runs when garbage equals live data. With a few megabytes live that is
// hundreds of times a second under load, and a third of the processor's time.
const headroom = 32 << 20

// tuneGC sets the collector's percentage to headroom or 50 %, whichever is more, as the
// live heap changes. Most of a large heap is buffers, which cost the collector nothing.
// A GOGC that the operator set stays, and GOMEMLIMIT holds in any case.
func tuneGC() {
	if os.Getenv("GOGC") != "" {
		return
	}
	sample := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	percent := 100
	adjust := func() {
		metrics.Read(sample)
		live := max(sample[0].Value.Uint64(), 1<<20)
		want := max(50, int(headroom*100/live))
		if want < percent*9/10 || want > percent*11/10 {
			percent = want
			debug.SetGCPercent(percent)
		}
	}
	adjust()
	afterEach(adjust)
}

// afterEach calls fn once after each collection: a collection finds the last token dead.
func afterEach(fn func()) {
	type token struct{ _ [16]byte }
	runtime.AddCleanup(new(token), func(struct{}) {
		fn()
		afterEach(fn)
	}, struct{}{})
}
