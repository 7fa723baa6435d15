package rcu_test

import (
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/rcu"
)

// BenchmarkSection is a read-side critical section that reads a published pointer,
// by direct calls, which the compiler can inline; none is the loop and the load
// alone. Compare within one run only.
func BenchmarkSection(b *testing.B) {
	type object struct{ n int }
	var p rcu.Pointer[object]
	p.Assign(&object{1})
	sum := 0
	b.Run("rcu=none", func(b *testing.B) {
		for b.Loop() {
			sum += p.Dereference().n
		}
	})
	b.Run("rcu=domain", func(b *testing.B) {
		d := rcu.NewDomain(rcu.Config{})
		for b.Loop() {
			s := d.ReadLock()
			sum += p.Dereference().n
			d.ReadUnlock(s)
		}
	})
	b.Run("rcu=domain-fenced", func(b *testing.B) {
		defer rcu.SetFenced(true)()
		d := rcu.NewDomain(rcu.Config{})
		for b.Loop() {
			s := d.ReadLock()
			sum += p.Dereference().n
			d.ReadUnlock(s)
		}
	})
	b.Run("rcu=pinned", func(b *testing.B) {
		d := rcu.NewPinned(rcu.Config{})
		for b.Loop() {
			s := d.ReadLock()
			sum += p.Dereference().n
			d.ReadUnlock(s)
		}
	})
	b.Run("rcu=registered", func(b *testing.B) {
		r := rcu.NewRegistered(rcu.Config{}).Register()
		for b.Loop() {
			r.ReadLock()
			sum += p.Dereference().n
			r.ReadUnlock()
		}
	})
	b.Run("rcu=qsbr", func(b *testing.B) {
		r := rcu.NewQSBR(rcu.Config{}).Register()
		for b.Loop() {
			r.ReadLock()
			sum += p.Dereference().n
			r.ReadUnlock()
		}
	})
	b.Run("rcu=qsbr-quiescent", func(b *testing.B) {
		r := rcu.NewQSBR(rcu.Config{}).Register()
		for b.Loop() {
			sum += p.Dereference().n
			r.Quiescent()
		}
	})
	b.Run("rcu=sync.RWMutex", func(b *testing.B) {
		var l sync.RWMutex
		for b.Loop() {
			l.RLock()
			sum += p.Dereference().n
			l.RUnlock()
		}
	})
	if sum < 0 {
		b.Error(sum)
	}
}

// BenchmarkReaders runs sections on as many CPUs as -cpu says, while an updater runs
// a grace period a thousand times a second.
func BenchmarkReaders(b *testing.B) {
	type object struct{ n int }
	for _, name := range names {
		b.Run("rcu="+name, func(b *testing.B) {
			f := flavours[name](rcu.Config{})
			var p rcu.Pointer[object]
			p.Assign(&object{1})
			defer update(func() {
				p.Replace(&object{1})
				f.Synchronize()
			})()
			b.RunParallel(func(pb *testing.PB) {
				r := reader(f)
				r.Online()
				sum := 0
				section := func() { sum += p.Dereference().n }
				for pb.Next() {
					read(r, section)
				}
				r.Offline()
			})
		})
	}
	b.Run("rcu=sync.RWMutex", func(b *testing.B) {
		var l sync.RWMutex
		var p rcu.Pointer[object]
		p.Assign(&object{1})
		defer update(func() {
			l.Lock()
			p.Replace(&object{1})
			l.Unlock()
		})()
		b.RunParallel(func(pb *testing.PB) {
			sum := 0
			section := func() { sum += p.Dereference().n }
			for pb.Next() {
				l.RLock()
				section()
				l.RUnlock()
			}
		})
	})
}

// update calls f a thousand times a second until the function that it returns
// is called.
func update(f func()) (stop func()) {
	var group sync.WaitGroup
	done := make(chan struct{})
	group.Go(func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				f()
			case <-done:
				return
			}
		}
	})
	return func() {
		close(done)
		group.Wait()
	}
}

// BenchmarkSynchronize is a grace period without readers, and with a reader on
// another CPU that only begins and ends sections.
func BenchmarkSynchronize(b *testing.B) {
	for _, name := range names {
		for _, readers := range []int{0, 1} {
			b.Run("rcu="+name+"/readers="+string(rune('0'+readers)), func(b *testing.B) {
				f := flavours[name](rcu.Config{})
				var stop primitives.Bool
				var group sync.WaitGroup
				for range readers {
					group.Go(func() {
						r := reader(f)
						r.Online()
						for !stop.Load() {
							read(r, func() {})
						}
						r.Offline()
					})
				}
				for b.Loop() {
					f.SynchronizeExpedited()
				}
				stop.Store(true)
				group.Wait()
			})
		}
	}
}

// BenchmarkCall is a callback, from Call to its end.
func BenchmarkCall(b *testing.B) {
	for _, name := range names {
		b.Run("rcu="+name, func(b *testing.B) {
			f := flavours[name](rcu.Config{HighWater: 1 << 30})
			n := 0
			for b.Loop() {
				f.Call(func() { n++ })
			}
			f.Close()
		})
	}
}
