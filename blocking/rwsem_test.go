package blocking_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unsafe"

	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
)

type rwState = blocking.RWSemState

func wantRW(t *testing.T, s *blocking.RWSem, want rwState) {
	t.Helper()
	if got := s.State(); got != want {
		t.Errorf("State = %+v, want %+v", got, want)
	}
}

func TestRWSemExclusion(t *testing.T) {
	locktest.Exclusion(t, new(blocking.RWSem))
	for _, cpus := range []int{1, 2, 4} {
		locktest.Oversubscribed(t, cpus, new(blocking.RWSem))
	}
}

func TestRWSemFIFO(t *testing.T) {
	var s blocking.RWSem
	locktest.FIFO(t, &s, func() uint64 { return uint64(s.InLine()) })
}

// Each way to acquire the lock, and what can be acquired at the same time.
func TestRWSemTry(t *testing.T) {
	ctx := t.Context()
	took := func(err error) bool { return err == nil }
	var s blocking.RWSem
	writes := map[string]func() bool{
		"Lock":        func() bool { s.Lock(); return true },
		"TryLock":     s.TryLock,
		"LockContext": func() bool { return took(s.LockContext(ctx)) },
		"LockTimeout": func() bool { return s.LockTimeout(ages) },
	}
	reads := map[string]func() bool{
		"RLock":          func() bool { s.RLock(); return true },
		"RLocker().Lock": func() bool { s.RLocker().Lock(); return true },
		"TryRLock":       s.TryRLock,
		"RLockContext":   func() bool { return took(s.RLockContext(ctx)) },
		"RLockTimeout":   func() bool { return s.RLockTimeout(ages) },
	}
	const blink = time.Microsecond
	for name, lock := range writes {
		if !lock() {
			t.Errorf("%s of unlocked RWSem failed", name)
		}
		wantRW(t, &s, rwState{Writer: true})
		if s.TryLock() || s.TryRLock() || s.LockTimeout(0) || s.RLockTimeout(0) || s.LockTimeout(blink) || s.RLockTimeout(blink) {
			t.Errorf("after %s another reader or writer got in", name)
		}
		wantRW(t, &s, rwState{Writer: true})
		s.Unlock()
		wantRW(t, &s, rwState{})
	}
	for name, rlock := range reads {
		if !rlock() {
			t.Errorf("%s of unlocked RWSem failed", name)
		}
		if s.TryLock() || s.LockTimeout(0) || s.LockTimeout(blink) {
			t.Errorf("after %s a writer got in", name)
		}
		n := int64(1)
		for other, rlock := range reads {
			if !rlock() {
				t.Errorf("after %s %s failed", name, other)
			}
			n++
			wantRW(t, &s, rwState{Readers: n})
		}
		for ; n > 1; n-- {
			s.RUnlock()
		}
		wantRW(t, &s, rwState{Readers: 1})
		s.RLocker().Unlock()
		wantRW(t, &s, rwState{})
	}
}

func TestRWSemMisuse(t *testing.T) {
	var s blocking.RWSem
	for range 2 {
		locktest.Panics(t, "Unlock of unlocked RWSem", s.Unlock)
		locktest.Panics(t, "RUnlock of unlocked RWSem", s.RUnlock)
		locktest.Panics(t, "Downgrade of unlocked RWSem", s.Downgrade)
		s.Lock()
		locktest.Panics(t, "RUnlock of RWSem held by a writer", s.RUnlock)
		wantRW(t, &s, rwState{Writer: true})
		s.Downgrade()
		locktest.Panics(t, "Unlock of RWSem held by a reader", s.Unlock)
		locktest.Panics(t, "Downgrade of RWSem held by a reader", s.Downgrade)
		wantRW(t, &s, rwState{Readers: 1})
		reader := inLine(&s, s.Lock)
		locktest.Panics(t, "Unlock of RWSem held by a reader, with a line", s.Unlock)
		s.RUnlock()
		<-reader
		s.Unlock()
		wantRW(t, &s, rwState{})
	}
}

// One reader more than can be counted panics, lets no writer in and changes
// nothing; the other readers unlock as before.
func TestRWSemLimit(t *testing.T) {
	var s blocking.RWSem
	s.Count(blocking.MaxReaders - 2) // so many hold it, by its word
	s.RLock()
	if !s.TryRLock() {
		t.Fatal("TryRLock by the last that can be counted = false, want true")
	}
	full := rwState{Readers: blocking.MaxReaders}
	wantRW(t, &s, full)
	for range 2 {
		for name, lock := range map[string]func(){
			"RLock":        s.RLock,
			"RLockTimeout": func() { s.RLockTimeout(ages) },
			"RLockContext": func() { s.RLockContext(t.Context()) },
		} {
			locktest.Panics(t, name+" by too many readers", lock)
			wantRW(t, &s, full)
		}
		if s.TryRLock() || s.TryLock() || s.LockTimeout(time.Microsecond) {
			t.Error("a reader or a writer got in while MaxReaders readers hold it")
		}
		wantRW(t, &s, full)
		s.RUnlock()
		s.RLock()
	}
	s.Count(-blocking.MaxReaders)
	s.Lock()
	wantRW(t, &s, rwState{Writer: true})
}

