package account

import (
	"crypto/sha256"
	_ "embed"
	"encoding/binary"
)

//go:generate go run ./gen -in passwords.json -out common.bloom

// commonBloom is made by ./gen; its package doc says from what.
//
//go:embed common.bloom
var commonBloom []byte

// commonPasswords holds about 49,000 common passwords; one password in 10,000 that is not
// among them is taken for one. That costs its owner another idea, nothing else.
var commonPasswords = bloom(commonBloom)

// bloom is a Bloom filter: one byte for the number of probes, then the bits. The probes of
// a value are h1 + i·h2, from the first 16 bytes of its SHA-256 (Kirsch and Mitzenmacher).
type bloom []byte

func (b bloom) has(s string) bool {
	bits := uint64(len(b)-1) * 8
	sum := sha256.Sum256([]byte(s))
	h1, h2 := binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])|1
	for i := range uint64(b[0]) {
		at := (h1 + i*h2) % bits
		if b[1+at/8]&(1<<(at%8)) == 0 {
			return false
		}
	}
	return true
}
