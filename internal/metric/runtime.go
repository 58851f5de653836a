package metric

import (
	"context"
	"os"
	"runtime"
	"runtime/metrics"
)

// fromRuntime are the values of the Go runtime, under the names that dashboards for Go
// programs know where there is one.
var fromRuntime = []struct{ sample, kind, name, help string }{
	{"/sched/goroutines:goroutines", "gauge", "go_goroutines", "Goroutines that exist."},
	{"/sched/gomaxprocs:threads", "gauge", "go_sched_gomaxprocs_threads", "Threads that may run Go code at once."},
	{"/memory/classes/heap/objects:bytes", "gauge", "go_memstats_heap_alloc_bytes", "Bytes of objects on the heap."},
	{"/gc/heap/objects:objects", "gauge", "go_memstats_heap_objects", "Objects on the heap."},
	{"/gc/heap/goal:bytes", "gauge", "go_gc_heap_goal_bytes", "Size of the heap at which the next collection ends."},
	{"/gc/gomemlimit:bytes", "gauge", "go_gc_gomemlimit_bytes", "Bound of memory that the collector keeps to."},
	{"/memory/classes/total:bytes", "gauge", "go_memory_classes_total_bytes", "Memory that the runtime has mapped."},
	{"/gc/heap/allocs:bytes", "counter", "go_memstats_alloc_bytes_total", "Bytes allocated on the heap since the start."},
	{"/gc/cycles/total:gc-cycles", "counter", "go_gc_cycles_total", "Collections since the start."},
	{"/cpu/classes/gc/total:cpu-seconds", "counter", "go_cpu_classes_gc_cpu_seconds_total", "Processor seconds of the collector, estimated."},
}

func readRuntime(version string) Reader {
	return func(_ context.Context, r *Reading) error {
		r.Gauge("coffer_build_info", "The running program; the value is 1.", 1, "version", version, "go", runtime.Version())
		samples := make([]metrics.Sample, len(fromRuntime))
		for i := range samples {
			samples[i].Name = fromRuntime[i].sample
		}
		metrics.Read(samples) // without stopping the program
		for i, s := range samples {
			var v float64
			switch s.Value.Kind() {
			case metrics.KindUint64:
				v = float64(s.Value.Uint64())
			case metrics.KindFloat64:
				v = s.Value.Float64()
			default: // this version of Go has no such value
				continue
			}
			r.add(fromRuntime[i].kind, fromRuntime[i].name, fromRuntime[i].help, v, nil)
		}
		return nil
	}
}

// readProcess reads what Linux says of the process. Other systems say nothing here.
func readProcess(_ context.Context, r *Reading) error {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return nil
	}
	p, err := parseStat(stat)
	if err != nil {
		return err
	}
	r.Counter("process_cpu_seconds_total", "Processor seconds of the process.", p.cpu)
	r.Gauge("process_resident_memory_bytes", "Memory of the process that is in RAM.", p.resident)
	if files, err := os.ReadDir("/proc/self/fd"); err == nil {
		r.Gauge("process_open_fds", "Files and connections that are open.", float64(len(files)))
	}
	if most, ok := maxFiles(); ok {
		r.Gauge("process_max_fds", "Files and connections that may be open.", most)
	}
	if boot, ok := bootTime(); ok {
		r.Gauge("process_start_time_seconds", "When the process started, in seconds since 1970.", boot+p.start)
	}
	return nil
}
