package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/check/property"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/wording"
)

// A claim is a property that a lock should have.
type claim struct {
	name  string
	about string
	// hurried says that no worker spins before it gets in line, so a worker that waits
	// is in line.
	hurried bool
	// of returns the body that checks the property and a description of it, or nil if
	// the lock does not claim the property.
	of func(e catalog.Entry, workers, ops int) (body func(*check.Machine), what string)
}

var properties = []claim{
	{"exclusion", "one holder at a time, and every worker makes progress", false, func(e catalog.Entry, workers, ops int) (func(*check.Machine), string) {
		return property.Exclusion(e.New, workers, ops), size(workers, ops, "acquisition")
	}},
	{"trylock", "one holder at a time where the first worker waits and the others try", false, func(e catalog.Entry, workers, ops int) (func(*check.Machine), string) {
		return with(e, func(fresh func() property.Lock) (func(*check.Machine), string) {
			return property.TryLock(fresh, workers, ops), size(workers, ops, "attempt")
		})
	}},
	{"tries", "one of the workers that try to lock a free lock succeeds", false, func(e catalog.Entry, workers, _ int) (func(*check.Machine), string) {
		return with(e, func(fresh func() property.Lock) (func(*check.Machine), string) {
			return property.Tries(fresh, workers), size(workers, 1, "attempt")
		})
	}},
	{"fifo", "waiters are served in the order of arrival", true, func(e catalog.Entry, workers, _ int) (func(*check.Machine), string) {
		if e.Order != catalog.FIFO {
			return nil, ""
		}
		return property.FIFO(e.New, workers-1, 1), fmt.Sprintf("%s and one that comes later", wording.Count(workers-1, "waiter"))
	}},
	{"permits", "never more permits out than there are", false, func(e catalog.Entry, workers, ops int) (func(*check.Machine), string) {
		if e.Counting == nil {
			return nil, ""
		}
		permits := max(workers-1, 1)
		return property.Permits(e.Counting, workers, ops, permits), size(workers, ops, "acquisition") + " of " + wording.Count(permits, "permit")
	}},
	{"readers", "no reader at the same time as a writer", false, func(e catalog.Entry, workers, ops int) (func(*check.Machine), string) {
		return with(e, func(fresh func() property.Readers) (func(*check.Machine), string) {
			return property.ReadersExclude(fresh, workers-1, 1, ops), size(workers, ops, "acquisition") + ", one writes"
		})
	}},
	{"reads", "a reader sees the words as they were at one moment, and never an earlier one", false, func(e catalog.Entry, workers, ops int) (func(*check.Machine), string) {
		return with(e, func(fresh func() property.Sequence) (func(*check.Machine), string) {
			return property.Reads(fresh, workers-1, ops, 1), size(workers-1, ops, "read") + " and one writer"
		})
	}},
	{"meeting", "readers do not wait for each other", false, func(e catalog.Entry, workers, _ int) (func(*check.Machine), string) {
		return with(e, func(fresh func() property.Readers) (func(*check.Machine), string) {
			return property.ReadersMeet(fresh, workers), size(workers, 1, "acquisition")
		})
	}},
}

// with returns what of returns if the lock is an L, or nil.
func with[L any](e catalog.Entry, of func(fresh func() L) (func(*check.Machine), string)) (func(*check.Machine), string) {
	if _, ok := e.New().(L); !ok {
		return nil, ""
	}
	return of(func() L { return e.New().(L) })
}

func size(workers, ops int, what string) string {
	return fmt.Sprintf("%s × %s", wording.Count(workers, "worker"), wording.Count(ops, what))
}

// matching returns the properties whose names match one of the patterns.
func matching(patterns []string) ([]claim, error) {
	var unknown, names []string
	chosen := make([]bool, len(properties))
	for _, pattern := range patterns {
		known := false
		for i, p := range properties {
			if ok, err := path.Match(pattern, p.name); ok && err == nil {
				chosen[i], known = true, true
			}
		}
		if !known {
			unknown = append(unknown, fmt.Sprintf("%q", pattern))
		}
	}
	var all []claim
	for i, p := range properties {
		names = append(names, p.name)
		if chosen[i] {
			all = append(all, p)
		}
	}
	if len(unknown) > 0 {
		return nil, fmt.Errorf("unknown property %s (known: %s)", strings.Join(unknown, ", "), strings.Join(names, ", "))
	}
	return all, nil
}
