package harness

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// clockError is by how much clocks of two CPUs may differ, in nanoseconds.
const clockError = 200

// overlap returns by how much two sections that exclude each other overlap at most, in
// nanoseconds; at most 0 if none do. Writers exclude all, and readers too if readers
// says so.
func overlap(b Burst, readers bool) (most int64) {
	for i, u := range b.Uses {
		for _, v := range b.Uses[:i] {
			if u.Worker != v.Worker && (!u.Read || !v.Read || readers) {
				most = max(most, min(u.Releases, v.Releases)-max(u.Acquired, v.Acquired))
			}
		}
	}
	return most
}

// misrecorded says what is wrong with a burst whatever the lock does; "" if nothing is.
func misrecorded(b Burst, workers int) string {
	if b.From >= b.To || len(b.Joined) != workers {
		return fmt.Sprintf("from %d to %d, %d workers", b.From, b.To, len(b.Joined))
	}
	last := make([]*Use, workers)
	n := make([]int, workers)
	for i := range b.Uses {
		u := &b.Uses[i]
		after := b.Joined[u.Worker]
		if v := last[u.Worker]; v != nil {
			after = v.Settled
		}
		if after < b.From || u.Called < after || u.Acquired < u.Called || u.Releases < u.Acquired || u.Returned < u.Releases || u.Settled < u.Returned {
			return fmt.Sprintf("%+v, after %d", *u, after)
		}
		if v := last[u.Worker]; v != nil && v.Settled >= b.To {
			return fmt.Sprintf("%+v, though the burst ended at %d", *u, b.To)
		}
		last[u.Worker] = u
		n[u.Worker]++
	}
	for w, n := range n {
		if n > mostUses || n == 0 != (b.Joined[w] < 0) {
			return fmt.Sprintf("worker %d has %d uses, and joined at %d", w, n, b.Joined[w])
		}
	}
	return ""
}

// gosched is data whose Write and Read let the other workers run, so that sections
// overlap unless a lock keeps them apart, on one CPU too.
type gosched struct{}

func (gosched) Write(int)     { runtime.Gosched() }
func (gosched) Read(int)      { runtime.Gosched() }
func (gosched) Verify() error { return nil }

// timelineOf runs s and returns the timeline.
func timelineOf(t *testing.T, s Scenario) (got Timeline) {
	t.Helper()
	restoresCPUs(t)
	calls := 0
	s.Trace = func(t Timeline) { got, calls = t, calls+1 }
	if _, err := Run(context.Background(), s); err != nil {
		t.Fatal(err)
	}
	if calls != 1 || len(got.Bursts) > burstsInWindow {
		t.Fatalf("Trace was called %d times, with %d bursts", calls, len(got.Bursts))
	}
	for i, b := range got.Bursts {
		if wrong := misrecorded(b, s.Workers+s.Readers+s.Writers); wrong != "" {
			t.Errorf("burst %d: %s", i, wrong)
		}
		if long := int64(s.Duration) / burstsShare / burstsInWindow; b.From < int64(s.Duration)*int64(2*i+1)/(2*burstsInWindow) || b.To > b.From+long {
			t.Errorf("burst %d is from %d to %d, in a window of %d", i, b.From, b.To, s.Duration)
		}
	}
	return got
}

// Sections that exclude each other do not overlap; those of a subject that does not
// exclude do.
func TestTimeline(t *testing.T) {
	yields := Workload{Name: "yields", New: func(int, uint64) Data { return gosched{} }}
	for _, test := range []struct {
		name    string
		subject Subject
		reads   int
		kind    string
		readers bool // exclude each other
	}{
		{"mutex", Subject{New: func() sync.Locker { return new(sync.Mutex) }}, 50, "exclusive", true},
		{"rwmutex", Subject{New: func() sync.Locker { return new(sync.RWMutex) }}, 50, "shared", false},
		{"none", Subject{New: func() sync.Locker { return none{} }, Unlocked: true}, 50, "none", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.subject.Name = test.name
			s := Scenario{Subject: test.subject, CPUs: 1, Workers: 3, Reads: test.reads, Workload: yields, Duration: 10 * time.Millisecond}
			most, uses := int64(0), 0
			for range 20 { // another process may have the CPU for all of a burst
				got := timelineOf(t, s)
				if got.Kind != test.kind {
					t.Errorf("kind %s, want %s", got.Kind, test.kind)
				}
				for _, b := range got.Bursts {
					most, uses = max(most, overlap(b, test.readers)), uses+len(b.Uses)
				}
				if uses > 30 {
					break
				}
			}
			if overlaps := most > clockError; overlaps != test.subject.Unlocked || uses <= 30 {
				t.Errorf("sections overlap by %d ns in %d uses", most, uses)
			}
		})
	}
}

// All ways to use a lock are recorded.
func TestTimelineForms(t *testing.T) {
	for _, test := range []struct {
		kind string
		s    Scenario
	}{
		{"retried", Scenario{Subject: Subject{Name: "sequenced", New: func() sync.Locker { return new(sequenced) }}, Reads: 50}},
		{"exclusive", Scenario{Subject: mutex, Mode: Goroutine, Latency: true}},
		{"shared", Scenario{Subject: Subject{Name: "rw", New: func() sync.Locker { return new(sync.RWMutex) }}, Readers: 1, Writers: 1}},
	} {
		s := test.s
		s.CPUs, s.Duration = 2, 4*time.Millisecond
		if s.Readers == 0 {
			s.Workers = 2
		}
		got := timelineOf(t, s)
		if got.Kind != test.kind {
			t.Errorf("%s: kind %s, want %s", s.Name, got.Kind, test.kind)
		}
	}
}

