//go:build virtual

package rwlock_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rwlock"
)

// models are the locks as most models need them: small. Distributed and Biased
// know from the start how many CPUs there are, one for each worker.
var models = []struct {
	name  string
	fresh func() rwlock.Lock
}{
	{"ReaderPref", func() rwlock.Lock { return new(rwlock.ReaderPref) }},
	{"Queued", func() rwlock.Lock { return new(rwlock.Queued) }},
	{"PhaseFair", func() rwlock.Lock { return new(rwlock.PhaseFair) }},
	{"Distributed", func() rwlock.Lock { return new(rwlock.Distributed).Met(4) }},
	{"Biased", func() rwlock.Lock { return rwlock.NewBiased(new(rwlock.ReaderPref)).Met(4) }},
	{"Unbiased", func() rwlock.Lock { return rwlock.NewUnbiased(new(rwlock.ReaderPref)) }},
}

func until(cond func() bool) {
	var spin primitives.Spin
	for !cond() {
		spin.Once()
	}
}

// Readers are inside together, on every schedule.
func TestModelReadersMeet(t *testing.T) {
	for _, l := range models {
		property.Every(t, l.name, property.ReadersMeet(func() property.Readers { return l.fresh() }, 3))
		property.Every(t, l.name+"/pinned", property.ReadersMeet(func() property.Readers { return locktest.PinnedReaders(l.fresh()) }, 3))
	}
}

// One worker calls Lock, one TryLock and one TryRLock: the tries exclude the
// workers that they must exclude, do not wait, and leave nothing behind.
func TestModelTries(t *testing.T) {
	for _, l := range models {
		for _, c := range []struct {
			form  string
			waits func(rwlock.Lock, *primitives.Cell[int])
		}{
			{"reader", func(l rwlock.Lock, n *primitives.Cell[int]) { l.RLock(); n.Get(); l.RUnlock() }},
			{"writer", func(l rwlock.Lock, n *primitives.Cell[int]) { l.Lock(); n.Set(n.Get() + 1); l.Unlock() }},
		} {
			property.Every(t, l.name+"/"+c.form, func(m *check.Machine) {
				l := l.fresh()
				var n primitives.Cell[int] // guarded by l
				m.GoNamed(c.form, func() { c.waits(l, &n) })
				m.GoNamed("trying writer", func() {
					if l.TryLock() {
						n.Set(n.Get() + 1)
						l.Unlock()
					}
				})
				m.GoNamed("trying reader", func() {
					if l.TryRLock() {
						n.Get()
						l.RUnlock()
					}
				})
				m.Wait()
				wantFree(m, l)
			})
		}
		// A worker that got in stays in. All return nevertheless, and not all get in.
		property.Every(t, l.name+"/stay", func(m *check.Machine) {
			l := l.fresh()
			var n primitives.Cell[int] // guarded by l
			wrote, read := make([]bool, 2), false
			for i := range wrote {
				m.GoNamed("writer", func() {
					if wrote[i] = l.TryLock(); wrote[i] {
						n.Set(n.Get() + 1)
					}
				})
			}
			m.GoNamed("reader", func() {
				if read = l.TryRLock(); read {
					n.Get()
				}
			})
			m.Wait()
			switch {
			case wrote[0] && wrote[1] || read && (wrote[0] || wrote[1]):
				m.Failf("all of them got in: writers %v, reader %v", wrote, read)
			case read:
				l.RUnlock()
			case wrote[0] || wrote[1]:
				l.Unlock()
			}
			wantFree(m, l)
		})
	}
}

// wantFree fails the execution unless l, which no other worker uses any more, can
// be locked as if new.
func wantFree(m *check.Machine, l rwlock.Lock) {
	if !l.TryRLock() {
		m.Failf("TryRLock of a free lock = false: %v", l)
	}
	if l.TryLock() {
		m.Failf("TryLock while a reader holds it = true: %v", l)
	}
	l.RUnlock()
	if !l.TryLockPinned() {
		m.Failf("TryLockPinned of a free lock = false: %v", l)
	}
	if l.TryRLockPinned() {
		m.Failf("TryRLockPinned while a writer holds it = true: %v", l)
	}
	l.UnlockPinned()
}

