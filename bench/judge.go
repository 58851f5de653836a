package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// sample is one measurement. Fields that do not apply are zero.
type sample struct {
	value  float64       // in the unit of the row
	cpu    float64       // server seconds per unit of the row's work
	p99    time.Duration // of the answers
	memory int64         // peak bytes over idle
}

// series is the same measurement in each round.
type series []sample

func (s series) values() []float64 {
	v := make([]float64, len(s))
	for i := range s {
		v[i] = s[i].value
	}
	return v
}

// median is the middle of v, or the mean of the two middles.
func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	if n == 0 {
		return 0
	}
	return (v[n/2] + v[(n-1)/2]) / 2
}

func (s series) median() float64 { return median(s.values()) }

func (s series) cpu() float64 {
	v := make([]float64, len(s))
	for i := range s {
		v[i] = s[i].cpu
	}
	return median(v)
}

// worst is the highest p99 and the highest memory of all rounds.
func (s series) worst() (p99 time.Duration, memory int64) {
	for _, one := range s {
		p99, memory = max(p99, one.p99), max(memory, one.memory)
	}
	return p99, memory
}

// outcome is a row after its rounds.
type outcome struct {
	row
	ours   series
	others []series // like row.beside; empty where missing
}

// target is one sentence of "must reach". Zero fields demand nothing.
type target struct {
	text   string
	of     []string // the contenders of ratio
	ratio  float64  // ours is at least ratio × the median of the slowest of them
	least  float64
	most   float64
	cpu    float64 // the most CPU-seconds
	p99    time.Duration
	memory int64
}

// judge says whether a target is reached. A figure above a physical limit is a measuring
// error, whatever it seems to reach.
func (o outcome) judge(t target) string {
	got := o.ours.median()
	for i, c := range o.beside {
		if c.limit && len(o.others[i]) > 0 && got > o.others[i].median() {
			return "**faulty measurement**: above " + c.name
		}
	}
	ok := (t.least == 0 || got >= t.least) && (t.most == 0 || got <= t.most)
	slowest := 0.0
	for n, name := range t.of {
		i := slices.IndexFunc(o.beside, func(c contender) bool { return c.name == name })
		if i < 0 {
			panic("internal error: no " + name + " in row " + o.work)
		}
		if len(o.others[i]) == 0 {
			return "not judged: " + name + " is missing"
		}
		if m := o.others[i].median(); n == 0 || m < slowest {
			slowest = m
		}
	}
	ok = ok && got >= t.ratio*slowest
	p99, memory := o.ours.worst()
	ok = ok && (t.cpu == 0 || o.ours.cpu() <= t.cpu) && (t.p99 == 0 || p99 <= t.p99) && (t.memory == 0 || memory <= t.memory)
	if !ok {
		return "**not reached**"
	}
	return "reached"
}

// cell formats a series for the table: median, spread and other figures.
func (r row) cell(s series) string {
	v := s.values()
	text := fmt.Sprintf("%s (%s–%s)", r.format(median(v)), r.format(slices.Min(v)), r.format(slices.Max(v)))
	if c := s.cpu(); c > 0 {
		text += fmt.Sprintf(", %.2f CPU-s per %s", c, r.per)
	}
	p99, memory := s.worst()
	if p99 > 0 {
		text += fmt.Sprintf(", p99 %s", p99.Round(10*time.Microsecond))
	}
	if memory > 0 {
		text += fmt.Sprintf(", +%d MiB", memory>>20)
	}
	return text
}

// line formats the row of the table.
func (o outcome) line() string {
	var beside, must, verdicts []string
	for i, c := range o.beside {
		name := c.name
		if c.limit {
			name = "limit: " + name
		}
		if c.note != "" {
			name += " (" + c.note + ")"
		}
		if len(o.others[i]) == 0 {
			beside = append(beside, fmt.Sprintf("%s: **missing**, %s", name, c.missing))
			continue
		}
		beside = append(beside, fmt.Sprintf("%s: %s → %.0f %%", name, o.cell(o.others[i]), 100*o.ours.median()/o.others[i].median()))
	}
	for _, t := range o.must {
		must = append(must, t.text)
		verdicts = append(verdicts, o.judge(t))
	}
	join := func(parts []string) string {
		if len(parts) == 0 {
			return "—"
		}
		return strings.ReplaceAll(strings.Join(parts, "<br>"), "|", "\\|")
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", o.id, o.work, o.cell(o.ours), join(beside), join(must), join(verdicts))
}
