//go:build virtual

package qspinlock

// Peek returns the lock's word in memory, and is not a step of the model.
func (l *Lock) Peek() uint32 {
	word, _ := l.word.Raw()
	return uint32(word)
}
