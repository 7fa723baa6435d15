//go:build virtual

package rwlock

// Met sets how many CPUs have counted readers, so that a model need not explore
// how the lock finds that out.
func (l *Distributed) Met(cpus uint32) *Distributed { l.readers.cpus.Store(cpus); return l }

func (l *Biased) Met(cpus uint32) *Biased { l.readers.cpus.Store(cpus); return l }

// TryLockLate is TryLock by a writer that looked for readers before one came.
func (l *PhaseFair) TryLockLate() bool {
	if !l.writers.TryLock() {
		return false
	}
	if l.tryPhase() {
		return true
	}
	quietly(&l.writers)
	return false
}
