package blocking

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// NoteOwner makes m note where it is acquired, or makes it stop that.
// [Mutex.State] and [Mutex.String] show what it noted. While m notes, an
// acquisition takes a microsecond; while it does not, NoteOwner costs nothing.
func (m *Mutex) NoteOwner(on bool) {
	if on {
		m.owner.Store(nil) // a holder that is inside now came before
		m.word.Or(noting)
	} else {
		m.word.And(^uint32(noting))
	}
}

// note notes the caller of a method of m, which is held, if noting is set.
func (m *Mutex) note() {
	if m.word.Load()&noting != 0 {
		m.owner.Store(caller())
	}
}

// NoteOwner makes s note where it is acquired, or makes it stop that.
// [RWSem.State] and [RWSem.String] show what it noted. While s notes, an
// acquisition takes a microsecond; while it does not, NoteOwner costs nothing.
func (s *RWSem) NoteOwner(on bool) {
	if on {
		s.owner.Store(nil) // a holder that is inside now came before
		s.word.Or(rwNoting)
	} else {
		s.word.And(^uint64(rwNoting))
	}
}

// note notes the caller of a method of s if noting is set in word, which is s's.
func (s *RWSem) note(word uint64) {
	if word&rwNoting != 0 {
		s.owner.Store(caller())
	}
}

// caller returns the function, file and line that called a method of one of this
// package's types.
func caller() *string {
	const ours = "github.com/lockbench/lockbench/blocking.(*"
	var pcs [8]uintptr // more than our own methods
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, ours) || !more {
			owner := fmt.Sprintf("%s, %s:%d", frame.Function, filepath.Base(frame.File), frame.Line)
			return &owner
		}
	}
}
