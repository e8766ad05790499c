//go:build !purego

#include "textflag.h"

// func cpuid(leaf, subleaf uint32) (a, b, c, d uint32)
TEXT ·cpuid(SB), NOSPLIT, $0-24
	MOVL leaf+0(FP), AX
	MOVL subleaf+4(FP), CX
	CPUID
	MOVL AX, a+8(FP)
	MOVL BX, b+12(FP)
	MOVL CX, c+16(FP)
	MOVL DX, d+20(FP)
	RET

// func xgetbv() uint32
TEXT ·xgetbv(SB), NOSPLIT, $0-4
	XORL CX, CX
	XGETBV
	MOVL AX, ret+0(FP)
	RET

// SET fills a register with an octet.
#define SET(octet, x, y) \
	MOVL $octet, AX; \
	VMOVD AX, x; \
	VPBROADCASTB x, y

// WHITE makes the mask of the SP and HTAB of v, and the one of HTAB.
// Y12 is SP, Y13 HTAB everywhere.
#define WHITE(v, white, tab) \
	VPCMPEQB v, Y13, tab; \
	VPCMPEQB v, Y12, white; \
	VPOR tab, white, white

// DROP adds to the mask of the octets at SI+1 that are white space those that
// are a CR before an LF, and takes from white what is not in front of one of
// them. Y14 is CR, Y15 LF everywhere.
#define DROP(white) \
	VMOVDQU 1(SI), Y1; \
	VPCMPEQB 2(SI), Y15, Y2; \
	VPCMPEQB Y1, Y14, Y5; \
	VPAND Y2, Y5, Y5; \
	WHITE(Y1, Y6, Y7); \
	VPOR Y5, Y6, Y6; \
	VPAND Y6, white, white

// OCTETS packs the eight lowest octets of X0 that AX has a bit for.
#define OCTETS \
	MOVBLZX AX, BX; \
	VMOVQ (R9)(BX*8), X9; \
	VPSHUFB X9, X0, X9; \
	VMOVQ X9, (DI); \
	POPCNTL BX, BX; \
	ADDQ BX, DI

// SI is what is read next and R10 the last place where a vector may be read, DI
// and R11 are the same for writing.
//
// func reduceVector(dst, src []byte, table *[256]uint64) (read, written int)
TEXT ·reduceVector(SB), NOSPLIT, $0-72
	MOVQ dst_base+0(FP), DI
	MOVQ dst_len+8(FP), R8
	MOVQ src_base+24(FP), SI
	MOVQ src_len+32(FP), CX
	MOVQ table+48(FP), R9
	LEAQ -34(SI)(CX*1), R10
	LEAQ -32(DI)(R8*1), R11
	SET(0x20, X12, Y12)
	SET(0x09, X13, Y13)
	SET(0x0d, X14, Y14)
	SET(0x0a, X15, Y15)
	SET(0x29, X11, Y11)

next:
	CMPQ SI, R10
	JGT  done
	CMPQ DI, R11
	JGT  done
	VMOVDQU (SI), Y0
	WHITE(Y0, Y4, Y3)
	DROP(Y4)
	VPAND Y11, Y3, Y3
	VPXOR Y3, Y0, Y0
	ADDQ $32, SI
	VPMOVMSKB Y4, AX
	TESTL AX, AX
	JNZ pack
	VMOVDQU Y0, (DI)
	ADDQ $32, DI
	JMP next

	// Without a branch for each run of white space: where these are is what no
	// processor can guess.
pack:
	NOTL AX
	VEXTRACTI128 $1, Y0, X8
	OCTETS
	SHRL $8, AX
	VPSRLDQ $8, X0, X0
	OCTETS
	SHRL $8, AX
	VMOVDQA X8, X0
	OCTETS
	SHRL $8, AX
	VPSRLDQ $8, X0, X0
	OCTETS
	JMP next

done:
	VZEROUPPER
	SUBQ src_base+24(FP), SI
	SUBQ dst_base+0(FP), DI
	MOVQ SI, read+56(FP)
	MOVQ DI, written+64(FP)
	RET

// func plainVector(src []byte) int
TEXT ·plainVector(SB), NOSPLIT, $0-32
	MOVQ src_base+0(FP), SI
	MOVQ src_len+8(FP), CX
	LEAQ -34(SI)(CX*1), R10
	SET(0x20, X12, Y12)
	SET(0x09, X13, Y13)
	SET(0x0d, X14, Y14)
	SET(0x0a, X15, Y15)

