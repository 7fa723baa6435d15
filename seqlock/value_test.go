package seqlock_test

import (
	"math"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/seqlock"
)

// A store has the methods that Value and Latch have in common.
type store[T any] interface {
	Load() T
	LoadTo(*T)
	Store(T)
	Update(func(T) T) T
	SetSequence(uint64)
}

// A wide is torn if its words differ.
type wide [64]uint64

func wideOf(n uint64) (w wide) {
	for i := range w {
		w[i] = n
	}
	return w
}

// ofPair is torn if p is.
func ofPair(p [2]uint64) wide {
	w := wideOf(p[0])
	w[1] = p[1]
	return w
}

func (w wide) number(t testing.TB) uint64 {
	t.Helper()
	if w != wideOf(w[0]) {
		t.Errorf("torn read: %v", w)
	}
	return w[0]
}

// Readers see whole values. Each value is not older than the last one stored
// before the read began, and not newer than the last one begun before it ended;
// with one writer that is linearizability.
func TestReadsAreWhole(t *testing.T) {
	values := map[string]func() (load func() wide, put func(wide)){
		"Value": func() (func() wide, func(wide)) {
			var v seqlock.Value[wide]
			return v.Load, v.Store
		},
		"ValueImpatient": func() (func() wide, func(wide)) {
			v := seqlock.Value[wide]{Tries: 1}
			return v.Load, v.Store
		},
		"ValuePinned": func() (func() wide, func(wide)) {
			v := seqlock.Value[wide]{Tries: 1}
			return v.Load, v.StorePinned
		},
		"ValueUpdate": func() (func() wide, func(wide)) {
			var v seqlock.Value[wide]
			return v.Load, func(w wide) { v.Update(func(wide) wide { return w }) }
		},
		"ValueUpdatePinned": func() (func() wide, func(wide)) {
			var v seqlock.Value[wide]
			return v.Load, func(w wide) { v.UpdatePinned(func(wide) wide { return w }) }
		},
		"ValueAcrossWrap": func() (func() wide, func(wide)) {
			var v seqlock.Value[wide]
			v.SetSequence(math.MaxUint64 - 999)
			return v.Load, v.Store
		},
		"ValueLoadTo": func() (func() wide, func(wide)) {
			var v seqlock.Value[wide]
			return func() (w wide) { v.LoadTo(&w); return w }, v.Store
		},
		"ValuePair": func() (func() wide, func(wide)) {
			var v seqlock.Value[[2]uint64]
			return func() wide { return ofPair(v.Load()) }, func(w wide) { v.Store([2]uint64{w[0], w[1]}) }
		},
		"ValuePairUpdate": func() (func() wide, func(wide)) {
			v := seqlock.Value[[2]uint64]{Tries: 1}
			return func() wide { return ofPair(v.Load()) }, func(w wide) {
				v.Update(func([2]uint64) [2]uint64 { return [2]uint64{w[0], w[1]} })
			}
		},
		"Latch": func() (func() wide, func(wide)) {
			var l seqlock.Latch[wide]
			return l.Load, l.Store
		},
		"LatchAcrossWrap": func() (func() wide, func(wide)) {
			var l seqlock.Latch[wide]
			l.SetSequence(math.MaxUint64 - 999)
			return l.Load, l.Store
		},
		"LatchUpdate": func() (func() wide, func(wide)) {
			var l seqlock.Latch[wide]
			return l.Load, func(w wide) { l.Update(func(wide) wide { return w }) }
		},
		"Lock.Read": func() (func() wide, func(wide)) {
			var l seqlock.Lock
			var words [len(wide{})]primitives.Uint64
			return func() (w wide) {
					l.Read(func() { w = loadWide(&words) })
					return w
				}, func(w wide) {
					l.Lock()
					storeWide(&words, w)
					l.Unlock()
				}
		},
		"Lock.Begin": func() (func() wide, func(wide)) {
			var l seqlock.Lock
			var words [len(wide{})]primitives.Uint64
			return func() (w wide) {
					for {
						seq := l.Begin()
						w = loadWide(&words)
						if !l.Retry(seq) {
							return w
						}
					}
				}, func(w wide) {
					l.LockPinned()
					storeWide(&words, w)
					l.UnlockPinned()
				}
		},
		"Count": func() (func() wide, func(wide)) {
			var c seqlock.Count
			var words [len(wide{})]primitives.Uint64
			return func() (w wide) {
					for {
						seq := c.Begin()
						w = loadWide(&words)
						if !c.Retry(seq) {
							return w
						}
					}
				}, func(w wide) {
					c.BeginWrite()
					storeWide(&words, w)
					c.EndWrite()
				}
		},
	}
	for name, fresh := range values {
		t.Run(name, func(t *testing.T) {
			load, put := fresh()
			const writes, readers = 2000, 2
			var begun, done primitives.Uint64
			var ready, wg sync.WaitGroup
			ready.Add(readers)
			for range readers {
				wg.Go(func() {
					load()
					ready.Done()
					for done.Load() < writes && !t.Failed() {
						for range 16 {
							least := done.Load()
							got := load().number(t)
							most := begun.Load()
							if got < least || got > most {
								t.Errorf("read %d, want one of [%d, %d]", got, least, most)
							}
						}
					}
				})
			}
			ready.Wait()
			for n := uint64(1); n <= writes; n++ {
				begun.Store(n)
				put(wideOf(n))
				done.Store(n)
				if n%512 == 0 {
					runtime.Gosched()
				}
			}
			wg.Wait()
		})
	}
}

