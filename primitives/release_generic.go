//go:build (!amd64 || race || purego) && !virtual

package primitives

import "sync/atomic"

// Elsewhere Go's atomic store is a release already (STLR on arm64), and the
// race detector sees it.

func storeRelease32(addr *atomic.Uint32, val uint32) { addr.Store(val) }

func storeRelease64(addr *atomic.Uint64, val uint64) { addr.Store(val) }

func storeReleaseInt64(addr *atomic.Int64, val int64) { addr.Store(val) }

// Under purego two goroutines may be pinned to one CPU, so this must be atomic.
func addOwn32(addr *atomic.Uint32, delta uint32) { addr.Add(delta) }

func addOwn64(addr *atomic.Uint64, delta uint64) { addr.Add(delta) }

func clearLowByteRelease32(addr *atomic.Uint32) { addr.And(^uint32(0xff)) }

func clearLowByteRelease64(addr *atomic.Uint64) { addr.And(^uint64(0xff)) }
