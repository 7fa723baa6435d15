//go:build !arm64 && !ppc64 && !ppc64le && !s390x

package primitives

// CacheLineSize is the distance in bytes at which accesses to two words no longer
// disturb each other.
const CacheLineSize = 64
