package metric

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
)

// ticks is the kernel's unit of time in /proc, a second's part (sysconf(3), _SC_CLK_TCK).
const ticks = 100

// process is what /proc/self/stat says.
type process struct{ cpu, resident, start float64 }

var errStat = errors.New("metric: /proc/self/stat is not as proc(5) says")

// parseStat reads the fields of proc(5): 14 and 15 are the process's time, 22 its start, 24
// its pages in memory.
func parseStat(stat []byte) (process, error) {
	end := bytes.LastIndexByte(stat, ')') // of the name, which may hold blanks
	fields := strings.Fields(string(stat[end+1:]))
	if end < 0 || len(fields) < 22 {
		return process{}, errStat
	}
	read := func(nth int) float64 {
		v, err := strconv.ParseFloat(fields[nth-3], 64)
		if err != nil {
			return 0
		}
		return v
	}
	return process{cpu: (read(14) + read(15)) / ticks, start: read(22) / ticks, resident: read(24) * float64(os.Getpagesize())}, nil
}

// bootTime is when the machine started, in seconds since 1970.
func bootTime() (float64, bool) {
	return field("/proc/stat", "btime ")
}

// maxFiles is how many files the process may have open.
func maxFiles() (float64, bool) {
	return field("/proc/self/limits", "Max open files")
}

// field is the number behind the beginning of a line.
func field(file, start string) (float64, bool) {
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, start)
		if fields := strings.Fields(rest); ok && len(fields) > 0 {
			v, err := strconv.ParseFloat(fields[0], 64)
			return v, err == nil
		}
	}
	return 0, false
}