// Here reads take as long as writes, so that they overlap. TestReadsAreWhole often
// passed a Latch whose readers did not look twice.
func TestLongReadsAreWhole(t *testing.T) {
	type long [2048]uint64
	for name, s := range map[string]store[long]{
		"Value":          new(seqlock.Value[long]),
		"ValuePatient":   &seqlock.Value[long]{Tries: -1},
		"ValueImpatient": &seqlock.Value[long]{Tries: 2},
		"Latch":          new(seqlock.Latch[long]),
	} {
		t.Run(name, func(t *testing.T) {
			var begun, reads, met, over primitives.Uint64
			var wg sync.WaitGroup
			wg.Go(func() {
				var got long
				for over.Load() == 0 {
					before := begun.Load()
					s.LoadTo(&got)
					if begun.Load() != before {
						met.Add(1)
					}
					for i := range got {
						if got[i] != got[0] {
							t.Errorf("torn read: word 0 is %d, word %d is %d", got[0], i, got[i])
							reads.Store(math.MaxUint64)
							met.Store(math.MaxUint64)
							return
						}
					}
					reads.Add(1)
				}
			})
			var vals [2]long
			for i := range vals[1] {
				vals[1][i] = 1
			}
			const meetings, atMost = 60, 600 // on one CPU they seldom meet
			for n := uint64(1); met.Load() < meetings && n <= atMost; n++ {
				begun.Store(n)
				s.Store(vals[n%2])
				if n%8 == 0 { // lets a patient reader through
					before := reads.Load()
					locktest.Until(func() bool { return reads.Load() != before || met.Load() >= meetings })
				}
			}
			over.Store(1)
			wg.Wait()
		})
	}
}

func loadWide(words *[len(wide{})]primitives.Uint64) (w wide) {
	for i := range words {
		w[i] = words[i].Load()
	}
	return w
}

func storeWide(words *[len(wide{})]primitives.Uint64, w wide) {
	for i := range words {
		words[i].StoreRelease(w[i])
	}
}

