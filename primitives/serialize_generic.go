//go:build !(amd64 || arm64) || purego

package primitives

const canSerialize = false

func serialize() {}
