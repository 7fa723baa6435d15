package primitives

import (
	"fmt"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// The commands of membarrier(2).
const (
	membarrierPrivateExpedited         = 1 << 3
	membarrierRegisterPrivateExpedited = 1 << 4
)

var canMembarrier = sync.OnceValue(func() bool {
	_, _, errno := syscall.Syscall(unix.SYS_MEMBARRIER, membarrierRegisterPrivateExpedited, 0, 0)
	return errno == 0
})

func membarrier() {
	if !canMembarrier() {
		panic("primitives: Membarrier on a machine that has none")
	}
	// It does not block, so the scheduler need not know.
	if _, _, errno := syscall.RawSyscall(unix.SYS_MEMBARRIER, membarrierPrivateExpedited, 0, 0); errno != 0 {
		panic(fmt.Sprintf("primitives: membarrier(2): %v", errno))
	}
}
