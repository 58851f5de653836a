package account

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/crypto/bcrypt"

	"coffer/internal/argon"
	"coffer/internal/fault"
	"coffer/internal/metric"
)

const (
	saltSize = 16
	hashSize = 32
	// maxArgonMemory bounds what a stored hash may ask for, in KiB: a damaged row must not
	// take the process down.
	maxArgonMemory = 1 << 20
)

var errHash = errors.New("not a password hash that this version knows")

// hasher hashes passwords, no more at once than there are cores, and keeps a bounded
// queue before itself: the memory of argon2id is the one thing a stranger can make this
// program use much of.
type hasher struct {
	params  Argon2Params
	memory  argon.Memory
	rand    io.Reader
	slots   chan struct{}
	waiting atomic.Int64
	queue   int64
	done    atomic.Int64 // hashes finished, for tests that compare work
	waited  *metric.Histogram
}

func newHasher(p Argon2Params, slots, queue int, rand io.Reader) *hasher {
	h := &hasher{params: p, rand: rand, slots: make(chan struct{}, slots), queue: int64(queue)}
	h.measure(nil)
	return h
}

// measure shows the queue on the page of s.
func (h *hasher) measure(s *metric.Set) {
	h.waited = s.Histogram("coffer_hash_wait_seconds", "Time that a password waits for its turn to be hashed.", metric.Requests).With()
	s.Read(func(_ context.Context, r *metric.Reading) error {
		r.Counter("coffer_hashes_total", "Passwords hashed.", float64(h.done.Load()))
		r.Gauge("coffer_hash_queue", "Passwords that wait for their turn to be hashed.", float64(h.waiting.Load()))
		r.Gauge("coffer_hash_queue_limit", "Waiting passwords above which the server refuses more.", float64(h.queue))
		r.Gauge("coffer_hash_running", "Passwords that are being hashed.", float64(len(h.slots)))
		return nil
	})
}

// ErrBusy is the answer to a password that finds the queue full.
var ErrBusy = &fault.Error{Kind: fault.Unavailable, Code: "busy", RetryAfter: 5 * time.Second,
	Detail: "The server is busy with other sign-ins. Try again in a few seconds."}

func (h *hasher) enter(ctx context.Context) error {
	select {
	case h.slots <- struct{}{}:
		h.waited.Observe(0)
		return nil
	default:
	}
	begun := time.Now()
	defer h.waiting.Add(-1)
	if h.waiting.Add(1) > h.queue {
		return ErrBusy
	}
	select {
	case h.slots <- struct{}{}:
		h.waited.Observe(time.Since(begun))
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the slot back. While a crowd waits, the garbage of its requests is collected early: it
// would stand beside the memory of the hashes.
func (h *hasher) leave() {
	if h.done.Add(1)%collectEvery == 0 && h.waiting.Load() > int64(cap(h.slots)) {
		runtime.GC()
	}
	<-h.slots
}

// hash returns the PHC string of a normalised password under a fresh salt.
func (h *hasher) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltSize)
	if _, err := io.ReadFull(h.rand, salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	if err := h.enter(ctx); err != nil {
		return "", err
	}
	defer h.leave()
	sum, err := h.argon(password, h.params, salt, hashSize)
	if err != nil {
		return "", err
	}
	return phc{Argon2Params: h.params, salt: salt, sum: sum}.String(), nil
}

// verify reports whether password has the stored hash, and whether the hash should be
// made anew because it is bcrypt or of other costs than today's. An empty stored hash is
// that of nobody: it costs what today's costs and never matches.
func (h *hasher) verify(ctx context.Context, stored, password string) (ok, stale bool, err error) {
	if stored == "" {
		stored = phc{Argon2Params: h.params, salt: make([]byte, saltSize), sum: make([]byte, hashSize)}.String()
		defer func() { ok, stale = false, false }()
	}
	if err := h.enter(ctx); err != nil {
		return false, false, err
	}
	defer h.leave()
	if strings.HasPrefix(stored, "$2") {
		return verifyBcrypt(stored, password)
	}
	p, err := parsePHC(stored)
	if err != nil {
		return false, false, err
	}
	sum, err := h.argon(password, p.Argon2Params, p.salt, uint32(len(p.sum)))
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(sum, p.sum) == 1, p.Argon2Params != h.params || len(p.sum) != hashSize, nil
}

// verifyBcrypt verifies an imported hash; bcrypt itself reads 72 bytes and no more.
func verifyBcrypt(stored, password string) (ok, stale bool, err error) {
	p := []byte(password)
	err = bcrypt.CompareHashAndPassword([]byte(stored), p[:min(len(p), 72)])
	if err != nil && !errors.Is(err, bcrypt.ErrMismatchedHashAndPassword) {
		return false, false, errHash
	}
	return err == nil, true, nil
}

// collectEvery is how many hashes pass between two collections while a crowd waits.
const collectEvery = 4

// argon runs argon2id in a slot. All slots share the memory, so that it holds slots × 64 MiB however
// many sign in at once.
func (h *hasher) argon(password string, p Argon2Params, salt []byte, size uint32) ([]byte, error) {
	sum, err := h.memory.Key([]byte(password), salt, argon.Cost{Memory: p.MemoryKiB, Time: p.Time, Threads: p.Threads}, size)
	if err != nil {
		return nil, ErrBusy.Because(err)
	}
	return sum, nil
}

// phc is an argon2id hash in the string format of the Password Hashing Competition.
type phc struct {
	Argon2Params
	salt, sum []byte
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon.Version, p.MemoryKiB, p.Time, p.Threads, b64(p.salt), b64(p.sum))
}

func parsePHC(s string) (phc, error) {
	var p phc
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon.Version) {
		return p, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.MemoryKiB, &p.Time, &p.Threads); err != nil {
		return p, errHash
	}
	var err, err2 error
	p.salt, err = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	p.sum, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	bad := err != nil || err2 != nil || p.Time < 1 || p.Threads < 1 || p.MemoryKiB > maxArgonMemory || len(p.salt) < 8 || len(p.sum) < 16
	if bad || p.String() != s { // one spelling each
		return phc{}, errHash
	}
	return p, nil
}
