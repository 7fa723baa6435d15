//go:build !linux

package primitives

func canMembarrier() bool { return false }

func membarrier() { panic("primitives: Membarrier on a machine that has none") }
