//go:build (amd64 || arm64) && !purego

package primitives

const canSerialize = true

//go:noescape
func serialize()
