//go:build amd64 && !race && !purego && !virtual

package primitives

import (
	"sync/atomic"
	"unsafe"
)

// On amd64 every store is a release (TSO), so a MOV suffices. Go's plain store would
// inline without a call, but must not be used: the compiler may merge adjacent plain
// stores into one wider store. A store that straddles two cache lines is not atomic, so
// a reader could see the lock free before the data next to it is written.

//go:noescape
func storeRelease32(addr *atomic.Uint32, val uint32)

//go:noescape
func storeRelease64(addr *atomic.Uint64, val uint64)

//go:noescape
func storeReleaseInt64(addr *atomic.Int64, val int64)

// Only the caller adds, so an ADD without LOCK loses nothing: pinned goroutines run on
// a CPU one at a time, and the runtime orders their runs. It may be Go's plain addition,
// and inline: the compiler merges stores, but not additions, and does not move them
// past atomic operations.
func addOwn32(addr *atomic.Uint32, delta uint32) { *(*uint32)(unsafe.Pointer(addr)) += delta }

func addOwn64(addr *atomic.Uint64, delta uint64) { *(*uint64)(unsafe.Pointer(addr)) += delta }

//go:noescape
func clearLowByteRelease32(addr *atomic.Uint32)

//go:noescape
func clearLowByteRelease64(addr *atomic.Uint64)
