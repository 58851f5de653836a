package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"
)

// load is the result of one run of the load generator.
type load struct {
	n        int
	rate     float64 // answers a second
	p50, p99 time.Duration
	statuses map[int]int
}

// drive holds conns connections open for span and repeats next's request on each. next
// returns a request's bytes, nil to stop; seen gets the answer's body.
func drive(addr string, conns int, span time.Duration, next func(conn int) []byte, seen func(conn, status int, body []byte)) (load, error) {
	type tally struct {
		times    []time.Duration
		statuses map[int]int
		err      error
	}
	tallies := make([]tally, conns)
	var wg sync.WaitGroup
	begin := time.Now()
	for i := range conns {
		wg.Go(func() {
			t := &tallies[i]
			t.statuses = map[int]int{}
			c, err := net.Dial("tcp", addr)
			if err != nil {
				t.err = err
				return
			}
			defer c.Close()
			r := bufio.NewReaderSize(c, 16<<10)
			// Each connection sends at least one request, even in a span of zero.
			for len(t.times) == 0 || time.Since(begin) < span {
				request := next(i)
				if request == nil {
					return
				}
				at := time.Now()
				if _, err := c.Write(request); err != nil {
					t.err = err
					return
				}
				res, err := http.ReadResponse(r, nil)
				if err != nil {
					t.err = err
					return
				}
				body, err := io.ReadAll(res.Body)
				if err != nil {
					t.err = err
					return
				}
				t.times = append(t.times, time.Since(at))
				t.statuses[res.StatusCode]++
				if seen != nil {
					seen(i, res.StatusCode, body)
				}
			}
		})
	}
	wg.Wait()
	took := time.Since(begin)
	all := load{statuses: map[int]int{}}
	var times []time.Duration
	for _, t := range tallies {
		if t.err != nil {
			return load{}, t.err
		}
		times = append(times, t.times...)
		for s, n := range t.statuses {
			all.statuses[s] += n
		}
	}
	if len(times) == 0 {
		return load{}, fmt.Errorf("no answer from %s", addr)
	}
	slices.Sort(times)
	all.n, all.rate = len(times), float64(len(times))/took.Seconds()
	all.p50, all.p99 = times[len(times)/2], times[len(times)*99/100]
	return all, nil
}

// get returns the bytes of a GET.
func get(path, bearer string) []byte {
	authorization := ""
	if bearer != "" {
		authorization = "Authorization: Bearer " + bearer + "\r\n"
	}
	return []byte("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n" + authorization + "\r\n")
}

// post returns the bytes of a POST with a JSON body.
func post(path string, body []byte) []byte {
	return fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", path, len(body), body)
}

// only refuses a run in which answers had another status.
func (l load) only(status int) error {
	if len(l.statuses) != 1 || l.statuses[status] == 0 {
		return fmt.Errorf("not every answer was %d: %v", status, l.statuses)
	}
	return nil
}

// rate measures a request repeated over connections: answers per second, the server's
// processor time for 1,000 of them, and the p99.
func (b *bench) rate(p *process, conns, want int, next func(conn int) []byte, seen func(conn, status int, body []byte)) (sample, error) {
	before := p.cpu()
	l, err := drive(p.addr, conns, b.span, next, seen)
	if err != nil {
		return sample{}, err
	}
	return sample{value: l.rate, cpu: (p.cpu() - before) / float64(l.n) * 1000, p99: l.p99}, l.only(want)
}

func always(request []byte) func(int) []byte { return func(int) []byte { return request } }