// A window with a burst that is on, for one worker, which looks at the clock when the test
// says so.
func bursting(t *testing.T) (*worker, *burst) {
	t.Helper()
	s := quick(mutex)
	s.Duration, s.Trace = time.Hour, func(Timeline) {}
	r := newRun(s, new(sync.Mutex), 1)
	r.opened.wall = 0
	b := &r.bursts[0]
	b.long = 1 << 61
	return r.workers[0], b
}

// A burst in which a worker has no room left ends for all workers, and says so.
func TestTimelineFull(t *testing.T) {
	w, b := bursting(t)
	word := w.run.word.Load()
	w.word = word
	if !b.begun(w.run, 5) || w.recordBurst(b, 5) {
		t.Error("the first look ended the burst, before the worker had seen what it told all")
	}
	if w.run.word.Load() == word || phase(w.run.word.Load()) != phase(word) {
		t.Errorf("the word was %#x and is %#x: want a nudge", word, w.run.word.Load())
	}
	w.word = w.run.word.Load()
	if !b.begun(w.run, 7) || !w.recordBurst(b, 7) || w.run.word.Load() != w.word {
		t.Error("the burst did not end, or was announced twice")
	}
	if b.waited[0] != 0 {
		t.Error("the worker that began the burst waited")
	}
	w.nextBurst++
	got := w.run.timeline().Bursts[0]
	if !got.Full || len(got.Uses) != mostUses || got.To != got.Uses[mostUses-1].Settled || got.Joined[0] != 5 || got.From != 5 {
		t.Errorf("full %t, %d uses, joined at %d, ended at %d, last use %+v", got.Full, len(got.Uses), got.Joined[0], got.To, got.Uses[len(got.Uses)-1])
	}
	if w.written != mostUses {
		t.Errorf("%d operations counted, %d recorded", w.written, mostUses)
	}
}

// A worker that waits as a burst begins is known to wait, unless it has recorded that.
func TestTimelineWaiting(t *testing.T) {
	s := quick(mutex)
	s.Trace = func(Timeline) {}
	r := newRun(s, new(sync.Mutex), 2)
	b := &r.bursts[0]
	b.to.Store(1)
	w := r.workers[1]
	w.read, w.written, w.doing = 3, 4, waitsToWrite
	r.noteWaiting(b)
	own := &w.recorded[0]
	for _, test := range []struct {
		joined int64
		before uint64
		want   bool
	}{{-1, 0, true}, {1, 8, true}, {1, 7, false}} {
		own.joined, own.before = test.joined, test.before
		if got := r.timeline().Bursts[0].Waiting; got[0] || got[1] != test.want {
			t.Errorf("joined at %d after %d operations: %t, want false and %t", test.joined, test.before, got, test.want)
		}
	}
	w.doing = writing
	b.waited[1] = 0
	if r.noteWaiting(b); r.timeline().Bursts[0].Waiting[1] {
		t.Error("a holder waits")
	}
}

// Recording allocates nothing.
func TestTimelineAllocates(t *testing.T) {
	w, b := bursting(t)
	b.to.Store(1 << 62)
	w.word = w.run.word.Load()
	if n := testing.AllocsPerRun(10, func() {
		own := &w.recorded[0]
		own.uses = own.uses[:0]
		b.to.Store(1 << 62)
		w.recordBurst(b, 0)
		if len(own.uses) != mostUses {
			t.Fatalf("%d uses", len(own.uses))
		}
	}); n != 0 {
		t.Errorf("a burst allocates %g times", n)
	}
}

// Bursts are so short that what they cost is bounded, and buffers so small that many
// workers have room.
func TestTimelineBounds(t *testing.T) {
	for _, long := range []time.Duration{100 * time.Microsecond, 3 * time.Millisecond, time.Minute} {
		total := int64(0)
		bursts := newBursts(Scenario{Duration: long}, 1)
		for i := range bursts {
			b := &bursts[i]
			total += b.long
		}
		if total <= 0 || total*burstsShare > int64(long) {
			t.Errorf("bursts of %v in all, in a window of %v", time.Duration(total), long)
		}
	}
	for _, workers := range []int{1, 1000, 1 << 20} {
		for _, own := range newRecorder(Scenario{Workers: workers}).recorded {
			if room := cap(own.uses); room < leastUses || room > mostUses || room > leastUses && room*workers > allUses {
				t.Errorf("room for %d uses of each of %d workers", room, workers)
			}
		}
	}
}

func TestTimelineRefused(t *testing.T) {
	for want, change := range map[string]func(*Scenario){
		"in an open loop": func(s *Scenario) { s.Arrivals.Rate = 1000 },
		"with counters":   func(s *Scenario) { s.Counters = true },
		"with a quota":    func(s *Scenario) { s.Quota = 1000 },
	} {
		s := quick(mutex)
		s.Trace = func(Timeline) { t.Error("traced") }
		change(&s)
		if _, err := Run(context.Background(), s); err == nil || !strings.Contains(err.Error(), "trace set: must be nil "+want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
