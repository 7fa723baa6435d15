//go:build !purego

#include "textflag.h"

// func serialize()
TEXT ·serialize(SB), NOSPLIT, $0-0
	ISB $15
	RET
