package harness_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/lockbench/lockbench/harness"
)

// A Map is a map that needs no lock.
type Map struct{ m sync.Map }

func (m *Map) Load(key uint64) (item *harness.Item, ok bool) { return itemOf(m.m.Load(key)) }
func (m *Map) Store(key uint64, item *harness.Item) (old *harness.Item, replaced bool) {
	return itemOf(m.m.Swap(key, item))
}
func (m *Map) Delete(key uint64) (old *harness.Item, deleted bool) {
	return itemOf(m.m.LoadAndDelete(key))
}

func itemOf(v any, ok bool) (*harness.Item, bool) {
	item, _ := v.(*harness.Item)
	return item, ok
}

// Sessions are a table in which each worker replaces its own, and looks up the first.
type Sessions struct {
	table harness.Table
	lost  atomic.Bool
}

func NewSessions(workers int, table harness.Table) *Sessions {
	for worker := range workers {
		table.Store(uint64(worker), new(harness.Item))
	}
	return &Sessions{table: table}
}

func (s *Sessions) Write(worker int) {
	if _, replaced := s.table.Store(uint64(worker), new(harness.Item)); !replaced {
		s.lost.Store(true)
	}
}
func (s *Sessions) Update(worker int) (reclaim func()) { s.Write(worker); return nil }
func (s *Sessions) Read(worker int) {
	if _, ok := s.table.Load(0); !ok {
		s.lost.Store(true)
	}
}
func (s *Sessions) Verify() error {
	if s.lost.Load() {
		return errors.New("a session was lost")
	}
	return nil
}

// A map that needs no lock is measured beside those that a lock guards.
func ExampleTable() {
	sample, err := harness.Run(context.Background(), harness.Scenario{
		Subject: harness.Subject{Name: "sync.Map", NewTable: func() harness.Table { return new(Map) }},
		CPUs:    2,
		Workers: 2,
		Reads:   90,
		Workload: harness.Workload{
			Name: "sessions",
			New:  func(workers int, seed uint64) harness.Data { return NewSessions(workers, new(Map)) },
			NewIn: func(workers int, seed uint64, table harness.Table, reclaim harness.Reclaim) harness.TableData {
				return NewSessions(workers, table)
			},
		},
	})
	fmt.Println(sample.Lock, sample.Workload, err)
	// Output: sync.Map sessions <nil>
}
