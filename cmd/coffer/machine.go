package main

import (
	"bufio"
	"io/fs"
	"math"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitMemory keeps the heap below four fifths of the machine's memory: near the limit the
// collector works harder. The rest is for memory outside the heap, above all 64 MiB a core in which
// passwords are hashed; on a small machine that is up to half of all. An operator's GOMEMLIMIT stays.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if n := machineMemory(os.DirFS("/")); n < math.MaxInt64 {
		debug.SetMemoryLimit(heapLimit(n, runtime.GOMAXPROCS(0)))
	}
}

func heapLimit(memory int64, cores int) int64 {
	return memory - max(memory/5, min(int64(cores)*64<<20, memory/2))
}

// machineMemory is the memory available to this process: the machine's, or the least limit
// of its control groups (version 1 and 2). Without Linux's files it is unknown, and no
// limit is set.
func machineMemory(root fs.FS) int64 {
	least := int64(math.MaxInt64)
	note := func(name string) {
		b, err := fs.ReadFile(root, name)
		if err != nil {
			return
		}
		// Without a limit version 2 says "max", and version 1 the largest number of whole
		// pages.
		if n, err := strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64); err == nil && n > 0 && n < 1<<60 {
			least = min(least, n)
		}
	}
	if n := memTotal(root); n > 0 {
		least = n
	}
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return least
	}
	for line := range strings.Lines(string(groups)) {
		// hierarchy:controllers:path
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) != 3 {
			continue
		}
		mount, file := "", ""
		switch {
		case f[0] == "0" && f[1] == "":
			mount, file = "sys/fs/cgroup", "memory.max"
		case strings.Contains(","+f[1]+",", ",memory,"):
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		// Each parent group limits too. In a container the path may be the host's, and the
		// mount may begin at the process's own group.
		for dir := path.Clean("/" + f[2]); ; dir = path.Dir(dir) {
			note(path.Join(mount, dir, file))
			if dir == "/" {
				break
			}
		}
	}
	return least
}

// memTotal is the machine's memory in bytes, 0 when unknown.
func memTotal(root fs.FS) int64 {
	f, err := root.Open("proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 2 && fields[0] == "MemTotal:" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				return 0
			}
			return kib << 10
		}
	}
	return 0
}