// Readers see no half of a write, and a writer meets no reader. The counters are plain,
// so the race detector checks it, too.
func TestRWSemReadersAndWriters(t *testing.T) {
	for _, cpus := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("cpus=%d", cpus), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cpus))
			var (
				s       blocking.RWSem
				n, twin int // guarded by s; equal whenever a reader looks
				writes  primitives.Uint32
				readers primitives.Uint32
				most    primitives.Uint32
				wg      sync.WaitGroup
			)
			read := func(i int) {
				in := readers.Add(1)
				if in > most.Load() {
					most.Store(in)
				}
				if n != twin {
					t.Errorf("a reader saw %d and %d", n, twin)
				}
				if i%16 == 0 {
					runtime.Gosched()
				}
				if n != twin {
					t.Errorf("a reader saw %d, then %d", twin, n)
				}
				readers.Add(^uint32(0))
			}
			for worker := range locktest.Workers {
				wg.Go(func() {
					for i := range 500 {
						if (i+worker)%4 != 0 {
							s.RLock()
							read(i)
							s.RUnlock()
							continue
						}
						s.Lock()
						n++
						if i%8 == 0 {
							runtime.Gosched()
						}
						twin++
						writes.Add(1)
						if i%3 == 0 {
							s.Downgrade()
							read(i)
							s.RUnlock()
						} else {
							s.Unlock()
						}
					}
				})
			}
			wg.Wait()
			if got := int(writes.Load()); n != got || twin != got {
				t.Errorf("after %d writes the counters read %d and %d", got, n, twin)
			}
			if cpus > 1 && most.Load() < 2 {
				t.Error("no two readers ever met")
			}
			wantRW(t, &s, rwState{})
		})
	}
}

// A writer's intention blocks new readers.
func TestRWSemWriterBlocksReaders(t *testing.T) {
	var s blocking.RWSem
	s.RLock()
	writer := inLine(&s, s.Lock)
	if s.TryRLock() || s.TryLock() || s.RLockTimeout(time.Microsecond) {
		t.Error("a reader or a writer overtook a writer in line")
	}
	reader := inLine(&s, s.RLock)
	wantRW(t, &s, rwState{Readers: 1, Waiting: true})
	s.RUnlock()
	<-writer
	wantRW(t, &s, rwState{Writer: true, Waiting: true})
	s.Unlock()
	<-reader
	wantRW(t, &s, rwState{Readers: 1})
}

// All readers at the head of the line come in together; the readers behind the
// next writer do not.
func TestRWSemBatch(t *testing.T) {
	var s blocking.RWSem
	s.Lock()
	var batch []chan bool
	for range 3 {
		batch = append(batch, inLine(&s, s.RLock))
	}
	writer := inLine(&s, s.Lock)
	late := inLine(&s, s.RLock)
	s.Unlock()
	for _, reader := range batch {
		<-reader
	}
	wantRW(t, &s, rwState{Readers: 3, Waiting: true})
	if n := s.InLine(); n != 2 {
		t.Errorf("%d in line, want 2", n)
	}
	for range batch {
		s.RUnlock()
	}
	<-writer
	wantRW(t, &s, rwState{Writer: true, Waiting: true})
	s.Unlock()
	<-late
	wantRW(t, &s, rwState{Readers: 1})
}

// Downgrade lets in the readers at the head of the line, and no writer.
func TestRWSemDowngrade(t *testing.T) {
	var s blocking.RWSem
	s.Lock()
	a, b := inLine(&s, s.RLock), inLine(&s, s.RLock)
	writer := inLine(&s, s.Lock)
	late := inLine(&s, s.RLock)
	s.Downgrade()
	<-a
	<-b
	wantRW(t, &s, rwState{Readers: 3, Waiting: true})
	for range 3 {
		if s.TryLock() {
			t.Fatal("TryLock while readers hold it = true, want false")
		}
		s.RUnlock()
	}
	<-writer
	s.Downgrade() // late is the head now
	<-late
	wantRW(t, &s, rwState{Readers: 2})

	s.RUnlock()
	s.RUnlock()
	s.Lock()
	writer = inLine(&s, s.Lock)
	s.Downgrade() // and no other goroutine comes in
	wantRW(t, &s, rwState{Readers: 1, Waiting: true})
	s.RUnlock()
	<-writer
	wantRW(t, &s, rwState{Writer: true})
}