// A waiting writer turns away readers that come later, and is next.
func TestModelWriterIsNext(t *testing.T) {
	for _, l := range models {
		if l.name == "ReaderPref" || l.name == "Unbiased" {
			continue // its writers may starve
		}
		property.Every(t, l.name, func(m *check.Machine) {
			l := l.fresh()
			var written primitives.Cell[bool] // guarded by l
			l.RLock()
			m.GoNamed("writer", func() { l.Lock(); written.Set(true); l.Unlock() })
			until(func() bool { return strings.Contains(l.String(), "1 reader, a writer waits") })
			m.GoNamed("later reader", func() {
				l.RLock()
				if !written.Get() {
					m.Failf("a reader was quicker than the writer that it found in line")
				}
				l.RUnlock()
			})
			l.RUnlock()
		})
	}
}

// A reader of a ReaderPref waits only for a writer that is inside.
func TestModelReaderPrefNests(t *testing.T) {
	property.Every(t, "ReaderPref", func(m *check.Machine) {
		var l rwlock.ReaderPref
		for range 2 {
			m.GoNamed("reader", func() { l.RLock(); l.RLock(); l.RUnlock(); l.RUnlock() })
		}
		m.GoNamed("writer", func() { l.Lock(); l.Unlock() })
	})
}

// Two writers, one inside and one in line, and then a reader: PhaseFair lets it
// in between them, and Queued serves in the order of arrival.
func TestModelPhases(t *testing.T) {
	order := func(m *check.Machine, l rwlock.Lock, waiting func(writers, readers int) bool) []string {
		var got primitives.Cell[[]string] // guarded by l, or the only reader's
		note := func(who string) { got.Set(append(got.Get(), who)) }
		l.Lock()
		m.GoNamed("writer", func() { l.Lock(); note("writer"); l.Unlock() })
		until(func() bool { return waiting(1, 0) })
		m.GoNamed("reader", func() { l.RLock(); note("reader"); l.RUnlock() })
		until(func() bool { return waiting(1, 1) })
		l.Unlock()
		m.Wait()
		return got.Get()
	}
	property.Every(t, "PhaseFair", func(m *check.Machine) {
		var l rwlock.PhaseFair
		got := order(m, &l, func(w, r int) bool { return l.WritersInLine() == w && l.ReadersInLine() == r })
		if want := []string{"reader", "writer"}; !slices.Equal(got, want) {
			m.Failf("order %v, want %v", got, want)
		}
	})
	property.Every(t, "Queued", func(m *check.Machine) {
		var l rwlock.Queued
		got := order(m, &l, func(w, r int) bool { return l.InLine() == w+r })
		if want := []string{"writer", "reader"}; !slices.Equal(got, want) {
			m.Failf("order %v, want %v", got, want)
		}
	})
}

// A reader of a PhaseFair that misses the moment between two writers does not wait
// for the second.
func TestModelPhaseFairReaderWaitsForOneWriter(t *testing.T) {
	property.Every(t, "PhaseFair", func(m *check.Machine) {
		var l rwlock.PhaseFair
		var inside primitives.Bool
		l.Lock()
		m.GoNamed("reader", func() { l.RLock(); inside.Store(true); l.RUnlock() })
		until(func() bool { return l.ReadersInLine() == 1 })
		m.GoNamed("second writer", func() {
			l.Lock()
			until(inside.Load) // deadlocks if the reader waits for it
			l.Unlock()
		})
		l.Unlock()
	})
}

// It does not wait for the second either if a TryLock failed in between.
func TestModelPhaseFairTryDoesNotCount(t *testing.T) {
	property.Every(t, "PhaseFair", func(m *check.Machine) {
		var l rwlock.PhaseFair
		l.Lock()
		m.GoNamed("reader", func() { l.RLock(); l.RUnlock() })
		until(func() bool { return l.ReadersInLine() == 1 })
		l.Unlock()
		if l.TryLockLate() {
			l.Unlock()
		}
		l.Lock()
		l.Unlock()
	})
}

