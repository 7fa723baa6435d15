package blocking

import (
	"fmt"
	"strings"
)

// An RWSemState is what the word of an [RWSem] says, or the count of an
// rw_semaphore in a crash dump of a 64-bit kernel.
type RWSemState struct {
	Writer  bool  // a writer holds it
	Readers int64 // how many readers hold it, or are about to see that they cannot
	Waiting bool  // the line is not empty
	Handoff bool  // only the first in line may take it
	Broken  bool  // more readers left than came

	// Owner is where the writer, or the last of the readers, acquired it, if the
	// RWSem notes that: a function, file and line.
	Owner string
}

// DecodeRWSem reads an [RWSem]'s word, the first eight bytes of it.
// DecodeRWSem(0x302) says: 3 readers, others wait.
func DecodeRWSem(word uint64) RWSemState {
	return RWSemState{
		Writer:  word&rwWriter != 0,
		Readers: int64(word & rwReaders / rwReader),
		Waiting: word&rwWaiting != 0,
		Handoff: word&rwHandoff != 0,
		Broken:  word&rwBroken != 0,
	}
}

// State returns what s's word says at the moment.
func (s *RWSem) State() RWSemState {
	word := s.word.Load()
	state := DecodeRWSem(word)
	if owner := s.owner.Load(); owner != nil && word&rwNoting != 0 && (state.Writer || state.Readers > 0) {
		state.Owner = *owner
	}
	return state
}

// String decodes s's word for diagnosis.
func (s *RWSem) String() string { return s.State().String() }

// String says it in words: "locked by a writer, others wait".
func (s RWSemState) String() string {
	var says []string
	switch {
	case s.Broken:
		says = append(says, "broken: more readers left than came")
	case s.Writer && s.Readers > 0:
		says = append(says, "locked by a writer", fmt.Sprintf("%d readers arriving", s.Readers))
	case s.Writer:
		says = append(says, "locked by a writer")
	case s.Readers == 1:
		says = append(says, "1 reader")
	case s.Readers > 0:
		says = append(says, fmt.Sprintf("%d readers", s.Readers))
	default:
		says = append(says, "unlocked")
	}
	if s.Owner != "" {
		says[0] += " (" + s.Owner + ")"
	}
	if s.Waiting {
		says = append(says, "others wait")
	}
	if s.Handoff {
		says = append(says, "hand-off pending")
	}
	return strings.Join(says, ", ")
}