// A writer that gives up takes its intention with it.
func TestRWSemContext(t *testing.T) {
	cause := errors.New("enough")
	wantCause := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, cause) || !strings.HasPrefix(fmt.Sprint(err), "blocking: ") {
			t.Errorf("%s = %v, want the context's cause, wrapped", what, err)
		}
	}
	var s blocking.RWSem
	var err error

	ctx, cancel := context.WithCancelCause(t.Context())
	s.RLock()
	writer := inLine(&s, func() { err = s.LockContext(ctx) })
	a, b := inLine(&s, s.RLock), inLine(&s, s.RLock)
	next := inLine(&s, s.Lock)
	cancel(cause)
	<-writer
	wantCause("LockContext of a context cancelled meanwhile", err)
	<-a
	<-b
	wantRW(t, &s, rwState{Readers: 3, Waiting: true})
	for range 3 {
		s.RUnlock()
	}
	<-next
	wantCause("LockContext of a cancelled context", s.LockContext(ctx))
	wantCause("RLockContext of a cancelled context", s.RLockContext(ctx))

	// The only waiter in line is a reader, which leaves the line empty.
	ctx, cancel = context.WithCancelCause(t.Context())
	reader := inLine(&s, func() { err = s.RLockContext(ctx) })
	cancel(cause)
	<-reader
	wantCause("RLockContext of a context cancelled meanwhile", err)
	wantRW(t, &s, rwState{Writer: true})
	s.Unlock()

	// It also clears the handoff bit.
	ctx, cancel = context.WithCancelCause(t.Context())
	s.Lock()
	writer = inLine(&s, func() { err = s.LockContext(ctx) })
	s.Leave()
	s.Lock() // overtakes it
	wantRW(t, &s, rwState{Writer: true, Waiting: true, Handoff: true})
	cancel(cause)
	<-writer
	wantRW(t, &s, rwState{Writer: true})
	s.Unlock()
	wantRW(t, &s, rwState{})

	// With a context that is done already, even a free lock is not acquired.
	wantCause("LockContext of a cancelled context", s.LockContext(ctx))
	wantCause("RLockContext of a cancelled context", s.RLockContext(ctx))
	wantRW(t, &s, rwState{})
}

// A writer that comes between a release and the releaser's look at the line
// overtakes the line, but only one writer does.
func TestRWSemOvertakenOnce(t *testing.T) {
	var s blocking.RWSem
	s.Lock()
	first := inLine(&s, s.Lock)
	s.Leave()
	if s.TryLock() || s.TryRLock() {
		t.Error("a Try overtook those in line")
	}
	s.Lock()
	wantRW(t, &s, rwState{Writer: true, Waiting: true, Handoff: true})
	s.Look() // too late
	s.Leave()
	second := make(chan bool)
	go func() { s.Lock(); close(second) }() // looks at the line itself, so first is served
	select {
	case <-first:
	case <-second:
		t.Fatal("the first in line was overtaken twice")
	}
	wantRW(t, &s, rwState{Writer: true, Waiting: true})
	s.Unlock()
	<-second
	wantRW(t, &s, rwState{Writer: true})
}

// One goroutine may lock the lock and another unlock it.
func TestRWSemHasNoOwner(t *testing.T) {
	var s blocking.RWSem
	var n int // guarded by s
	for i := range 1000 {
		s.Lock()
		n++
		go s.Unlock()
		s.RLock()
		if n != i+1 {
			t.Fatalf("after %d writes n = %d", i+1, n)
		}
		done := make(chan bool)
		go func() { s.RUnlock(); close(done) }()
		<-done
	}
}

// Whichever waiters give up and when, a writer is alone and no waiter is left in
// line.
func TestRWSemGiveUps(t *testing.T) {
	for _, cpus := range []int{1, 4} {
		t.Run(fmt.Sprintf("cpus=%d", cpus), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cpus))
			rwSemGiveUps(t)
		})
	}
}

