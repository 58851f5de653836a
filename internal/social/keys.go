package social

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// The key set of a provider is asked for when a token names an unknown key, or after an hour.
// A stranger can send a token with an unknown key, so the server asks at intervals.
const (
	keepKeys  = time.Hour
	keysPause = 30 * time.Second
	keysRetry = 5 * time.Second // after a failure
)

// errNoKey says that the provider has no key that a token may be signed with.
var errNoKey = errors.New("social: no such key")

type keySet struct {
	url    string
	client *http.Client
	now    func() time.Time

	mu    sync.Mutex // held while the keys are asked for: others wait for the answer
	keys  []jose.JSONWebKey
	until time.Time // how long keys hold
	next  time.Time // before which the server does not ask
	why   error     // of the last failure
}

// find returns the key of a header. Errors other than errNoKey say that the provider is away.
func (k *keySet) find(ctx context.Context, h jose.Header) (jose.JSONWebKey, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	fresh := now.Before(k.until)
	if key, ok := k.pick(h); ok && fresh {
		return key, nil
	}
	if now.Before(k.next) {
		if fresh {
			return jose.JSONWebKey{}, errNoKey
		}
		return jose.JSONWebKey{}, k.why
	}
	keys, err := k.ask(context.WithoutCancel(ctx)) // of one caller, and others wait for it too
	if err != nil {
		k.next, k.why = now.Add(keysRetry), err
		return jose.JSONWebKey{}, err
	}
	k.keys, k.until, k.next = keys, now.Add(keepKeys), now.Add(keysPause)
	if key, ok := k.pick(h); ok {
		return key, nil
	}
	return jose.JSONWebKey{}, errNoKey
}

// pick chooses by kid. A token without one has a key when the set has one alone.
func (k *keySet) pick(h jose.Header) (jose.JSONWebKey, bool) {
	for _, key := range k.keys {
		if h.KeyID == "" && len(k.keys) != 1 || h.KeyID != "" && key.KeyID != h.KeyID {
			continue
		}
		if key.Algorithm == "" || key.Algorithm == h.Algorithm {
			return key, true
		}
	}
	return jose.JSONWebKey{}, false
}

// ask reads the set. It drops keys that sign nothing here, or that are weak.
func (k *keySet) ask(ctx context.Context) ([]jose.JSONWebKey, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	res, err := k.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("key set: %s", res.Status)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(raw, &set); err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	var keys []jose.JSONWebKey
	for _, text := range set.Keys {
		var key jose.JSONWebKey
		if json.Unmarshal(text, &key) != nil || !key.Valid() || !key.IsPublic() || key.Use != "" && key.Use != "sig" {
			continue
		}
		if r, ok := key.Key.(*rsa.PublicKey); ok && r.N.BitLen() < 2048 {
			continue
		}
		keys = append(keys, key)
	}
	return keys, nil
}
