package rwlock

import "github.com/lockbench/lockbench/primitives"

// An Upgradable is a [Queued] whose readers may become writers. An upgradable read
// section runs together with readers, and excludes writers and other upgradable
// sections. Upgrade makes it a write section without letting a writer in between, so
// what the section has read is still so. It is for sections that seldom find something
// to write. It has twelve bytes. The zero Upgradable is unlocked. An Upgradable must
// not be copied after first use.
//
//	l.ULock()
//	if stale() { // beside readers
//		l.Upgrade()
//		refresh() // alone
//		l.Unlock()
//	} else {
//		l.UUnlock()
//	}
//
// ULock waits in line behind other upgradable sections, and then as RLock does. An
// upgrade turns away new readers and waits until those inside have left. It does not get
// in line: a writer at the head waits for the caller to leave, so an upgrader behind it
// would never get in. Only one reader at a time may upgrade, so no two upgraders wait
// for each other; a plain reader that wants to write has to leave first.
//
// The sources are the upgradable locks of Boost and of Rust's parking_lot. Upgradable
// sections have no pinned forms: an upgrade waits for other readers while it is a
// reader itself.
type Upgradable struct {
	Queued

	// upgraders is held by the goroutine in an upgradable section, from ULock to the
	// end of the upgrade or of the section.
	//
	// I4: its holder, once ULock has returned, is counted in the word as a reader; and
	// only the holder changes writer from 0 to upgrading, and from that to W.
	upgraders queue
}

// ULock begins an upgradable read section, waiting in line for other such sections,
// and behind writers. It panics as RLock does.
func (l *Upgradable) ULock() {
	l.upgraders.enter(false)
	l.RLock()
}

// TryULock tries to begin an upgradable read section without waiting and reports
// whether it succeeded. It panics if the lock has 4,194,303 readers.
func (l *Upgradable) TryULock() bool {
	if !l.upgraders.lock.TryLock() {
		return false
	}
	if got, wrong := l.tryRLock(); !got {
		l.upgraders.leave(false)
		return orPanic(got, wrong)
	}
	return true
}

// UUnlock ends an upgradable read section that was not upgraded. It panics if there
// is none.
func (l *Upgradable) UUnlock() {
	l.checkUpgradable("UUnlock")
	l.RUnlock()
	l.upgraders.leave(false)
}

// Upgrade makes the caller's upgradable read section a write section, which ends with
// Unlock. It waits for the readers inside to leave. It panics if there is no upgradable
// section.
func (l *Upgradable) Upgrade() {
	l.checkUpgradable("Upgrade")
	if !l.upgrade() {
		l.word.word.Add(upgrading) // n,*,0 -> n,*,U; by I4
		spin := primitives.Spin{InLine: true}
		for !l.upgrade() {
			spin.Once()
		}
	}
	l.upgraders.leave(false)
}

// TryUpgrade tries to make the caller's upgradable read section a write section, and
// reports whether it succeeded: it fails if there are readers inside. Then the section
// goes on as it was. TryUpgrade panics if there is no upgradable section.
func (l *Upgradable) TryUpgrade() bool {
	l.checkUpgradable("TryUpgrade")
	if !l.upgrade() {
		return false
	}
	l.upgraders.leave(false)
	return true
}

// upgrade makes the only reader, which is the caller by I4, the writer.
func (l *Upgradable) upgrade() bool {
	w := l.word.word.Load()
	return w&^(waiting|upgrading) == oneReader && l.word.word.CompareAndSwap(w, w&waiting|writer) // 1,*,* -> 0,*,W; acquire: pairs with RUnlock
}

// Downgrade makes the caller's write section a read section, which ends with RUnlock.
// No writer gets in between; readers may, as while any reader is inside. It panics if
// no writer is inside, and if the lock would have more than 4,194,303 readers, with those
// that wait; then the write section has ended.
func (l *Upgradable) Downgrade() {
	if l.word.word.Load()&writer != writer {
		panic("rwlock: Downgrade of an Upgradable that is not write-locked")
	}
	if w := l.word.word.Add(oneReader - writer); tooMany(w) { // n,*,W -> n+1,*,0; release: pairs with RLock; by I1
		l.word.word.Add(lessOne) // restores I2; the section has ended
		panic(full)
	}
}

// checkUpgradable panics if no goroutine is in an upgradable section.
func (l *Upgradable) checkUpgradable(method string) {
	if l.upgraders.lock.TryLock() {
		l.upgraders.leave(false)
		panic("rwlock: " + method + " of an Upgradable that has no upgradable section")
	}
}
