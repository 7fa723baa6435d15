//go:build !purego

#include "textflag.h"

// ISB and not YIELD, which is a no-op on most arm64 chips (golang/go#69232).

// func pause(n uint32)
TEXT ·pause(SB), NOSPLIT, $0-4
	MOVWU n+0(FP), R0
again:
	ISB $15
	SUBW $1, R0
	CBNZ R0, again
	RET
