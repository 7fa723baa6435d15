//go:build (amd64 || arm64) && !purego

package primitives

// pause executes n spin-wait hints.
//
//go:noescape
func pause(n uint32)

// calibrationPauses take a microsecond or two.
const calibrationPauses = 64
