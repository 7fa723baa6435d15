package primitives_test

import (
	"math"
	"runtime"
	"sync"
	"testing"
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// want checks that each step returned what it should: pairs of got and want.
func want[T comparable](t *testing.T, what string, gotWant ...T) {
	t.Helper()
	for i := 0; i < len(gotWant); i += 2 {
		if got, want := gotWant[i], gotWant[i+1]; got != want {
			t.Errorf("%s, step %d: got %v, want %v", what, i/2, got, want)
		}
	}
}

func TestUint32(t *testing.T) {
	var u primitives.Uint32
	want(t, "Uint32", u.Load(), 0, u.Add(5), 5, u.And(4), 5, u.Load(), 4, u.Or(3), 4, u.Swap(9), 7, u.Add(math.MaxUint32), 8)
	want(t, "CompareAndSwap", u.CompareAndSwap(7, 1), false, u.CompareAndSwap(8, 1), true)
	u.Store(2)
	want(t, "Store", u.Load(), 2)
	u.StoreRelease(3)
	want(t, "StoreRelease", u.Load(), 3)
	u.Store(0xdeadbeef)
	u.ClearLowByteRelease()
	want(t, "ClearLowByteRelease", u.Load(), 0xdeadbe00)
	u.AddOwn(math.MaxUint32)
	want(t, "AddOwn", u.Load(), 0xdeadbdff)
}

func TestUint64(t *testing.T) {
	var u primitives.Uint64
	const high = 1 << 40
	want(t, "Uint64", u.Load(), 0, u.Add(high+5), high+5, u.And(high+4), high+5, u.Or(3), high+4, u.Swap(9), high+7, u.Add(math.MaxUint64), 8)
	want(t, "CompareAndSwap", u.CompareAndSwap(7, 1), false, u.CompareAndSwap(8, high), true)
	u.Store(high + 2)
	want(t, "Store", u.Load(), high+2)
	u.StoreRelease(high + 3)
	want(t, "StoreRelease", u.Load(), high+3)
}

func TestInt64(t *testing.T) {
	var i primitives.Int64
	want(t, "Int64", i.Load(), 0, i.Add(-5), -5, i.And(-4), -5, i.Or(3), -8, i.Swap(9), -5, i.Add(-10), -1)
	want(t, "CompareAndSwap", i.CompareAndSwap(7, 1), false, i.CompareAndSwap(-1, math.MinInt64), true)
	i.Store(2)
	want(t, "Store", i.Load(), 2)
	i.StoreRelease(math.MinInt64)
	want(t, "StoreRelease", i.Load(), math.MinInt64)
}

func TestBool(t *testing.T) {
	var b primitives.Bool
	want(t, "Bool", b.Load(), false, b.Swap(true), false, b.Swap(true), true,
		b.CompareAndSwap(false, true), false, b.CompareAndSwap(true, false), true, b.Load(), false)
	b.Store(true)
	want(t, "Store", b.Load(), true)
	b.StoreRelease(false)
	want(t, "StoreRelease", b.Load(), false)
}

func TestPointer(t *testing.T) {
	var p primitives.Pointer[int]
	a, b := new(int), new(int)
	want(t, "Pointer", p.Load(), nil, p.Swap(a), nil, p.Load(), a)
	want(t, "CompareAndSwap", p.CompareAndSwap(b, nil), false, p.CompareAndSwap(a, b), true)
	p.Store(a)
	want(t, "Store", p.Load(), a)
	p.StoreRelease(b)
	want(t, "StoreRelease", p.Load(), b)
}

func TestCell(t *testing.T) {
	var c primitives.Cell[string]
	want(t, "zero Cell", c.Get(), "")
	c.Set("x")
	want(t, "Set", c.Get(), "x")
}

// Each is as large as what it wraps, and 64-bit words are aligned wherever
// they stand.
func TestSizes(t *testing.T) {
	want(t, "size", unsafe.Sizeof(primitives.Uint32{}), 4, unsafe.Sizeof(primitives.Uint64{}), 8,
		unsafe.Sizeof(primitives.Int64{}), 8, unsafe.Sizeof(primitives.Bool{}), 4,
		unsafe.Sizeof(primitives.Pointer[int]{}), unsafe.Sizeof(uintptr(0)),
		unsafe.Sizeof(primitives.Cell[uint16]{}), 2,
		unsafe.Sizeof(primitives.CacheLine{}), primitives.CacheLineSize)
	type odd struct {
		_ uint32
		w primitives.Uint64
	}
	want(t, "alignment", unsafe.Offsetof(new(odd).w)%8, 0)
}

// A release publishes what was written before it. The data are plain: under the race
// detector the test also checks that the detector sees StoreRelease as a release.
func TestReleasePublishes(t *testing.T) {
	var (
		data [1000]int
		done primitives.Uint32
		wg   sync.WaitGroup
	)
	wg.Go(func() {
		var spin primitives.Spin
		for i := range data {
			for done.Load() <= uint32(i) {
				spin.Once()
			}
			if data[i] != i+1 {
				t.Errorf("data[%d] = %d after its release, want %d", i, data[i], i+1)
			}
		}
	})
	for i := range data {
		data[i] = i + 1
		done.StoreRelease(uint32(i + 1))
	}
	wg.Wait()
}

// A byte store does not disturb goroutines that change the other bytes meanwhile.
func TestClearLowByteKeepsTheRest(t *testing.T) {
	var word primitives.Uint32
	var wide primitives.Uint64
	var wg sync.WaitGroup
	const n = 100_000
	wg.Go(func() {
		for range n {
			word.Add(1 << 8)
			wide.Add(1<<40 + 1<<8)
		}
	})
	for range n {
		word.Or(1)
		word.ClearLowByteRelease()
		wide.Or(1)
		wide.ClearLowByteRelease()
	}
	wg.Wait()
	want(t, "word", word.Load(), n<<8)
	want(t, "wide word", wide.Load(), n<<40+n<<8)
}

// Goroutines that take turns on a CPU lose no addition to that CPU's word.
func TestAddOwn(t *testing.T) {
	type count struct {
		word primitives.Uint32
		wide primitives.Uint64
	}
	const goroutines, additions, wideDelta = 16, 10_000, 1<<40 + 1
	var counts primitives.PerCPU[count]
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for i := range additions {
				cpu := primitives.Pin()
				counts.At(cpu).word.AddOwn(1)
				counts.At(cpu).wide.AddOwn(wideDelta)
				primitives.Unpin()
				if i%100 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	wg.Wait()
	var sum uint32
	var wide uint64
	for cpu := range max(runtime.NumCPU(), runtime.GOMAXPROCS(0)) {
		sum += counts.At(cpu).word.Load()
		wide += counts.At(cpu).wide.Load()
	}
	want(t, "sum", sum, goroutines*additions)
	want(t, "wide sum", wide, goroutines*additions*wideDelta)
}