look:
	CMPQ SI, R10
	JGT  end
	VMOVDQU (SI), Y0
	WHITE(Y0, Y4, Y3)
	VPMOVMSKB Y4, AX
	TESTL AX, AX
	JZ onward
	DROP(Y4)
	VPOR Y3, Y4, Y4
	VPMOVMSKB Y4, AX
	TESTL AX, AX
	JNZ end

onward:
	ADDQ $32, SI
	JMP look

end:
	VZEROUPPER
	SUBQ src_base+0(FP), SI
	MOVQ SI, ret+24(FP)
	RET

// PAIRS adds to Y0 the octets at SI+at that are a CR and no LF comes next, or
// are none and one does.
#define PAIRS(at, x, y) \
	VPCMPEQB at(SI), Y14, x; \
	VPCMPEQB (at+1)(SI), Y15, y; \
	VPXOR x, y, x; \
	VPOR x, Y0, Y0

// func pairsVector(p []byte) (n int, ok bool)
TEXT ·pairsVector(SB), NOSPLIT, $0-33
	MOVQ p_base+0(FP), SI
	MOVQ p_len+8(FP), CX
	LEAQ -65(SI)(CX*1), R10
	SET(0x0d, X14, Y14)
	SET(0x0a, X15, Y15)
	VPXOR Y0, Y0, Y0

pairs:
	CMPQ SI, R10
	JGT  half
	PAIRS(0, Y1, Y2)
	PAIRS(32, Y3, Y4)
	ADDQ $64, SI
	JMP pairs

half:
	ADDQ $32, R10
	CMPQ SI, R10
	JGT  sum
	PAIRS(0, Y1, Y2)
	ADDQ $32, SI

sum:
	VPMOVMSKB Y0, AX
	VZEROUPPER
	TESTL AX, AX
	SETEQ ok+32(FP)
	SUBQ p_base+0(FP), SI
	MOVQ SI, n+24(FP)
	RET

// Y8 collects octets that are not paired, Y9 those that are allowed.
//
// func headVector(p []byte) (end int, plain bool)
TEXT ·headVector(SB), NOSPLIT, $0-33
	MOVQ p_base+0(FP), SI
	MOVQ p_len+8(FP), CX
	LEAQ -35(SI)(CX*1), R10
	SET(0x1f, X10, Y10)
	SET(0x7f, X11, Y11)
	SET(0x09, X13, Y13)
	SET(0x0d, X14, Y14)
	SET(0x0a, X15, Y15)
	VPXOR Y8, Y8, Y8
	VPCMPEQB Y9, Y9, Y9

chunk:
	CMPQ SI, R10
	JGT  nowhere
	VMOVDQU (SI), Y0
	VPCMPEQB Y0, Y14, Y1
	VPCMPEQB 1(SI), Y15, Y2
	VPXOR Y1, Y2, Y3
	VPAND Y1, Y2, Y2
	VPCMPEQB 2(SI), Y14, Y4
	VPAND Y4, Y2, Y2
	VPCMPEQB 3(SI), Y15, Y4
	VPAND Y4, Y2, Y2
	VPCMPGTB Y10, Y0, Y5
	VPCMPEQB Y0, Y11, Y6
	VPANDN Y5, Y6, Y5
	VPCMPEQB Y0, Y15, Y6
	VPCMPEQB Y0, Y13, Y7
	VPOR Y1, Y5, Y5
	VPOR Y6, Y7, Y6
	VPOR Y6, Y5, Y5
	VPMOVMSKB Y2, AX
	TESTL AX, AX
	JNZ here
	VPOR Y3, Y8, Y8
	VPAND Y5, Y9, Y9
	ADDQ $32, SI
	JMP chunk

here:
	// Of this vector only what stands before the end counts.
	BSFL AX, CX
	SUBQ p_base+0(FP), SI
	LEAQ 4(SI)(CX*1), SI
	MOVQ SI, end+24(FP)
	VPMOVMSKB Y3, AX
	VPMOVMSKB Y5, BX
	NOTL BX
	ORL BX, AX
	ADDL $3, CX
	MOVQ $1, DX
	SHLQ CX, DX
	DECQ DX
	ANDL DX, AX
	VPMOVMSKB Y8, BX
	ORL BX, AX
	VPMOVMSKB Y9, BX
	NOTL BX
	ORL BX, AX
	VZEROUPPER
	SETEQ plain+32(FP)
	RET

nowhere:
	VZEROUPPER
	MOVQ $-1, end+24(FP)
	MOVB $0, plain+32(FP)
	RET
