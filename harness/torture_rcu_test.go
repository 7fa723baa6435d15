package harness

import (
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// A plain is a flavour of RCU under one mutex, with one fault. A grace period ends when
// no reader is in a section that began before it.
type plain struct {
	fault string
	keeps bool // whether sections last until the next quiescent state

	lock     sync.Mutex // guards what follows
	now      uint64
	readers  map[*plainReader]bool
	waiting  int // callbacks
	given    int
	released bool // ends all waits
	closed   bool
}

func newPlain(fault string) *plain {
	return &plain{fault: fault, readers: make(map[*plainReader]bool)}
}

type plainReader struct {
	*plain
	depth  int
	inside bool
	began  uint64
}

func (s *plain) Register() RCUReader {
	s.lock.Lock()
	defer s.lock.Unlock()
	r := &plainReader{plain: s}
	s.readers[r] = true
	return r
}

func (r *plainReader) Unregister() {
	r.lock.Lock()
	defer r.lock.Unlock()
	delete(r.readers, r)
}

func (r *plainReader) ReadLock() {
	r.lock.Lock()
	defer r.lock.Unlock()
	if r.depth++; r.depth == 1 && !r.inside {
		r.inside, r.began = true, r.now
	}
}

func (r *plainReader) ReadUnlock() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.depth--
	if r.fault == "does not nest" {
		r.depth = 0
	}
	r.inside = r.depth > 0 || r.keeps
}

func (r *plainReader) Quiescent() {
	r.lock.Lock()
	defer r.lock.Unlock()
	r.inside = false
}

func (r *plainReader) Offline() { r.Quiescent() }
func (*plainReader) Online()    {}

// begin begins a grace period, and over tells whether it is.
func (s *plain) begin() (over func() bool) {
	s.lock.Lock()
	defer s.lock.Unlock()
	s.now++
	mine := s.now
	return func() bool {
		s.lock.Lock()
		defer s.lock.Unlock()
		if s.fault == "hangs" && mine > 20 {
			return s.released
		}
		for r := range s.readers {
			if r.inside && r.began < mine {
				return s.fault == "does not wait" || s.released
			}
		}
		return true
	}
}

func (s *plain) Synchronize() {
	for over := s.begin(); !over(); {
		runtime.Gosched()
	}
}

func (s *plain) SynchronizeExpedited() {
	if s.fault != "is too quick in a hurry" {
		s.Synchronize()
	}
}

func (s *plain) Call(f func()) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.closed && !s.released {
		panic("Call after Close")
	}
	s.given++
	if s.fault == "loses a callback" && s.given == 20 {
		return
	}
	s.waiting++
	go func() {
		if s.fault != "calls at once" {
			s.Synchronize()
		}
		f()
		s.lock.Lock()
		defer s.lock.Unlock()
		s.waiting--
	}()
}

func (s *plain) Barrier() {
	s.Synchronize()
	if s.fault == "has a Barrier that is a Synchronize" {
		return
	}
	for over := false; !over; runtime.Gosched() {
		s.lock.Lock()
		over = s.waiting == 0 || s.released
		s.lock.Unlock()
	}
}

func (s *plain) StartPoll() func() bool {
	if s.fault == "polls too early" {
		return func() bool { return true }
	}
	return s.begin()
}

func (s *plain) Close() {
	s.Barrier()
	s.lock.Lock()
	defer s.lock.Unlock()
	s.closed = true
}

func (s *plain) String() string { return "plain" }

func TestTortureRCU(t *testing.T) {
	restoresCPUs(t)
	for _, s := range []RCU{{}, {Pins: true}, {Keeps: true}} {
		var d *plain
		var done Tortured
		for duration := 200 * time.Millisecond; ; duration *= 2 {
			d = newPlain("")
			d.keeps = s.Keeps
			s.Name, s.New = "plain", func() RCUDomain { return d }
			var err error
			if done, err = (Torture{Duration: duration, Seed: 1}).RunRCU(t.Context(), s); err != nil {
				t.Fatal(err)
			}
			seen := uint64(0)
			for _, n := range done.Ages {
				seen += n
			}
			if done.Reads > 0 && done.Writes > 0 && done.GracePeriods > 0 && done.Registrations > 0 && seen == done.Reads {
				break
			}
			if seen != done.Reads || duration > time.Minute { // on a busy machine it takes longer
				t.Fatalf("done: %+v, want reads, as many ages, writes, grace periods and readers", done)
			}
		}
		if done.Rounds > 10 && slices.Max(done.Kept) == 0 { // tight rounds keep nothing
			t.Errorf("done: %+v, want something kept from one section to the next", done)
		}
		if !d.closed || len(d.readers) > 0 || d.waiting > 0 {
			t.Errorf("closed %t, %d readers and %d callbacks left, want closed, and none", d.closed, len(d.readers), d.waiting)
		}
	}
}

func TestTortureFindsFaultsInRCU(t *testing.T) {
	const early = `flavour "plain" is broken: at the end of a read-side critical section: want `
	for fault, want := range map[string]string{
		"does not wait":                       early,
		"does not nest":                       early,
		"is too quick in a hurry":             early, // by age, or in use for something else: whichever is found first
		"calls at once":                       early,
		"does not keep":                       early,
		"polls too early":                     early + "no grace period over that began in it, have one over",
		"loses a callback":                    "functions called that were given to Call",
		"has a Barrier that is a Synchronize": "after a Barrier: want",
		"hangs":                               "waits for a grace period, for ",
	} {
		t.Run(strings.ReplaceAll(fault, " ", "-"), func(t *testing.T) {
			if racy && strings.HasPrefix(want, early) {
				t.Skip("races")
			}
			restoresCPUs(t)
			before := runtime.NumGoroutine()
			d := newPlain(fault)
			torture := Torture{Duration: time.Minute, Seed: 1} // at most
			switch fault {
			case "hangs":
				torture.Patience = 200 * time.Millisecond
			case "loses a callback":
				torture.Duration = 200 * time.Millisecond // the loss is noticed at the end, at the latest
			}
			subject := RCU{Name: "plain", New: func() RCUDomain { return d }, Keeps: fault == "does not keep"}
			done, err := torture.RunRCU(t.Context(), subject)
			for err == nil && fault == "loses a callback" && torture.Duration < time.Minute && d.given < 20 {
				torture.Duration *= 2 // on a busy machine none has been lost yet
				d = newPlain(fault)
				done, err = torture.RunRCU(t.Context(), subject)
			}
			d.lock.Lock()
			d.released = true
			d.lock.Unlock()
			for runtime.NumGoroutine() > before {
				runtime.Gosched()
			}
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("after %+v: %v, want %s", done, err, want)
			}
			if strings.Contains(err.Error(), "is stuck") && !strings.Contains(err.Error(), "state: plain") {
				t.Errorf("%v, want the state: plain", err)
			}
		})
	}
}
