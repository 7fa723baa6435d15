package qspinlock

// Word returns the lock's word, which changes whenever a goroutine gets in line.
func (l *Lock) Word() uint64 { return uint64(l.word.Load()) }
