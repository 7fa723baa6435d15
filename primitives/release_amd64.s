//go:build amd64 && !race && !purego && !virtual

#include "textflag.h"

// func storeRelease32(addr *atomic.Uint32, val uint32)
TEXT ·storeRelease32(SB), NOSPLIT, $0-12
	MOVQ addr+0(FP), AX
	MOVL val+8(FP), CX
	MOVL CX, (AX)
	RET

// func storeRelease64(addr *atomic.Uint64, val uint64)
TEXT ·storeRelease64(SB), NOSPLIT, $0-16
	MOVQ addr+0(FP), AX
	MOVQ val+8(FP), CX
	MOVQ CX, (AX)
	RET

// func storeReleaseInt64(addr *atomic.Int64, val int64)
TEXT ·storeReleaseInt64(SB), NOSPLIT, $0-16
	MOVQ addr+0(FP), AX
	MOVQ val+8(FP), CX
	MOVQ CX, (AX)
	RET

// func clearLowByteRelease32(addr *atomic.Uint32)
TEXT ·clearLowByteRelease32(SB), NOSPLIT, $0-8
	MOVQ addr+0(FP), AX
	MOVB $0, (AX)
	RET

// func clearLowByteRelease64(addr *atomic.Uint64)
TEXT ·clearLowByteRelease64(SB), NOSPLIT, $0-8
	MOVQ addr+0(FP), AX
	MOVB $0, (AX)
	RET