// No update is lost, whichever method made it, and each sees the one before it.
func TestUpdatesAreExclusive(t *testing.T) {
	var v seqlock.Value[wide]
	var l seqlock.Latch[wide]
	next := func(w wide) wide { return wideOf(w[0] + 1) } // also run pinned: it must not call t
	for name, updates := range map[string][]func() wide{
		"Value": {
			func() wide { return v.Update(next) },
			func() wide { return v.UpdatePinned(next) },
		},
		"Latch": {
			func() wide { return l.Update(next) },
		},
	} {
		const each = 2000
		var wg sync.WaitGroup
		seen := make([][]uint64, locktest.Workers)
		for i := range seen {
			update := updates[i%len(updates)]
			wg.Go(func() {
				for n := range each {
					seen[i] = append(seen[i], update().number(t))
					if n%64 == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		wg.Wait()
		all := map[uint64]bool{}
		for _, numbers := range seen {
			for _, n := range numbers {
				all[n] = true
			}
		}
		if want := locktest.Workers * each; len(all) != want || !all[uint64(want)] {
			t.Errorf("%s: %d updates returned %d different values", name, want, len(all))
		}
	}
}

// An f that panics changes nothing, and leaves the guard free.
func TestUpdatePanics(t *testing.T) {
	for name, s := range map[string]store[wide]{"Value": seqlock.NewValue(wideOf(7)), "Latch": seqlock.NewLatch(wideOf(7))} {
		locktest.Panics(t, name+": Update of f that panics", func() {
			s.Update(func(wide) wide { panic("f") })
		})
		if got := s.Load(); got != wideOf(7) {
			t.Errorf("%s: Load after a panic = %v, want what it was", name, got)
		}
		s.Store(wideOf(8))
		if got := s.Load(); got != wideOf(8) {
			t.Errorf("%s: Load after the next Store = %v, want it", name, got)
		}
	}
}

// Readers go on while an Update computes.
func TestUpdateLeavesReadersAlone(t *testing.T) {
	for name, s := range map[string]store[wide]{"Value": seqlock.NewValue(wideOf(1)), "Latch": seqlock.NewLatch(wideOf(1))} {
		s.Update(func(wide) wide {
			if got := s.Load(); got != wideOf(1) { // a reader that waited would never return
				t.Errorf("%s: Load while f runs = %v, want the value before", name, got)
			}
			return wideOf(2)
		})
	}
}

// A reader of two words reads again if a writer wrote, or began to write, between
// its words and its second look.
func TestPairIsReadAgain(t *testing.T) {
	var v seqlock.Value[[2]uint64]
	v.Store([2]uint64{1, 1})
	for _, c := range []struct {
		disturbed string
		by        func()
		want      uint64
	}{
		{"no writer", func() {}, 1},
		{"a Store", func() { v.Store([2]uint64{2, 2}) }, 2},
	} {
		if got := seqlock.LoadAround(&v, c.by); got != [2]uint64{c.want, c.want} {
			t.Errorf("Load disturbed by %s = %v, want %d twice", c.disturbed, got, c.want)
		}
	}
	v.Tries = 1
	rest := v.StoreHalf([2]uint64{3, 3})
	var over primitives.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		if got := v.Load(); got != [2]uint64{3, 3} {
			t.Errorf("Load within a Store = %v, want what it stores", got)
		}
		over.Store(true)
	})
	locktest.Until(func() bool { return v.Sharing() == 1 || over.Load() })
	rest()
	wg.Wait()
}

// A reader that finds a writer writing for too long reads next.
func TestLoadGivesUp(t *testing.T) {
	v := seqlock.NewValue(wideOf(1))
	v.Tries = 2
	var wg sync.WaitGroup
	rest := v.StoreHalf(wideOf(2))
	wg.Go(func() {
		if got := v.Load(); got != wideOf(2) {
			t.Errorf("Load that waited for a Store = %v, want what it stored", got)
		}
	})
	locktest.Until(func() bool { return v.Sharing() == 1 })
	wg.Go(func() { v.Store(wideOf(3)) }) // waits for the reader
	wg.Go(func() { v.StorePinned(wideOf(3)) })
	rest()
	wg.Wait()
	if n := v.Sharing(); n != 0 {
		t.Errorf("%d readers keep writers out after all are done", n)
	}
	if got := v.Load(); got != wideOf(3) {
		t.Errorf("Load = %v, want what was stored last", got)
	}
}

// With negative Tries a reader waits and does not write to the lock.
func TestLoadNeverGivesUp(t *testing.T) {
	v := seqlock.NewValue(wideOf(1))
	v.Tries = -1
	var wg sync.WaitGroup
	var looking primitives.Bool
	rest := v.StoreHalf(wideOf(2))
	wg.Go(func() {
		looking.Store(true)
		if got := v.Load(); got != wideOf(2) {
			t.Errorf("Load that waited for a Store = %v, want what it stored", got)
		}
	})
	locktest.Until(looking.Load)
	for range 1000 {
		runtime.Gosched()
	}
	if n := v.Sharing(); n != 0 {
		t.Errorf("%d readers gave up", n)
	}
	rest()
	wg.Wait()
}

// A writer that has stopped half-way stops no reader of a Latch.
func TestLatchReadersDoNotWait(t *testing.T) {
	l := seqlock.NewLatch(wideOf(0))
	for n := uint64(0); n < 10; n += 2 {
		rest := l.StoreHalf(0, wideOf(n+1))
		if got := l.Load(); got != wideOf(n) {
			t.Errorf("Load while copy 0 is half written = %v, want the value before", got)
		}
		rest()
		rest = l.StoreHalf(1, wideOf(n+2))
		if got := l.Load(); got != wideOf(n+2) {
			t.Errorf("Load while copy 1 is half written = %v, want the new value", got)
		}
		rest()
		if got := l.Load(); got != wideOf(n+2) {
			t.Errorf("Load after Store = %v, want what it stored", got)
		}
	}
}

// Any bytes come back as they were stored, and no neighbouring byte changes.
func TestAnyBytes(t *testing.T) {
	anyBytes[struct{}](t)
	anyBytes[[1]byte](t)
	anyBytes[[3]uint16](t)
	anyBytes[[7]byte](t)
	anyBytes[[3]uint32](t)
	anyBytes[[5]int32](t)
	anyBytes[uint64](t)
	anyBytes[[9]byte](t)
	anyBytes[complex128](t)
	anyBytes[[17]byte](t)
	anyBytes[[40]byte](t)
	anyBytes[[257]byte](t)
	anyBytes[[0]*int](t)
	anyBytes[struct {
		a byte
		b uint64
		c byte
		d uint32
		e [3]byte
	}](t)
	anyBytes[struct {
		a [5]struct {
			x int16
			y byte
		}
		_ uintptr
		f float32
	}](t)
}

func anyBytes[T any](t *testing.T) {
	var zero T
	type fenced[S any] struct {
		before [8]byte // bytes, so that no padding is between them and s
		s      S
		after  [8]byte
	}
	fence := [8]byte{1, 2, 3, 4, 5, 6, 7, 8}
	t.Run(reflect.TypeFor[T]().String(), func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			var v fenced[seqlock.Value[T]]
			var l fenced[seqlock.Latch[T]]
			v.before, v.after, l.before, l.after = fence, fence, fence, fence
			stores := []store[T]{&v.s, &l.s}
			for i := range rapid.IntRange(1, 4).Draw(t, "stores") {
				want := rapid.SliceOfN(rapid.Byte(), int(unsafe.Sizeof(zero)), int(unsafe.Sizeof(zero))).Draw(t, "bytes")
				var val T
				copy(bytesOf(&val), want)
				for _, s := range stores {
					if i%2 == 0 {
						s.Store(val)
					} else {
						got := s.Update(func(T) T { return val })
						same(t, "Update", &got, want)
					}
					got := fenced[T]{before: fence, after: fence}
					s.LoadTo(&got.s)
					same(t, "LoadTo", &got.s, want)
					if got.before != fence || got.after != fence {
						t.Fatalf("LoadTo wrote outside its argument: %v", got)
					}
					got.s = s.Load()
					same(t, "Load", &got.s, want)
				}
				if v.before != fence || v.after != fence || l.before != fence || l.after != fence {
					t.Fatalf("Store wrote outside the value")
				}
			}
		})
	})
}

