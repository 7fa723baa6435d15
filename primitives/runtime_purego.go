//go:build purego

package primitives

import (
	"math/rand/v2"
	"runtime"
	"time"
	"unsafe"
)

var start = time.Now()

func nanotime() int64 { return int64(time.Since(start)) }

// pin cannot disable preemption.
func pin() int {
	// The stack's address tells goroutines apart well enough to spread them.
	var here byte
	h := uint64(uintptr(unsafe.Pointer(&here))>>13) * 0x9e3779b97f4a7c15
	return int(h >> 33 % uint64(runtime.NumCPU()))
}

func unpin() {}

// canSpin reports whether there is another CPU: without the runtime's help the caller
// cannot know more, so Spin goes by its budget.
func canSpin() bool { return runtime.NumCPU() > 1 }

// yieldHere lets other goroutines run.
func yieldHere() { runtime.Gosched() }

// oneIn64 is true once in 64 times, at random.
func oneIn64() bool { return rand.Uint32()%64 == 0 }

// PinExcludes says that no two goroutines are pinned to one CPU at a time:
// without the runtime's help they may be, so a pinned waiter must yield.
const PinExcludes = false

// budget is for how long a wait may spin, in ns. It is short, because the waiter cannot
// know whether others want the CPU.
const budget = 2_000