// A Biased loses its bias with a write and gets it back when the timer ends.
func TestModelBias(t *testing.T) {
	read := func(l *rwlock.Biased, n *primitives.Cell[int]) { l.RLock(); n.Get(); l.RUnlock() }
	write := func(l *rwlock.Biased, n *primitives.Cell[int], credit int) {
		l.Lock()
		n.Set(n.Get() + 1)
		l.SetCredit(credit)
		l.Unlock()
	}
	biased := func() *rwlock.Biased { return rwlock.NewBiased(new(rwlock.ReaderPref)).Met(4) }
	unbiased := func() *rwlock.Biased { return rwlock.NewUnbiased(new(rwlock.ReaderPref)).Met(4) }

	// The writer ends the bias, and a timer begins to run.
	property.Every(t, "lose", func(m *check.Machine) {
		l := biased()
		var n primitives.Cell[int] // guarded by l
		m.GoNamed("reader", func() { read(l, &n) })
		m.GoNamed("writer", func() { write(l, &n, 0) })
		m.Wait()
		read(l, &n)
		write(l, &n, 1)
	})
	// The inhibition ends while others come and go.
	property.Every(t, "gain", func(m *check.Machine) {
		l := unbiased()
		var n primitives.Cell[int] // guarded by l
		m.GoNamed("reader", func() { read(l, &n) })
		m.GoNamed("writer", func() { write(l, &n, 1) })
		m.GoNamed("timer", func() { l.TimeOut() })
		m.Wait()
		read(l, &n)
		write(l, &n, 1)
	})
	property.Every(t, "due", func(m *check.Machine) {
		l := unbiased()
		var n primitives.Cell[int] // guarded by l
		m.GoNamed("writer", func() { write(l, &n, 1) })
		m.GoNamed("timer", func() { l.TimeOut() })
		m.Wait()
		write(l, &n, 1)
		if !l.Biased() {
			m.Failf("after the inhibition and a write the lock is not biased")
		}
	})
}

// At the limit of readers, a reader that does not fit panics without waiting and
// changes nothing; a reader that leaves meanwhile does not panic; and no writer
// gets in.
func TestModelFull(t *testing.T) {
	for _, c := range []struct {
		name string
		full func() rwlock.Lock
	}{
		{"ReaderPref", func() rwlock.Lock { return rwlock.NewReaderPrefAt(rwlock.MaxReaders) }},
		{"Queued", func() rwlock.Lock { return rwlock.NewQueuedAt(rwlock.MaxReaders) }},
	} {
		fits := func(arrive func()) (fits bool) {
			defer func() {
				switch v := recover(); v {
				case nil:
					fits = true
				case "rwlock: RLock of a lock with 4194303 readers":
				default:
					panic(v)
				}
			}()
			arrive()
			return
		}
		property.Every(t, c.name, func(m *check.Machine) {
			l := c.full()
			var came primitives.Uint32
			m.GoAlike(2, func() {
				if fits(l.RLock) {
					came.Add(1)
				}
			})
			m.GoNamed("leaving reader", l.RUnlock)
			m.GoNamed("writer", func() {
				if l.TryLock() {
					m.Failf("TryLock while %d readers hold it = true", rwlock.MaxReaders-1)
				}
			})
			m.Wait()
			n := came.Load()
			if got, want := l.String(), fmt.Sprintf("%d readers", rwlock.MaxReaders-1+n); got != want || n > 1 {
				m.Failf("%d readers came beside one that left, and there are %s; want one at most, and %s", n, got, want)
			}
		})
	}
}

// If a reader leaves and another goroutine that has no read section does, too, one of
// the two panics, and no reader stays counted or is lost.
func TestModelRUnlockTooMany(t *testing.T) {
	for _, l := range models[:2] { // the others notice it later, or not if both leave at once
		property.Every(t, l.name, func(m *check.Machine) {
			l := l.fresh()
			var panics primitives.Uint32
			leave := func() {
				defer func() {
					switch v := recover(); v {
					case nil:
					case "rwlock: RUnlock of unlocked lock":
						panics.Add(1)
					default:
						panic(v)
					}
				}()
				l.RUnlock()
			}
			m.GoNamed("reader", func() { l.RLock(); leave() })
			m.GoNamed("mistaken", leave)
			m.Wait()
			if n := panics.Load(); n != 1 || l.String() != "unlocked" {
				m.Failf("%d panics for one RUnlock too many, and the lock is %v; want one, and unlocked", n, l)
			}
		})
	}
}

