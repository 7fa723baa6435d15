//go:build !purego

package primitives

import _ "unsafe" // for linkname

// The runtime keeps these symbols for packages that already use them
// (golang/go#67401); they are not API, and the tag purego does without.

//go:linkname runtime_procPin runtime.procPin
func runtime_procPin() int

//go:linkname runtime_procUnpin runtime.procUnpin
func runtime_procUnpin()

//go:linkname runtime_nanotime runtime.nanotime
func runtime_nanotime() int64

//go:linkname runtime_canSpin sync.runtime_canSpin
func runtime_canSpin(i int) bool

//go:linkname runtime_Semacquire sync.runtime_Semacquire
func runtime_Semacquire(s *uint32)

//go:linkname runtime_Semrelease sync.runtime_Semrelease
func runtime_Semrelease(s *uint32, handoff bool, skipframes int)

//go:linkname runtime_goyield runtime.goyield
func runtime_goyield()

//go:linkname runtime_cheaprand runtime.cheaprand
func runtime_cheaprand() uint32

func nanotime() int64 { return runtime_nanotime() }

func pin() int { return runtime_procPin() }

func unpin() { runtime_procUnpin() }

// canSpin reports whether spinning can pay: another CPU runs a goroutine (perhaps the
// holder), and no goroutine waits to run on this one.
func canSpin() bool { return runtime_canSpin(0) }

// yieldHere lets the goroutines that wait to run on this CPU go first. Unlike
// runtime.Gosched it does not put the caller behind those of all CPUs.
func yieldHere() { runtime_goyield() }

// oneIn64 is true once in 64 times, at random.
func oneIn64() bool { return runtime_cheaprand()%64 == 0 }

// PinExcludes says that no two goroutines are pinned to one CPU at a time. It
// is false under the tag purego.
const PinExcludes = true

// budget is for how long a wait may spin, in ns: about the cost of losing a CPU and
// getting it back.
const budget = 20_000
