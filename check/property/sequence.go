package property

import (
	"sync"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// A Sequence is a lock whose readers hold nothing, and read again if a writer wrote
// meanwhile.
type Sequence interface {
	sync.Locker
	Begin() (seq uint64)
	Retry(seq uint64) bool
}

// Reads checks that a reader that reads while a writer writes sees the words as they
// were at one moment, and that later reads do not see an earlier moment.
func Reads(fresh func() Sequence, readers, reads, writes int) func(*check.Machine) {
	return func(m *check.Machine) {
		l := fresh()
		var words [2]primitives.Uint64
		m.GoNamed("writer", func() {
			for range writes {
				l.Lock()
				for i := range words {
					words[i].StoreRelease(words[i].Load() + 1)
				}
				l.Unlock()
			}
		})
		m.GoAlike(readers, func() {
			last := uint64(0)
			for range reads {
				var seen [2]uint64
				for again := true; again; {
					seq := l.Begin()
					for i := range seen {
						seen[i] = words[i].Load()
					}
					again = l.Retry(seq)
				}
				switch {
				case seen[0] != seen[1]:
					m.Failf("read %v, which is torn", seen)
				case seen[0] < last:
					m.Failf("read %d after %d", seen[0], last)
				}
				last = seen[0]
			}
		})
	}
}
