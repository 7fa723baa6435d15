package harness

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/primitives"
)

const canStandBy = true

// A standby lets a goroutine that is pinned wait for an event: the thread sleeps, and
// the goroutine keeps its CPU in the sense of Go's scheduler (its P). It is for the host
// alone, where the word must be one that the kernel can watch.
type standby struct {
	ended atomic.Uint32
}

// From linux/futex.h; the second summand says that no other process waits.
const (
	futexWait = 0 + 128
	futexWake = 1 + 128
)

// end signals the event.
func (s *standby) end() {
	s.ended.Store(1)
	unix.RawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.ended)), futexWake, 1)
}

// wait waits for the event, for up to d.
//
// Its system calls are raw: the others tell the scheduler, which may hand the
// CPU to another goroutine.
func (s *standby) wait(d time.Duration) {
	until := primitives.Nanotime() + int64(d)
	for s.ended.Load() == 0 {
		left := until - primitives.Nanotime()
		if left <= 0 {
			return
		}
		ts := unix.NsecToTimespec(left)
		// It may end early, for example by a signal of the scheduler.
		unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.ended)), futexWait, 0, uintptr(unsafe.Pointer(&ts)), 0, 0)
	}
}
