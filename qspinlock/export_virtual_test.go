//go:build virtual

package qspinlock

// Peek returns the lock's word in memory, and is no step.
func (l *Lock) Peek() uint32 {
	word, _ := l.word.Raw()
	return uint32(word)
}
