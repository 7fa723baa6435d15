package harness

import (
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/primitives"
)

const canStandBy = true

// A standby lets one goroutine wait for an event and keep its CPU meanwhile,
// in the sense of Go's scheduler: no other goroutine gets to run there. The
// thread sleeps. It is for a supervisor who must be able to act even if every
// other CPU is kept, forever, by a goroutine that cannot be preempted.
type standby struct {
	ended atomic.Uint32
}

const (
	futexWaitPrivate = 0 | 128
	futexWakePrivate = 1 | 128
)

// end is the event.
func (s *standby) end() {
	s.ended.Store(1)
	unix.RawSyscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.ended)), futexWakePrivate, 1)
}

// wait waits for the event, for up to d.
func (s *standby) wait(d time.Duration) {
	// Raw system calls do not tell the scheduler, which would hand the CPU
	// to another goroutine; pinned, it cannot take the CPU away in between.
	primitives.Pin()
	defer primitives.Unpin()
	until := primitives.Nanotime() + int64(d)
	for s.ended.Load() == 0 {
		left := until - primitives.Nanotime()
		if left <= 0 {
			return
		}
		ts := unix.NsecToTimespec(left)
		// Whatever ends the wait, be it the scheduler's signal, look again.
		unix.RawSyscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(&s.ended)), futexWaitPrivate,
			0, uintptr(unsafe.Pointer(&ts)), 0, 0)
	}
}
