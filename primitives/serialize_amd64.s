//go:build !purego

#include "textflag.h"

// LFENCE and not MFENCE, which does not keep later instructions from executing.

// func serialize()
TEXT ·serialize(SB), NOSPLIT, $0-0
	LFENCE
	RET
