package main

import (
	"strings"
	"testing"
	"time"
)

func of(values ...float64) series {
	var s series
	for _, v := range values {
		s = append(s, sample{value: v})
	}
	return s
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}, {[]float64{5, 1, 100, 2, 3}, 3}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.in, got, c.want)
		}
	}
}

func TestJudge(t *testing.T) {
	r := row{work: "work", format: perSecond, beside: []contender{{name: "wall", limit: true}, {name: "peer"}, {name: "gone", missing: "no network"}}}
	slow := series{{value: 80, cpu: 3, p99: 11 * time.Millisecond, memory: 65 << 20}, {value: 80, cpu: 1, p99: time.Millisecond}, {value: 80, cpu: 1}}
	for _, c := range []struct {
		name string
		ours series
		t    target
		want string
	}{
		{"half of the limit", of(50, 50, 50), target{of: []string{"wall"}, ratio: 0.5}, "reached"},
		{"under half of it", of(49, 49, 90), target{of: []string{"wall"}, ratio: 0.5}, "**not reached**"},
		{"one round above the limit", of(90, 90, 130), target{of: []string{"wall"}, ratio: 0.5}, "reached"},
		{"above the limit", of(101, 102, 90), target{of: []string{"wall"}, ratio: 0.5}, "**faulty measurement**: above wall"},
		{"above the limit, judged by another", of(101, 102, 90), target{least: 10}, "**faulty measurement**: above wall"},
		{"above a peer", of(60, 60, 60), target{of: []string{"peer"}, ratio: 2}, "reached"},
		{"a peer that is missing", of(60, 60, 60), target{of: []string{"gone"}, ratio: 2}, "not judged: gone is missing"},
		{"the slower of two", of(20, 20, 20), target{of: []string{"wall", "peer"}, ratio: 0.6}, "reached"},
		{"under the slower of two", of(17, 17, 17), target{of: []string{"peer", "wall"}, ratio: 0.6}, "**not reached**"},
		{"least", of(60, 60, 60), target{least: 61}, "**not reached**"},
		{"most", of(60, 60, 60), target{most: 59}, "**not reached**"},
		{"the median of the processor's time", slow, target{cpu: 1}, "reached"},
		{"too much of it", slow, target{cpu: 0.9}, "**not reached**"},
		{"the worst p99", slow, target{p99: 10 * time.Millisecond}, "**not reached**"},
		{"the worst memory", slow, target{memory: 64 << 20}, "**not reached**"},
	} {
		o := outcome{row: r, ours: c.ours, others: []series{of(100, 100, 100), of(30, 30, 30), nil}}
		if got := o.judge(c.t); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestLine(t *testing.T) {
	o := outcome{
		row: row{id: "P0", work: "work", per: "GiB", format: perSecond, beside: []contender{{name: "wall", limit: true}, {name: "gone", note: "never syncs", missing: "no network"}},
			must: []target{{text: "≥50 %", of: []string{"wall"}, ratio: 0.5}, {text: "≥ gone", of: []string{"gone"}, ratio: 1}}},
		ours: series{{value: 50, cpu: 1}, {value: 40, cpu: 2}, {value: 70, cpu: 3}}, others: []series{of(100, 90, 120), nil},
	}
	got := o.line()
	for _, want := range []string{"50/s (40/s–70/s), 2.00 CPU-s per GiB", "limit: wall: 100/s (90/s–120/s) → 50 %",
		"gone (never syncs): **missing**, no network", "reached<br>not judged: gone is missing"} {
		if !strings.Contains(got, want) {
			t.Errorf("the line has no %q:\n%s", want, got)
		}
	}
}

// Every row alternates with its contenders, and the order reverses each round.
func TestRounds(t *testing.T) {
	var order []string
	side := func(name string) func() (sample, error) {
		return func() (sample, error) { order = append(order, name); return sample{value: 1}, nil }
	}
	b := &bench{rounds: 2}
	o, err := b.measure(row{format: perSecond, ours: side("ours"), beside: []contender{{name: "wall", run: side("wall")}, {name: "gone", missing: "no network"}}})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "ours wall wall ours" {
		t.Errorf("the order is %s", got)
	}
	if len(o.ours) != 2 || len(o.others[0]) != 2 || len(o.others[1]) != 0 {
		t.Errorf("measured %d, %d, %d times", len(o.ours), len(o.others[0]), len(o.others[1]))
	}
}
