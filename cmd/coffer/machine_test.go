package main

import (
	"math"
	"testing"
	"testing/fstest"
)

// The heap leaves a fifth to others, or 64 MiB a core for hashes, but never more than half.
func TestHeapLimit(t *testing.T) {
	for _, tt := range []struct {
		memory int64
		cores  int
		want   int64
	}{{10 << 30, 2, 8 << 30}, {512 << 20, 2, 384 << 20}, {4 << 30, 32, 2 << 30}, {128 << 20, 8, 64 << 20}} {
		if got := heapLimit(tt.memory, tt.cores); got != tt.want {
			t.Errorf("%d bytes, %d cores: %d, want %d", tt.memory, tt.cores, got, tt.want)
		}
	}
}

func TestMachineMemory(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	total := file("MemTotal:        8388608 kB\nMemFree: 1 kB\n")
	for _, tt := range []struct {
		name  string
		files fstest.MapFS
		want  int64
	}{
		{"no Linux", fstest.MapFS{}, math.MaxInt64},
		{"no groups", fstest.MapFS{"proc/meminfo": total}, 8 << 30},
		{"version 2, none", fstest.MapFS{"proc/meminfo": total, "proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("max\n")}, 8 << 30},
		{"version 2, the group above", fstest.MapFS{
			"proc/meminfo": total, "proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("2147483648\n"), "sys/fs/cgroup/a/memory.max": file("1073741824\n"),
		}, 1 << 30},
		{"version 1, in a container", fstest.MapFS{
			"proc/meminfo": total, "proc/self/cgroup": file("4:memory,x:/docker/1\n3:cpuset:/\n0::/\n"), "sys/fs/cgroup/memory/memory.limit_in_bytes": file("536870912\n"),
		}, 512 << 20},
		{"version 1, none", fstest.MapFS{
			"proc/meminfo": total, "proc/self/cgroup": file("4:memory:/\n"), "sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n"),
		}, 8 << 30},
	} {
		if got := machineMemory(tt.files); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}
