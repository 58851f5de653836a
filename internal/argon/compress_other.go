//go:build !amd64

package argon

func compress(out, a, b, z *block, xor bool) { compressPlain(out, a, b, z, xor) }
