package drop

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha512"
	"encoding/binary"
	"errors"

	"filippo.io/edwards25519/field"
)

// CPace is draft-irtf-cfrg-cpace with X25519 and SHA-512. The names below are the draft's.
const (
	cpaceDSI   = "CPace255"
	cpaceBlock = 128 // bytes of a block of SHA-512
)

// errPoint refuses a value of the other end that could fix or reveal the key.
var errPoint = errors.New("drop: the other end sent a point that CPace refuses")

// lv returns each part with its length before it, the draft's lv_cat.
func lv[T string | []byte](parts ...T) []byte {
	var out []byte
	for _, p := range parts {
		out = binary.AppendUvarint(out, uint64(len(p)))
		out = append(out, p...)
	}
	return out
}

// cpaceGenerator maps the secret to a point of Curve25519 (calculate_generator).
func cpaceGenerator(prs, ci, sid []byte) []byte {
	used := len(lv(prs)) + len(lv(cpaceDSI))
	pad := make([]byte, max(0, cpaceBlock-1-used))
	sum := sha512.Sum512(lv([]byte(cpaceDSI), prs, pad, ci, sid))
	return elligator2(sum[:32])
}

// elligator2 maps a field element to the u-coordinate of a point (RFC 9380 §6.7.1, Z = 2).
// Its time does not depend on the input.
func elligator2(in []byte) []byte {
	// SetBytes ignores the highest bit, as decodeUCoordinate does.
	r, err := new(field.Element).SetBytes(in)
	if err != nil {
		panic("drop: internal error: a field element of another length")
	}
	one := new(field.Element).One()
	j := new(field.Element).Mult32(one, 486662)

	d := new(field.Element).Square(r)
	d.Add(d, d)
	d.Add(d, one) // 1 + 2r², never zero: -1/2 is no square
	x1 := new(field.Element).Invert(d)
	x1.Multiply(x1, j)
	x1.Negate(x1)

	// gx1 = x1³ + J·x1² + x1
	gx := new(field.Element).Add(x1, j)
	gx.Multiply(gx, x1)
	gx.Add(gx, one)
	gx.Multiply(gx, x1)
	_, square := new(field.Element).SqrtRatio(gx, one)

	x2 := new(field.Element).Negate(x1)
	x2.Subtract(x2, j)
	return new(field.Element).Select(x1, x2, square).Bytes()
}

// cpace is one end of one run.
type cpace struct {
	secret *ecdh.PrivateKey
	share  []byte // Ya or Yb
}

// newCPace draws this end's scalar and its share.
func newCPace(prs, ci, sid []byte) (*cpace, error) {
	secret, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	return cpaceFrom(secret, cpaceGenerator(prs, ci, sid))
}

func cpaceFrom(secret *ecdh.PrivateKey, generator []byte) (*cpace, error) {
	share, err := scalarMult(secret, generator)
	if err != nil {
		return nil, err
	}
	return &cpace{secret, share}, nil
}

// scalarMult is scalar_mult_vfy: it refuses the neutral element. It also refuses a value
// that no honest end sends, so each point has one encoding.
func scalarMult(secret *ecdh.PrivateKey, point []byte) ([]byte, error) {
	u, err := new(field.Element).SetBytes(point)
	if err != nil || !bytes.Equal(u.Bytes(), point) {
		return nil, errPoint
	}
	key, err := ecdh.X25519().NewPublicKey(point)
	if err != nil {
		return nil, errPoint
	}
	k, err := secret.ECDH(key) // an error is the neutral element
	if err != nil {
		return nil, errPoint
	}
	return k, nil
}

// intermediateKey is the draft's ISK of the initiator-responder setting.
func (c *cpace) intermediateKey(sid, ya, ada, yb, adb, other []byte) ([]byte, error) {
	k, err := scalarMult(c.secret, other)
	if err != nil {
		return nil, err
	}
	in := lv([]byte(cpaceDSI+"_ISK"), sid, k)
	in = append(in, lv(ya, ada)...)
	in = append(in, lv(yb, adb)...)
	sum := sha512.Sum512(in)
	return sum[:], nil
}
