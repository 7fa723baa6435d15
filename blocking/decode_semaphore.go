package blocking

import "fmt"

// A SemaphoreState is what the word of a [Semaphore] says.
type SemaphoreState struct {
	Size    int  // how many permits there are in all
	Held    int  // how many of them are out; more than Size, if it shrank
	Waiting bool // the line is not empty
}

// DecodeSemaphore reads a [Semaphore]'s word, the first eight bytes of it.
func DecodeSemaphore(word uint64) SemaphoreState {
	return SemaphoreState{
		Size:    int(word & sizeMask),
		Held:    int(word >> 32 & sizeMask),
		Waiting: word&semaphoreWaiting != 0,
	}
}

// State returns what s's word says at the moment.
func (s *Semaphore) State() SemaphoreState { return DecodeSemaphore(s.word.Load()) }

// String decodes s's word for diagnosis.
func (s *Semaphore) String() string { return s.State().String() }

// String says it in words: "3 of 8 permits held, others wait".
func (s SemaphoreState) String() string {
	says := fmt.Sprintf("%d of %d permits held", s.Held, s.Size)
	if s.Waiting {
		says += ", others wait"
	}
	return says
}
