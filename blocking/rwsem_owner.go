package blocking

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// NoteOwner makes s note where it is acquired, for [RWSem.State] and
// [RWSem.String] to say who holds it, or makes it stop that. While it notes, an
// acquisition takes a microsecond; while it does not, that costs nothing.
func (s *RWSem) NoteOwner(on bool) {
	if on {
		s.word.Or(rwNoting)
	} else {
		s.word.And(^uint64(rwNoting))
	}
}

// note notes who called a method of s, if word, which is s's, says so.
func (s *RWSem) note(word uint64) {
	if word&rwNoting == 0 {
		return
	}
	var pcs [8]uintptr // more than our own methods
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		frame, more := frames.Next()
		ours := strings.Contains(frame.Function, ".(*RWSem).") || strings.Contains(frame.Function, ".(*rwSemReader).")
		if !ours || !more {
			owner := fmt.Sprintf("%s, %s:%d", frame.Function, filepath.Base(frame.File), frame.Line)
			s.owner.Store(&owner)
			return
		}
	}
}
