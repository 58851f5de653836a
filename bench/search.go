package main

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"time"
)

// search is the other part of P9: searches among many names of one account beside the same
// among few, and the first one after a start, which reads all names.
func (b *bench) search() ([]row, error) {
	few, err := b.searched("p9-few", 1000)
	if err != nil {
		return nil, err
	}
	many, err := b.searched("p9-names", b.names)
	if err != nil {
		return nil, err
	}
	return []row{
		{
			id: "P9", work: fmt.Sprintf("search among %d names of one account, 1 connection", b.names), per: "1,000 requests", format: perSecond, ours: many.warm,
			beside: []contender{{name: "among 1,000 names", run: few.warm}},
			must:   []target{{text: "p99 ≤50 ms", p99: 50 * time.Millisecond}},
		},
		{
			id: "P9", work: fmt.Sprintf("the first search among %d names after a start", b.names), per: "search", format: millis, ours: many.cold,
			beside: []contender{{name: "among 1,000 names", run: few.cold}},
			must:   []target{{text: "≤3 s", most: 3000}},
		},
	}, nil
}

// seeker searches the names of one account.
type seeker struct {
	b     *bench
	p     *process
	data  string
	names int
	token string
	turn  atomic.Int64
}

func (b *bench) searched(data string, names int) (*seeker, error) {
	p, s, err := b.world(data)
	if err != nil {
		return nil, err
	}
	k := &seeker{b: b, p: p, data: data, names: names, token: s.AccessToken}
	for done := 0; done < names; done += 1000 {
		if done%200_000 == 0 { // an access token lives for minutes
			if s, err = p.signIn(); err != nil {
				return nil, err
			}
			k.token = s.AccessToken
		}
		if err := b.fillFrom(p, s, "", done, min(names, done+1000)); err != nil {
			return nil, err
		}
	}
	return k, nil
}

// query is a different one each time: a rare word, a beginning that many have, and two words.
func (k *seeker) query() string {
	n := int(k.turn.Add(1))
	number := fmt.Sprintf("%07d", n*7919%k.names)
	return []string{number, number[:4], "txt+" + number[:5]}[n%3]
}

func (k *seeker) warm() (sample, error) {
	if err := k.first(); err != nil {
		return sample{}, err
	}
	return k.b.rate(k.p, 1, http.StatusOK, func(int) []byte { return get("/v1/files/search?q="+k.query(), k.token) }, nil)
}

// first signs in, for the token to live, and searches once.
func (k *seeker) first() error {
	s, err := k.p.signIn()
	if err != nil {
		return err
	}
	k.token = s.AccessToken
	return k.p.call(http.MethodGet, "/v1/files/search?q=0000007", "Bearer "+k.token, nil, nil)
}

func (k *seeker) cold() (sample, error) {
	k.p.stop()
	p, _, err := k.b.coffer(k.data)
	if err != nil {
		return sample{}, err
	}
	k.p = p
	k.b.later(p.stop)
	s, err := p.signIn()
	if err != nil {
		return sample{}, err
	}
	k.token = s.AccessToken
	before, begin := p.cpu(), time.Now()
	err = p.call(http.MethodGet, "/v1/files/search?q=0000007", "Bearer "+k.token, nil, nil)
	took := time.Since(begin)
	return sample{value: float64(took.Microseconds()) / 1000, cpu: p.cpu() - before}, err
}
