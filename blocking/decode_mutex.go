package blocking

import (
	"fmt"
	"strings"
)

// A MutexState is what the word of a [Mutex] says.
type MutexState struct {
	Held     bool // it is locked
	Spinning bool // a waiter spins, and will take it before those in line
	Handoff  bool // the next Unlock hands it to the first in line
	Pickup   bool // it was handed to a waiter that has not run since
	Waiting  int  // how many are in line

	// Owner is where it was acquired, if the Mutex notes that: a function, file
	// and line.
	Owner string
}

// DecodeMutex reads a [Mutex]'s word, the first four bytes of it.
func DecodeMutex(word uint32) MutexState {
	return MutexState{
		Held:     word&locked != 0,
		Spinning: word&spinning != 0,
		Handoff:  word&handoff != 0,
		Pickup:   word&pickup != 0,
		Waiting:  int(word >> waitingShift),
	}
}

// State returns what m's word says at the moment.
func (m *Mutex) State() MutexState {
	word := m.word.Load()
	state := DecodeMutex(word)
	if owner := m.owner.Load(); owner != nil && word&noting != 0 && state.Held && !state.Pickup {
		state.Owner = *owner
	}
	return state
}

// String decodes m's word for diagnosis.
func (m *Mutex) String() string { return m.State().String() }

// String says it in words: "locked, 3 in line, hand-off pending".
func (s MutexState) String() string {
	parts := []string{"unlocked"}
	if s.Held {
		parts[0] = "locked"
	}
	if s.Owner != "" {
		parts[0] += " (" + s.Owner + ")"
	}
	if s.Pickup {
		parts = append(parts, "handed over, not picked up yet")
	}
	if s.Spinning {
		parts = append(parts, "a spinner will take it next")
	}
	if s.Waiting > 0 {
		parts = append(parts, fmt.Sprintf("%d in line", s.Waiting))
	}
	if s.Handoff {
		parts = append(parts, "hand-off pending")
	}
	return strings.Join(parts, ", ")
}
