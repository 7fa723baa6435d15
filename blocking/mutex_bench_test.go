package blocking_test

import (
	"context"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/blocking"
)

// BenchmarkLock is Lock and Unlock by one goroutine alone, called directly so that
// they can inline. sync.Mutex is the reference: compare with it only within one
// run.
func BenchmarkLock(b *testing.B) {
	b.Run("lock=sync.Mutex/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l sync.Mutex
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
	b.Run("lock=mutex/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		var l blocking.Mutex
		for b.Loop() {
			l.Lock()
			l.Unlock()
		}
	})
}

// BenchmarkHandover is one park and one handover for each operation, which a
// Completion always needs, because its waiters do not spin.
func BenchmarkHandover(b *testing.B) {
	b.Run("lock=completion", func(b *testing.B) {
		var there, back blocking.Completion
		go func() {
			for range b.N {
				there.Wait()
				back.Complete()
			}
		}()
		for range b.N {
			there.Complete()
			back.Wait()
		}
	})
	b.Run("lock=chan", func(b *testing.B) {
		there, back := make(chan bool), make(chan bool)
		go func() {
			for range b.N {
				<-there
				back <- true
			}
		}()
		for range b.N {
			there <- true
			<-back
		}
	})
}

// BenchmarkContext is a wait that succeeds at once, with a context that could end:
// it shows what the two looks at the context add.
func BenchmarkContext(b *testing.B) {
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	for _, lock := range append(giving(), completing()) {
		b.Run("lock="+lock.name, func(b *testing.B) {
			for b.Loop() {
				lock.wait(ctx)
				lock.leave()
			}
		})
	}
}