// A reader that was turned away counts itself out before another can run on its
// CPU: otherwise the departure of one of them could be lost.
func TestModelTurnedAwayOnOneCPU(t *testing.T) {
	check.Explore(t, check.Config{CPUs: 1}, func(m *check.Machine) {
		l := new(rwlock.Distributed).Met(2)
		for range 2 {
			m.GoNamed("reader", func() {
				if l.TryRLock() {
					l.RUnlock()
				}
			})
		}
		m.GoNamed("writer", func() {
			if l.TryLock() {
				l.Unlock()
			}
		})
		m.Wait()
		wantFree(m, l)
	})
}

// A lock that counts by CPU and has not met a worker's CPU yet notes it in time.
func TestModelNewCPUs(t *testing.T) {
	distributed := func() *rwlock.Distributed { return new(rwlock.Distributed) }
	biased := func() *rwlock.Biased { return rwlock.NewBiased(new(rwlock.ReaderPref)) }
	for _, c := range []struct {
		name    string
		readers int
		fresh   func() property.Readers
	}{
		{"Distributed", 1, func() property.Readers { return distributed() }},
		{"Distributed", 2, func() property.Readers { return distributed().Met(2) }},
		{"Biased", 1, func() property.Readers { return biased() }},
		{"Biased", 2, func() property.Readers { return biased().Met(2) }},
	} {
		body := property.ReadersExclude(c.fresh, c.readers, 1, 1)
		if name := fmt.Sprintf("%s/readers=%d", c.name, c.readers); c.readers == 1 {
			property.Every(t, name, body)
		} else {
			property.Bounded(t, name, 2, body) // all would be 7 million, and more than 4 for Biased
		}
	}
}

// Readers that share CPUs count on the same tallies, and leave on another CPU than
// the one where they came.
func TestModelSharedCPUs(t *testing.T) {
	for _, l := range models {
		if l.name != "Distributed" && l.name != "Biased" {
			continue // it does not count by CPU
		}
		t.Run(l.name, func(t *testing.T) {
			check.Explore(t, check.Config{CPUs: 2}, func(m *check.Machine) {
				l := l.fresh()
				m.GoAlike(3, func() { l.RLock(); l.RUnlock() })
				m.Wait()
				if !l.TryLock() {
					m.Failf("TryLock after all readers have left = false: %v", l)
				}
			})
		})
	}
}

func TestModelReadersExclude(t *testing.T) {
	for _, l := range models {
		plain := func() property.Readers { return l.fresh() }
		pinned := func() property.Readers { return locktest.PinnedReaders(l.fresh()) }
		for _, size := range []struct{ readers, writers, ops int }{{1, 1, 2}, {0, 2, 2}, {2, 1, 1}, {1, 2, 1}, {0, 3, 1}} {
			name := fmt.Sprintf("/readers=%d/writers=%d/ops=%d", size.readers, size.writers, size.ops)
			search := property.Every
			switch {
			case size.readers == 0:
			case l.name == "Distributed" && size.writers == 1: // has millions of schedules
				search = few
			case testing.Short() && (l.name == "Distributed" || l.name == "Biased" && size.writers == 1): // hundreds of thousands
				search = few
			}
			search(t, l.name+name, property.ReadersExclude(plain, size.readers, size.writers, size.ops))
			search(t, l.name+"/pinned"+name, property.ReadersExclude(pinned, size.readers, size.writers, size.ops))
		}
		// Finds one that is not pinned until its release, or is pinned after it got in line.
		property.Explore(t, l.name+"/pinned/1 CPU", check.Config{CPUs: 1}, property.ReadersExclude(pinned, 2, 2, 1))
	}
}

// few is [property.Every] with at most 2 preemptions.
func few(t *testing.T, name string, body func(*check.Machine)) { property.Bounded(t, name, 2, body) }
