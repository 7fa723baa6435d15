package measure

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// An event is something that the kernel counts.
type event struct {
	kind   uint32
	config uint64
}

var countInstructions = event{unix.PERF_TYPE_HARDWARE, unix.PERF_COUNT_HW_INSTRUCTIONS}

// A counter counts an event in the next process that the calling thread starts,
// from its exec on, in user mode, in all its threads.
type counter struct{ fd int }

func newCounter(e event) (*counter, error) {
	attr := unix.PerfEventAttr{
		Type:   e.kind,
		Size:   uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Config: e.config,
		// Disabled, so that it does not count this process, and inherited, so that it
		// counts the child with all its threads and children.
		Bits:        unix.PerfBitDisabled | unix.PerfBitInherit | unix.PerfBitEnableOnExec | unix.PerfBitExcludeKernel | unix.PerfBitExcludeHv,
		Read_format: unix.PERF_FORMAT_TOTAL_TIME_ENABLED | unix.PERF_FORMAT_TOTAL_TIME_RUNNING,
	}
	fd, err := unix.PerfEventOpen(&attr, 0, -1, -1, unix.PERF_FLAG_FD_CLOEXEC)
	switch {
	case err == nil:
		return &counter{fd}, nil
	case errors.Is(err, unix.ENOENT):
		return nil, errors.New("counting instructions: this machine offers no counter (a virtual one, perhaps)")
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		return nil, fmt.Errorf("counting instructions: %w (see /proc/sys/kernel/perf_event_paranoid)", err)
	}
	return nil, fmt.Errorf("counting instructions: %w", err)
}

// read returns the count of a child that has ended.
func (c *counter) read() (uint64, error) {
	var b [24]byte
	if n, err := unix.Read(c.fd, b[:]); err != nil || n != len(b) {
		return 0, fmt.Errorf("counting instructions: %d bytes: %w", n, err)
	}
	count, enabled, running := binary.NativeEndian.Uint64(b[:]), binary.NativeEndian.Uint64(b[8:]), binary.NativeEndian.Uint64(b[16:])
	if running != enabled {
		// A scaled count would be an estimate, and only an exact one is useful.
		return 0, errors.New("counting instructions: another program uses the counters")
	}
	return count, nil
}

func (c *counter) close() { unix.Close(c.fd) }

// canCount returns an error unless instructions can be counted.
func canCount() error {
	c, err := newCounter(countInstructions)
	if err != nil {
		return err
	}
	c.close()
	return nil
}
