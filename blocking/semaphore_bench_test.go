package blocking_test

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"golang.org/x/sync/semaphore"

	"github.com/lockbench/lockbench/blocking"
)

// BenchmarkSemaphore is a semaphore of one permit, taken and given back by one
// goroutine alone and by one for each CPU, with nothing in between. Its
// reference is semaphore.Weighted: compare with it only within one run.
func BenchmarkSemaphore(b *testing.B) {
	ctx := context.Background()
	b.Run("lock=semaphore.Weighted/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		s := semaphore.NewWeighted(1)
		for b.Loop() {
			s.Acquire(ctx, 1)
			s.Release(1)
		}
	})
	b.Run("lock=semaphore/reads=0/workers=1/hold=0s/think=0s", func(b *testing.B) {
		s := blocking.NewSemaphore(1)
		for b.Loop() {
			s.Down()
			s.Up()
		}
	})
	for _, crowd := range []int{1, 32} { // workers for each CPU
		workers := crowd * runtime.GOMAXPROCS(0)
		b.Run(fmt.Sprintf("lock=semaphore.Weighted/reads=0/workers=%d/hold=0s/think=0s", workers), func(b *testing.B) {
			s := semaphore.NewWeighted(1)
			b.SetParallelism(crowd)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					s.Acquire(ctx, 1)
					s.Release(1)
				}
			})
		})
		b.Run(fmt.Sprintf("lock=semaphore/reads=0/workers=%d/hold=0s/think=0s", workers), func(b *testing.B) {
			s := blocking.NewSemaphore(1)
			b.SetParallelism(crowd)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					s.Down()
					s.Up()
				}
			})
		})
	}
}
