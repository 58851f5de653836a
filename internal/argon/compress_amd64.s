#include "textflag.h"

// Byte i of each word comes from byte i+3, and i+2: rotations to the right by 24 and 16 bits.
DATA rotate24<>+0(SB)/8, $0x0201000706050403
DATA rotate24<>+8(SB)/8, $0x0a09080f0e0d0c0b
DATA rotate24<>+16(SB)/8, $0x0201000706050403
DATA rotate24<>+24(SB)/8, $0x0a09080f0e0d0c0b
GLOBL rotate24<>(SB), RODATA|NOPTR, $32
DATA rotate16<>+0(SB)/8, $0x0100070605040302
DATA rotate16<>+8(SB)/8, $0x09080f0e0d0c0b0a
DATA rotate16<>+16(SB)/8, $0x0100070605040302
DATA rotate16<>+24(SB)/8, $0x09080f0e0d0c0b0a
GLOBL rotate16<>(SB), RODATA|NOPTR, $32

// x += y + 2·lo(x)·lo(y) in each word.
#define ADDMUL(x, y) \
	VPMULUDQ x, y, Y13; \
	VPADDQ y, x, x; \
	VPADDQ Y13, Y13, Y13; \
	VPADDQ Y13, x, x

// GB on four columns of words: a, b, c and d hold the four rows.
#define MIX(a, b, c, d) \
	ADDMUL(a, b); \
	VPXOR a, d, d; \
	VPSHUFD $0xB1, d, d; \
	ADDMUL(c, d); \
	VPXOR c, b, b; \
	VPSHUFB Y14, b, b; \
	ADDMUL(a, b); \
	VPXOR a, d, d; \
	VPSHUFB Y15, d, d; \
	ADDMUL(c, d); \
	VPXOR c, b, b; \
	VPADDQ b, b, Y13; \
	VPSRLQ $63, b, b; \
	VPXOR Y13, b, b

// P: GB on the columns, then on the diagonals, which become columns meanwhile.
#define PERMUTE(a, b, c, d) \
	MIX(a, b, c, d); \
	VPERMQ $0x39, b, b; \
	VPERMQ $0x4E, c, c; \
	VPERMQ $0x93, d, d; \
	MIX(a, b, c, d); \
	VPERMQ $0x93, b, b; \
	VPERMQ $0x4E, c, c; \
	VPERMQ $0x39, d, d

// func compressAVX2(out, a, b, z *block, xor bool)
TEXT ·compressAVX2(SB), NOSPLIT, $0-33
	MOVQ out+0(FP), DI
	MOVQ a+8(FP), SI
	MOVQ b+16(FP), DX
	MOVQ z+24(FP), BX
	MOVBLZX xor+32(FP), R8
	VMOVDQU rotate24<>(SB), Y14
	VMOVDQU rotate16<>(SB), Y15

	// z = a XOR b, and P on each of its eight rows of 128 bytes.
	XORQ CX, CX
rows:
	VMOVDQU (SI)(CX*1), Y0
	VMOVDQU 32(SI)(CX*1), Y1
	VMOVDQU 64(SI)(CX*1), Y2
	VMOVDQU 96(SI)(CX*1), Y3
	VPXOR (DX)(CX*1), Y0, Y0
	VPXOR 32(DX)(CX*1), Y1, Y1
	VPXOR 64(DX)(CX*1), Y2, Y2
	VPXOR 96(DX)(CX*1), Y3, Y3
	PERMUTE(Y0, Y1, Y2, Y3)
	VMOVDQU Y0, (BX)(CX*1)
	VMOVDQU Y1, 32(BX)(CX*1)
	VMOVDQU Y2, 64(BX)(CX*1)
	VMOVDQU Y3, 96(BX)(CX*1)
	ADDQ $128, CX
	CMPQ CX, $1024
	JNE rows

	// P on each of the eight columns of 16 bytes.
	XORQ CX, CX
columns:
	VMOVDQU (BX)(CX*1), X0
	VMOVDQU 256(BX)(CX*1), X1
	VMOVDQU 512(BX)(CX*1), X2
	VMOVDQU 768(BX)(CX*1), X3
	VINSERTI128 $1, 128(BX)(CX*1), Y0, Y0
	VINSERTI128 $1, 384(BX)(CX*1), Y1, Y1
	VINSERTI128 $1, 640(BX)(CX*1), Y2, Y2
	VINSERTI128 $1, 896(BX)(CX*1), Y3, Y3
	PERMUTE(Y0, Y1, Y2, Y3)
	VMOVDQU X0, (BX)(CX*1)
	VMOVDQU X1, 256(BX)(CX*1)
	VMOVDQU X2, 512(BX)(CX*1)
	VMOVDQU X3, 768(BX)(CX*1)
	VEXTRACTI128 $1, Y0, 128(BX)(CX*1)
	VEXTRACTI128 $1, Y1, 384(BX)(CX*1)
	VEXTRACTI128 $1, Y2, 640(BX)(CX*1)
	VEXTRACTI128 $1, Y3, 896(BX)(CX*1)
	ADDQ $16, CX
	CMPQ CX, $128
	JNE columns

	// out = z XOR a XOR b, and XOR out if that is asked.
	XORQ CX, CX
	TESTQ R8, R8
	JNE add
put:
	VMOVDQU (BX)(CX*1), Y0
	VPXOR (SI)(CX*1), Y0, Y0
	VPXOR (DX)(CX*1), Y0, Y0
	VMOVDQU Y0, (DI)(CX*1)
	ADDQ $32, CX
	CMPQ CX, $1024
	JNE put
	VZEROUPPER
	RET
add:
	VMOVDQU (BX)(CX*1), Y0
	VPXOR (SI)(CX*1), Y0, Y0
	VPXOR (DX)(CX*1), Y0, Y0
	VPXOR (DI)(CX*1), Y0, Y0
	VMOVDQU Y0, (DI)(CX*1)
	ADDQ $32, CX
	CMPQ CX, $1024
	JNE add
	VZEROUPPER
	RET
