//go:build (!amd64 && !arm64) || purego

package primitives

// pause goes round a loop n times, n > 0.
func pause(n uint32) {
	for range n { // the compiler keeps empty loops
	}
}

// calibrationPauses take a microsecond or two.
const calibrationPauses = 4096
