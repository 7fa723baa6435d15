package primitives

import (
	"os"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// manyNodes says that several nodes are online. It is read when the program begins,
// because Node may be called pinned, where no file may be read.
var manyNodes = severalIn("/sys/devices/system/node/online")

// severalIn reports whether the file has more than one number: it is a list such as
// "0-1" or "0,2-3".
func severalIn(name string) bool {
	list, err := os.ReadFile(name)
	return err == nil && strings.ContainsAny(string(list), "-,")
}

func node() int {
	if !manyNodes {
		return 0
	}
	var cpu, node uint32
	// It does not block, so the scheduler need not know.
	_, _, errno := syscall.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&cpu)), uintptr(unsafe.Pointer(&node)), 0)
	if errno != 0 {
		return 0
	}
	return int(node)
}