// same compares all bytes but padding, which a copy of a T need not copy.
func same[T any](t *rapid.T, what string, got *T, want []byte) {
	bytes := bytesOf(got)
	for _, i := range dataBytes(reflect.TypeFor[T](), 0) {
		if bytes[i] != want[i] {
			t.Fatalf("%s = % x, want % x: byte %d differs", what, bytes, want, i)
		}
	}
}

// dataBytes returns which bytes of a t at an offset are not padding.
func dataBytes(t reflect.Type, offset uintptr) (bytes []uintptr) {
	switch t.Kind() {
	case reflect.Struct:
		for f := range t.Fields() {
			if f.Name != "_" {
				bytes = append(bytes, dataBytes(f.Type, offset+f.Offset)...)
			}
		}
	case reflect.Array:
		for i := range uintptr(t.Len()) {
			bytes = append(bytes, dataBytes(t.Elem(), offset+i*t.Elem().Size())...)
		}
	default:
		for i := range t.Size() {
			bytes = append(bytes, offset+i)
		}
	}
	return bytes
}

func bytesOf[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

// A type that cannot be kept as words is refused before anything is stored, with
// the name of its field that contains a pointer.
func TestPointersAreRefused(t *testing.T) {
	refuses[*int](t, "seqlock: *int cannot be kept in atomic words: it is a pointer or contains one")
	refuses[string](t, "seqlock: string cannot be kept in atomic words: it is a pointer or contains one")
	refuses[[]byte](t, "")
	refuses[map[int]int](t, "")
	refuses[chan int](t, "")
	refuses[func()](t, "")
	refuses[any](t, "")
	refuses[unsafe.Pointer](t, "")
	refuses[sync.Locker](t, "")
	refuses[[3]error](t, "seqlock: [3]error cannot be kept in atomic words: [0] (error) is a pointer or contains one")
	refuses[struct {
		n     int
		inner struct{ names [2]string }
	}](t, "seqlock: struct { n int; inner struct { names [2]string } } cannot be kept in atomic words: .inner.names[0] (string) is a pointer or contains one")
}

func refuses[T any](t *testing.T, want string) {
	var zero T
	refused := func(what string, f func()) {
		t.Helper()
		defer func() {
			t.Helper()
			if got, _ := recover().(string); !strings.HasPrefix(got, "seqlock: ") || want != "" && got != want {
				t.Errorf("%s of %v panicked with %q, want %q", what, reflect.TypeFor[T](), got, want)
			}
		}()
		f()
	}
	refused("NewValue", func() { seqlock.NewValue(zero) })
	refused("NewLatch", func() { seqlock.NewLatch(zero) })
	var v seqlock.Value[T]
	refused("StorePinned", func() { v.StorePinned(zero) })
	refused("UpdatePinned", func() { v.UpdatePinned(func(T) T { return zero }) })
	for _, s := range []store[T]{&v, new(seqlock.Latch[T])} {
		for range 2 { // the first refusal changes nothing
			refused("Store", func() { s.Store(zero) })
			refused("Update", func() { s.Update(func(T) T { return zero }) })
			refused("LoadTo", func() { s.LoadTo(&zero) })
		}
	}
}

func TestNoAllocations(t *testing.T) {
	var v seqlock.Value[wide]
	var l seqlock.Latch[wide]
	var lock seqlock.Lock
	var word primitives.Uint64
	var got wide
	var odd seqlock.Value[[5]uint32] // on a 32-bit machine a copy of it ends with half a word
	var half [5]uint32
	allocs := testing.AllocsPerRun(100, func() {
		v.Store(got)
		v.StorePinned(got)
		v.Update(func(w wide) wide { w[0]++; return w })
		got = v.Load()
		v.LoadTo(&got)
		l.Store(got)
		l.Update(func(w wide) wide { w[0]++; return w })
		got = l.Load()
		l.LoadTo(&got)
		var n uint64
		lock.Read(func() { n = word.Load() })
		got[1] += n
		odd.Store(half)
		odd.Update(func(h [5]uint32) [5]uint32 { h[4]++; return h })
		half = odd.Load()
		odd.LoadTo(&half)
	})
	if allocs != 0 {
		t.Errorf("one of each operation allocates %v times, want none", allocs)
	}
}

func TestSizes(t *testing.T) {
	for name, sizes := range map[string][2]uintptr{
		"Count":            {unsafe.Sizeof(seqlock.Count{}), 8},
		"Lock":             {unsafe.Sizeof(seqlock.Lock{}), 16},
		"Value of 1 byte":  {unsafe.Sizeof(seqlock.Value[byte]{}), 16 + 8},
		"Value of 16":      {unsafe.Sizeof(seqlock.Value[[2]uint64]{}), 16 + 16},
		"Value of 17":      {unsafe.Sizeof(seqlock.Value[[17]byte]{}), 16 + 24},
		"Value of 3 int32": {unsafe.Sizeof(seqlock.Value[[3]int32]{}), 16 + 16},
		"Latch of 1 byte":  {unsafe.Sizeof(seqlock.Latch[byte]{}), 16 + 2*8},
		"Latch of 17":      {unsafe.Sizeof(seqlock.Latch[[17]byte]{}), 16 + 2*24},
	} {
		if sizes[0] != sizes[1] {
			t.Errorf("a %s has %d bytes, want %d", name, sizes[0], sizes[1])
		}
	}
}
