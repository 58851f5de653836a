package pinning

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"

	"coffer/internal/ipfs"
)

// psa pins at a provider of the IPFS Pinning Service API 1.0.0. That API takes no content: the
// provider fetches it from the origins of the request, from a Kubo node if one is configured,
// else from this server's gateway, see origin.go.
type psa struct {
	caller
	gateway
	base   string
	node   *kubo  // that holds the content for the provider; nil: origin does
	origin string // multiaddr of this server's gateway; empty: the provider is told none
}

var _ Target = (*psa)(nil)

func newPSA(c Config, node *kubo) *psa {
	u := must(c.PSAURL)
	return &psa{
		caller:  newCaller(KindPSA, "Bearer "+c.PSAToken, u),
		gateway: newGateway(KindPSA, c.PSAGateway, ""),
		base:    u.String() + "/pins", node: node,
	}
}

// The longest name, and the most items of one page (PSA, "Pin", "limit").
const (
	maxPSAName = 255
	psaPage    = 10
)

// allStates are the states that a search names: a search without them finds pinned ones only.
const allStates = "queued,pinning,pinned,failed"

// pinStatus is a request in the provider's answers.
type pinStatus struct {
	ID        string    `json:"requestid"`
	Status    string    `json:"status"`
	Created   time.Time `json:"created"`
	Pin       psaPin    `json:"pin"`
	Delegates []string  `json:"delegates"`

	root  ipfs.CID
	state State
}

// psaPin is what is asked for.
type psaPin struct {
	CID     string   `json:"cid"`
	Name    string   `json:"name,omitempty"`
	Origins []string `json:"origins,omitempty"`
}

// read checks the fields of an answer.
func (s *pinStatus) read() (err error) {
	if !goodRef(s.ID) {
		return errors.New("it has no usable requestid")
	}
	switch s.Status {
	case "queued", "pinning":
		s.state = Queued
	case "pinned":
		s.state = Pinned
	case "failed":
		s.state = Failed
	default:
		return errors.New("its status is none of the four")
	}
	s.root, err = ipfs.Parse(s.Pin.CID)
	return err
}

// readPinStatus reads one request.
func readPinStatus(raw []byte) (s pinStatus, err error) {
	if err := json.Unmarshal(raw, &s); err != nil {
		return pinStatus{}, err
	}
	return s, s.read()
}

// readPinResults reads a page of requests. more says that there are older ones.
func readPinResults(raw []byte) (page []pinStatus, more bool, err error) {
	var said struct {
		Count   int64       `json:"count"`
		Results []pinStatus `json:"results"`
	}
	if err := json.Unmarshal(raw, &said); err != nil {
		return nil, false, err
	}
	for i := range said.Results {
		if err := said.Results[i].read(); err != nil {
			return nil, false, err
		}
	}
	return said.Results, said.Count > int64(len(said.Results)), nil
}

// reasonCode is the form of a provider's codes, which are no text for people.
var reasonCode = regexp.MustCompile(`^[A-Z0-9_]{1,64}$`)

// fails makes an error of a refusal. Status 409 is a lack of funds here.
func (p *psa) fails(step string, a answer) error {
	var said struct {
		Error struct {
			Reason string `json:"reason"`
		} `json:"error"`
	}
	if json.Unmarshal(a.body, &said) != nil || !reasonCode.MatchString(said.Error.Reason) {
		said.Error.Reason = ""
	}
	if a.status == http.StatusConflict {
		return &PermanentError{Payment, fmt.Errorf("%s: %s: status 409: %s", p.name, step, said.Error.Reason)}
	}
	return p.refusal(step, a, said.Error.Reason)
}

// find returns the provider's requests for a root, the newest first. Pages have ten items, and
// the next one is what was created before the oldest of this one.
func (p *psa) find(ctx context.Context, root ipfs.CID, states string) (all []pinStatus, err error) {
	const step = "listing"
	q := url.Values{"cid": {root.String()}, "status": {states}, "limit": {fmt.Sprint(psaPage)}}
	var before time.Time
	for range maxPages {
		a, err := p.get(ctx, step, http.MethodGet, p.base+"?"+q.Encode())
		if err != nil {
			return nil, err
		}
		if !a.good() {
			return nil, p.fails(step, a)
		}
		page, more, err := readPinResults(a.body)
		if err != nil {
			return nil, p.unclear(step, err)
		}
		for _, s := range page {
			if s.root == root {
				all = append(all, s)
			}
		}
		if !more || len(page) == 0 {
			return all, nil
		}
		oldest := slices.MinFunc(page, func(a, b pinStatus) int { return a.Created.Compare(b.Created) }).Created
		if !before.IsZero() && !oldest.Before(before) {
			return nil, p.unclear(step, errors.New("a page goes back in time no further than the one before"))
		}
		before = oldest
		q.Set("before", before.UTC().Format(time.RFC3339Nano))
	}
	return nil, p.unclear(step, errors.New("the list has no end"))
}

