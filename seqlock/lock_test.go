package seqlock_test

import (
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/seqlock"
)

func TestLock(t *testing.T) {
	locktest.All(t, func() locktest.Lock { return new(seqlock.Lock) })
}

func TestExclusionAcrossWrap(t *testing.T) {
	var l seqlock.Lock
	l.SetSequence(math.MaxUint64 - 99)
	locktest.Exclusion(t, &l)
	l.SetSequence(math.MaxUint64 - 99)
	locktest.Exclusion(t, locktest.Pinned(&l))
}

// Pinned writers, unpinned writers and readers that keep writers out mix, also on
// one CPU: a writer that waited pinned for an unpinned holder would hang there.
func TestPinnedAndNot(t *testing.T) {
	for _, cpus := range []int{1, 2, 4} {
		t.Run(fmt.Sprintf("cpus=%d", cpus), func(t *testing.T) {
			defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(cpus))
			const goroutines, sections = 48, 30
			l := seqlock.Lock{Tries: 1}
			var n, twin primitives.Uint64 // written under l
			write := func(yield func()) {
				n.Store(n.Load() + 1)
				yield()
				twin.Store(twin.Load() + 1)
			}
			var wg sync.WaitGroup
			for id := range goroutines {
				wg.Go(func() {
					for i := range sections {
						yield := func() {
							if i%4 == 0 {
								runtime.Gosched()
							}
						}
						switch id % 4 {
						case 0:
							l.LockPinned()
							write(func() {})
							l.UnlockPinned()
						case 1:
							locktest.Until(l.TryLockPinned)
							write(func() {})
							l.UnlockPinned()
						case 2:
							l.Lock()
							write(yield)
							l.Unlock()
						default:
							var a, b uint64
							l.Read(func() {
								a = n.Load()
								yield() // so most runs are disturbed, and later ones keep writers out
								b = twin.Load()
							})
							if a != b {
								t.Errorf("read %d and %d", a, b)
							}
						}
					}
				})
			}
			wg.Wait()
			if want := uint64(goroutines * 3 / 4 * sections); n.Load() != want || twin.Load() != want {
				t.Errorf("after %d critical sections the counters read %d and %d", want, n.Load(), twin.Load())
			}
		})
	}
}

// A Read that is always disturbed runs its function as often as Tries says, and
// then once more with writers kept out.
func TestReadGivesUp(t *testing.T) {
	for _, c := range []struct {
		tries int32
		runs  int // 100 stands for: until no writer disturbs it
	}{{0, seqlock.DefaultTries + 1}, {1, 2}, {3, 4}, {-1, 100}} {
		l := seqlock.Lock{Tries: c.tries}
		runs, keptOut := 0, 0
		l.Read(func() {
			runs++
			if runs == 100 {
				return
			}
			if !l.TryLock() {
				keptOut++
				if l.Sharing() != 1 {
					t.Errorf("Tries %d: %d readers keep writers out, want 1", c.tries, l.Sharing())
				}
				if want := "locked by 1 readers"; !strings.HasPrefix(l.String(), want) {
					t.Errorf("String = %q, want %q…", l.String(), want)
				}
				return
			}
			l.Unlock()
		})
		want := 1
		if c.tries < 0 {
			want = 0
		}
		if runs != c.runs || keptOut != want {
			t.Errorf("Tries %d: %d runs, in %d of them writers kept out; want %d and %d", c.tries, runs, keptOut, c.runs, want)
		}
		if !l.TryLock() {
			t.Errorf("Tries %d: TryLock after Read = false, want true", c.tries)
		}
	}
}

// Readers that found a writer writing for too long read next, together, before any
// later writer.
func TestReadersThatGaveUpComeNext(t *testing.T) {
	const readers = 3
	l := seqlock.Lock{Tries: 1}
	var wg sync.WaitGroup
	var inside, written primitives.Uint32
	l.Lock()
	for range readers {
		wg.Go(func() {
			l.Read(func() {
				if written.Load() != 0 {
					t.Error("a writer came first")
				}
				// Writers are kept out, so this is the only run, and all readers meet in it.
				inside.Add(1)
				locktest.Until(func() bool { return inside.Load() == readers })
			})
		})
	}
	locktest.Until(func() bool { return l.Sharing() == readers })
	if got, want := l.String(), "locked by a writer, 3 readers waiting, sequence 1"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
	wg.Go(func() {
		l.Lock()
		written.Store(1)
		l.Unlock()
	})
	wg.Go(func() {
		l.LockPinned()
		written.Store(1)
		l.UnlockPinned()
	})
	runtime.Gosched()
	l.Unlock()
	wg.Wait()
	if got, want := l.String(), "unlocked, sequence 6"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
}

// A panic in f leaves l usable, whether writers are kept out or not.
func TestReadPanics(t *testing.T) {
	l := seqlock.Lock{Tries: 1}
	locktest.Panics(t, "Read of f that panics", func() {
		l.Read(func() { panic("f") })
	})
	locktest.Panics(t, "Read of f that panics in the end", func() {
		l.Read(func() {
			if !l.TryLock() {
				panic("f")
			}
			l.Unlock()
		})
	})
	if !l.TryLock() {
		t.Error("TryLock after a panic = false, want true")
	}
}

// With one reader fewer than fit, one more fits. The next one panics and does not
// change the count: no writer gets in.
func TestMostReaders(t *testing.T) {
	var l seqlock.Lock
	seq := uint64(0)
	read := func(f func()) { // runs f with writers kept out
		tried := 0
		l.Read(func() {
			if tried++; tried > seqlock.DefaultTries {
				f()
				return
			}
			seq += 2
			l.SetSequence(seq) // as a writer would
		})
	}
	l.Share(seqlock.MostReaders - 1)
	ran := false
	read(func() {
		ran = true
		locktest.Panics(t, "Read by one reader too many", func() { read(func() { t.Error("one reader too many reads") }) })
		if got := l.Sharing(); got != seqlock.MostReaders {
			t.Errorf("%d readers keep writers out after the panic, want %d", got, seqlock.MostReaders)
		}
		if l.TryLock() {
			t.Error("TryLock while readers keep writers out = true, want false")
		}
	})
	if !ran {
		t.Error("a Read that just fits did not run its function")
	}
	l.Share(1 - seqlock.MostReaders)
	if !l.TryLock() {
		t.Fatal("TryLock after the last reader = false, want true")
	}
	l.Unlock()
}
