package blocking

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// NoteOwner makes m note where it is acquired, for [Mutex.State] and
// [Mutex.String] to say who holds it, or makes it stop that. While it notes, an
// acquisition takes a microsecond; while it does not, that costs nothing.
func (m *Mutex) NoteOwner(on bool) {
	if on {
		m.owner.Store(nil) // who is inside came before
		m.word.Or(noting)
	} else {
		m.word.And(^uint32(noting))
	}
}

// note notes who called a method of m, which is held, if that is wanted.
func (m *Mutex) note() {
	if m.word.Load()&noting != 0 {
		m.owner.Store(caller())
	}
}

// NoteOwner makes s note where it is acquired, for [RWSem.State] and
// [RWSem.String] to say who holds it, or makes it stop that. While it notes, an
// acquisition takes a microsecond; while it does not, that costs nothing.
func (s *RWSem) NoteOwner(on bool) {
	if on {
		s.owner.Store(nil) // who is inside came before
		s.word.Or(rwNoting)
	} else {
		s.word.And(^uint64(rwNoting))
	}
}

// note notes who called a method of s, if word, which is s's, says so.
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