// Put implements [Target]. ref is the requestid. A request for the root that the provider
// still has is taken up, so that a Put after a lost answer makes no second one.
func (p *psa) Put(ctx context.Context, s Source) (string, ipfs.CID, error) {
	const step = "asking to pin"
	old, err := p.find(ctx, s.Root, "queued,pinning,pinned")
	if err != nil {
		return "", ipfs.CID{}, err
	}
	if i := slices.IndexFunc(old, func(s pinStatus) bool { return s.state == Pinned }); i >= 0 {
		return old[i].ID, s.Root, nil
	}
	var origins []string
	if p.origin != "" {
		origins = []string{p.origin}
	}
	if p.node != nil {
		if _, err := p.node.load(ctx, s); err != nil {
			return "", ipfs.CID{}, err
		}
		if origins, err = p.node.origins(ctx); err != nil {
			return "", ipfs.CID{}, err
		}
	}
	if len(old) > 0 {
		p.meet(ctx, old[0])
		return old[0].ID, s.Root, nil
	}
	name := s.Name
	if len(name) > maxPSAName {
		name = strings.ToValidUTF8(name[:maxPSAName], "")
	}
	body, err := json.Marshal(psaPin{CID: s.Root.String(), Name: name, Origins: origins})
	if err != nil {
		return "", ipfs.CID{}, err
	}
	req, err := p.request(ctx, http.MethodPost, p.base, bytes.NewReader(body))
	if err != nil {
		return "", ipfs.CID{}, err
	}
	req.Header.Set("Content-Type", "application/json")
	a, err := p.do(step, req)
	if err != nil {
		return "", ipfs.CID{}, err
	}
	if !a.good() {
		return "", ipfs.CID{}, p.fails(step, a)
	}
	got, err := readPinStatus(a.body)
	if err != nil {
		return "", ipfs.CID{}, p.unclear(step, err)
	}
	p.meet(ctx, got)
	return got.ID, got.root, checkRoot(p.name, step, s.Root, got.root)
}

// meet lets the node connect to the provider's peers, which helps a node behind a NAT (PSA,
// "Provider hints"). It is no more than help, so errors do not count.
func (p *psa) meet(ctx context.Context, s pinStatus) {
	if p.node != nil {
		p.node.connect(ctx, s.Delegates)
	}
}

// Status implements [Target].
func (p *psa) Status(ctx context.Context, root ipfs.CID, ref string) (State, error) {
	const step = "asking for the pin"
	if ref == "" {
		return p.newest(ctx, root)
	}
	a, err := p.get(ctx, step, http.MethodGet, p.base+"/"+url.PathEscape(ref))
	switch {
	case err != nil:
		return "", err
	case a.status == http.StatusNotFound:
		return Gone, nil
	case !a.good():
		return "", p.fails(step, a)
	}
	s, err := readPinStatus(a.body)
	if err != nil {
		return "", p.unclear(step, err)
	}
	if err := checkRoot(p.name, step, root, s.root); err != nil {
		return "", err
	}
	return s.state, nil
}

// newest returns the state of a root's newest request, or of one that is pinned.
func (p *psa) newest(ctx context.Context, root ipfs.CID) (State, error) {
	all, err := p.find(ctx, root, allStates)
	switch {
	case err != nil:
		return "", err
	case len(all) == 0:
		return Gone, nil
	case slices.ContainsFunc(all, func(s pinStatus) bool { return s.state == Pinned }):
		return Pinned, nil
	}
	return all[0].state, nil
}

// Remove implements [Target]. It also ends requests whose answers were lost. "before" is strict
// (PSA, "Pagination and filtering"), so a list of several pages omits a request as old as the
// last of a page. Remove lists again until it finds nothing new.
func (p *psa) Remove(ctx context.Context, root ipfs.CID, ref string) error {
	const step = "removing the pin"
	gone := map[string]bool{}
	for len(gone) <= maxPages*psaPage {
		all, err := p.find(ctx, root, allStates)
		if err != nil {
			return err
		}
		found := len(all)
		if ref != "" {
			all = append(all, pinStatus{ID: ref})
		}
		before := len(gone)
		for _, s := range all {
			if gone[s.ID] {
				continue // some providers list a request for a while
			}
			gone[s.ID] = true
			a, err := p.get(ctx, step, http.MethodDelete, p.base+"/"+url.PathEscape(s.ID))
			if err != nil {
				return err
			}
			if !a.good() && a.status != http.StatusNotFound {
				return p.fails(step, a)
			}
		}
		if found < psaPage || len(gone) == before { // one page has no edge
			return nil
		}
	}
	return p.unclear(step, errors.New("the list has no end"))
}

// Block implements [Target].
func (p *psa) Block(ctx context.Context, c ipfs.CID) ([]byte, error) {
	return p.gateway.Block(ctx, c)
}
