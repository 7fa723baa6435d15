package catalog

import (
	"sync"

	"github.com/puzpuzpuz/xsync/v4"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/rcu/hash"
)

// newHash returns the table of a flavour of RCU. Its updaters hold their lock
// already.
func newHash() harness.Table { return hash.New[uint64, *harness.Item](nil) }

// A syncMap is a sync.Map.
type syncMap struct{ sync.Map }

func (m *syncMap) Load(key uint64) (*harness.Item, bool) { return item(m.Map.Load(key)) }

func (m *syncMap) Store(key uint64, fresh *harness.Item) (*harness.Item, bool) {
	return item(m.Swap(key, fresh))
}

func (m *syncMap) Delete(key uint64) (*harness.Item, bool) { return item(m.LoadAndDelete(key)) }

func item(value any, ok bool) (*harness.Item, bool) {
	if !ok {
		return nil, false
	}
	return value.(*harness.Item), true
}

// An xsyncMap is an xsync.Map.
type xsyncMap struct {
	*xsync.Map[uint64, *harness.Item]
}

func newXsyncMap() harness.Table { return xsyncMap{xsync.NewMap[uint64, *harness.Item]()} }

func (m xsyncMap) Store(key uint64, fresh *harness.Item) (*harness.Item, bool) {
	old, replaced := m.LoadAndStore(key, fresh)
	if !replaced {
		return nil, false
	}
	return old, true
}

func (m xsyncMap) Delete(key uint64) (*harness.Item, bool) { return m.LoadAndDelete(key) }