func rwSemGiveUps(t *testing.T) {
	var (
		s               blocking.RWSem
		n               int // guarded by s
		writes          primitives.Uint32
		readers, writer primitives.Int64
		wg              sync.WaitGroup
	)
	for worker := range locktest.Workers {
		wg.Go(func() {
			for i := range 500 {
				ctx, cancel := context.WithCancel(t.Context())
				d := time.Duration(1+i%60) * time.Microsecond
				reads, locked := (i+worker)%3 != 0, true
				switch kind := i % 5; {
				case reads && kind == 0:
					s.RLock()
				case reads && kind == 1:
					locked = s.TryRLock()
				case reads && kind == 2:
					locked = s.RLockTimeout(d)
				case reads:
					go cancel()
					locked = s.RLockContext(ctx) == nil
				case kind == 0:
					s.Lock()
				case kind == 1:
					locked = s.TryLock()
				case kind == 2:
					locked = s.LockTimeout(d)
				default:
					go cancel()
					locked = s.LockContext(ctx) == nil
				}
				switch {
				case !locked:
				case reads:
					readers.Add(1)
					if w := writer.Load(); w != 0 {
						t.Errorf("%d writers while a reader holds it", w)
					}
					runtime.Gosched()
					readers.Add(-1)
					s.RUnlock()
				default:
					if w, r := writer.Add(1), readers.Load(); w != 1 || r != 0 {
						t.Errorf("%d writers, %d readers while a writer holds it", w, r)
					}
					n++
					runtime.Gosched()
					writes.Add(1)
					writer.Add(-1)
					if i%2 == 0 {
						s.Downgrade()
						s.RUnlock()
					} else {
						s.Unlock()
					}
				}
				cancel()
			}
		})
	}
	wg.Wait()
	wantRW(t, &s, rwState{})
	if l := s.InLine(); l != 0 {
		t.Errorf("%d still in line", l)
	}
	if got := int(writes.Load()); n != got {
		t.Errorf("after %d writes the counter reads %d", got, n)
	}
}

func TestRWSemString(t *testing.T) {
	for word, want := range map[uint64]string{
		0:                  "unlocked",
		0x1:                "locked by a writer",
		0x3:                "locked by a writer, others wait",
		0x7:                "locked by a writer, others wait, hand-off pending",
		0x100:              "1 reader",
		0x302:              "3 readers, others wait",
		0x203:              "locked by a writer, 2 readers arriving, others wait",
		0xffffffffffffff00: "broken: more readers left than came",
	} {
		if got := blocking.DecodeRWSem(word).String(); got != want {
			t.Errorf("DecodeRWSem(%#x) = %q, want %q", word, got, want)
		}
	}
	var s blocking.RWSem
	s.RLock()
	if got, want := s.String(), "1 reader"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

// An RWSem that notes its owner names the function that acquired it, by any
// method, and works as before.
func TestRWSemNotesOwner(t *testing.T) {
	var s blocking.RWSem
	s.NoteOwner(true)
	last := "" // each acquisition below is on a line of its own
	held := func(how string, ok bool, release func()) {
		t.Helper()
		if !ok {
			t.Fatalf("%s of unlocked RWSem failed", how)
		}
		owner := s.State().Owner
		if !strings.Contains(owner, "TestRWSemNotesOwner") || !strings.Contains(owner, ", rwsem_test.go:") || !strings.Contains(s.String(), owner) || owner == last {
			t.Errorf("after %s the owner is %q, and was %q; String = %q", how, owner, last, s.String())
		}
		last = owner
		if s.TryLock() || s.LockTimeout(time.Microsecond) {
			t.Errorf("after %s a writer got in", how)
		}
		release()
		wantRW(t, &s, rwState{})
	}
	s.Lock()
	held("Lock", true, s.Unlock)
	held("TryLock", s.TryLock(), s.Unlock)
	held("LockTimeout", s.LockTimeout(ages), s.Unlock)
	held("LockContext", s.LockContext(t.Context()) == nil, s.Unlock)
	s.RLock()
	held("RLock", true, s.RUnlock)
	s.RLocker().Lock()
	held("RLocker().Lock", true, s.RUnlock)
	held("TryRLock", s.TryRLock(), s.RUnlock)
	held("RLockTimeout", s.RLockTimeout(ages), s.RUnlock)
	held("RLockContext", s.RLockContext(t.Context()) == nil, s.RUnlock)

	s.Lock()
	reader := inLine(&s, s.RLock)
	s.Unlock()
	<-reader
	if owner := s.State().Owner; !strings.Contains(owner, "inLine") {
		t.Errorf("after a wait the owner is %q, want inLine's goroutine", owner)
	}
	s.RUnlock()
	locktest.Exclusion(t, &s)
	locktest.Panics(t, "Unlock of unlocked RWSem", s.Unlock)
	locktest.Panics(t, "RUnlock of unlocked RWSem", s.RUnlock)

	s.Lock()
	s.NoteOwner(false)
	wantRW(t, &s, rwState{Writer: true})
}

func TestRWSemSize(t *testing.T) {
	if got := unsafe.Sizeof(blocking.RWSem{}); unsafe.Sizeof(uintptr(0)) == 8 && got != 40 {
		t.Errorf("an RWSem has %d bytes, want 40", got)
	}
}

func TestRWSemInlines(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) < 8 {
		t.Skip("a 64-bit word takes calls here")
	}
	locktest.Inlines(t, "(*RWSem).RLock", "(*RWSem).RUnlock", "(*RWSem).Lock", "(*RWSem).TryLock", "(*RWSem).Unlock")
}
