package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alecthomas/kong"

	"coffer/client"
	"coffer/internal/treelog"
)

// ledgerServer answers with entries of an age, and has signed nothing.
func ledgerServer(t *testing.T, ages ...time.Duration) string {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/ledger", func(w http.ResponseWriter, _ *http.Request) {
		var items []string
		for n, age := range ages {
			e := treelog.Entry{
				N: int64(n), Time: time.Now().Add(-age).UTC().Format(treelog.TimeForm), Kind: treelog.Fail, Digest: strings.Repeat("0", 64), Commitment: strings.Repeat("1", 64),
			}
			items = append(items, string(e.AppendTo(nil)))
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"items":[%s],"size":%d}`, strings.Join(items, ","), len(items))
	})
	mux.HandleFunc("GET /v1/ledger/keys", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"items":[]}`) })
	mux.HandleFunc("GET /v1/ledger/checkpoint", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"status":404,"code":"no_checkpoint","detail":"none"}`)
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s.URL
}

// A ledger that no checkpoint covers is never found to be well.
func TestVerifyNothing(t *testing.T) {
	const key = "coffer.test/ledger+c11bd9c3+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c"
	for _, test := range []struct {
		ages   []time.Duration
		keys   []string
		status int
		out    string
	}{
		{nil, nil, 0, "the ledger is empty"},
		{nil, []string{key}, 2, ""},
		{[]time.Duration{time.Hour}, nil, 2, ""},
		{[]time.Duration{25 * time.Hour, time.Hour}, nil, 1, "unsigned: entry 0 is of "},
	} {
		var out bytes.Buffer
		err := ledgerVerifyCmd{URL: ledgerServer(t, test.ages...), Key: test.keys}.Run(t.Context(), &kong.Context{Kong: &kong.Kong{Stdout: &out}})
		var ended exitError
		if errors.As(err, &ended); ended.status != test.status || test.status == 0 && err != nil || !strings.Contains(out.String(), test.out) {
			t.Errorf("%v with %v: %v, %q", test.ages, test.keys, err, out.String())
		}
	}
}

// A server that asks to wait for ever is left; one that goes on in between is not.
func TestWaitsOfAReader(t *testing.T) {
	const entries = 30
	for _, goesOn := range []bool{false, true} {
		var asked sync.Map // by from: each place is refused once
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			n := r.URL.Query().Get("from")
			if place, err := strconv.Atoi(n); goesOn && err == nil && place >= entries {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprint(w, `{"items":[]}`)
				return
			}
			if _, again := asked.LoadOrStore(n, true); goesOn && again {
				w.Header().Set("Content-Type", "application/json")
				fmt.Fprintf(w, `{"items":[{"n":%s}],"next_cursor":"%s"}`, n, next(n))
				return
			}
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		}))
		server, err := client.New(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		waits, got := 0, 0
		var last error
		for _, err := range fetched(t.Context(), server, func(_ context.Context, d time.Duration) error {
			if waits++; d != time.Minute || waits > 100 {
				t.Fatalf("wait %d of %s", waits, d)
			}
			return nil
		}) {
			if last = err; err == nil {
				got++
			}
		}
		s.Close()
		if goesOn && (last != nil || got != entries) || !goesOn && (!errors.Is(last, errWaits) || waits != mostWaits) {
			t.Errorf("goes on %v: %d entries, %d waits, %v", goesOn, got, waits, last)
		}
	}
}

func next(n string) string {
	var i int
	_, _ = fmt.Sscan(n, &i)
	return fmt.Sprint(i + 1)
}
