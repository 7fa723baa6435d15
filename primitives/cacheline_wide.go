//go:build arm64 || ppc64 || ppc64le || s390x

package primitives

// CacheLineSize is the distance in bytes at which two words no longer
// disturb each other: 128 on POWER and on some arm64 chips (Apple's), 256 on
// z; the larger of those in wide use.
const CacheLineSize = 128
