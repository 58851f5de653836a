package argon

import "golang.org/x/sys/cpu"

// compress computes G as compressPlain does.
func compress(out, a, b, z *block, xor bool) {
	if cpu.X86.HasAVX2 {
		compressAVX2(out, a, b, z, xor)
		return
	}
	compressPlain(out, a, b, z, xor)
}

//go:noescape
func compressAVX2(out, a, b, z *block, xor bool)
