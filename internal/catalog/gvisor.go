//go:build amd64 || arm64

package catalog

import (
	"sync"
	"unsafe"

	gvisor "gvisor.dev/gvisor/pkg/sync"

	"github.com/lockbench/lockbench/harness"
)

var gvisorPeers = []Entry{
	{
		Subject: harness.Subject{Name: "gvisor.SeqCount", New: fresh[seqCount]},
		Family:  "sequence", Order: Barging, Except: ", FIFO after 1 ms; readers wait for writers", Waits: SpinsThenParks,
		Bytes:  unsafe.Sizeof(seqCount{}),
		Source: "gvisor.dev/gvisor v0.0.0-20260905035102-160fafc42237, beside a sync.Mutex",
		Peer:   true,
	},
}

// A seqCount is gVisor's sequence counter, with the mutex that its writers need.
type seqCount struct {
	mu  sync.Mutex
	seq gvisor.SeqCount
}

func (l *seqCount) Lock() {
	l.mu.Lock()
	l.seq.BeginWrite()
}

func (l *seqCount) TryLock() bool {
	locked := l.mu.TryLock()
	if locked {
		l.seq.BeginWrite()
	}
	return locked
}

func (l *seqCount) Unlock() {
	l.seq.EndWrite()
	l.mu.Unlock()
}

func (l *seqCount) Begin() uint64         { return uint64(l.seq.BeginRead()) }
func (l *seqCount) Retry(seq uint64) bool { return !l.seq.ReadOk(gvisor.SeqCountEpoch(seq)) }
