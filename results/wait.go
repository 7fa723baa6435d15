package results

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Wait is a histogram of how long the operations of one role waited to acquire, in
// one sample. The percentiles among the values of a sample are finer; a Wait is the
// whole distribution, which can be added up over samples.
type Wait struct {
	Role   string  // "read" or "write"
	Counts []Count // ascending
}

// A Count says that N operations waited for up to NS nanoseconds, and longer than the
// NS of the Count before.
type Count struct{ NS, N int64 }

// String returns w as written in a file: "write 24:1200 25:3".
func (w Wait) String() string {
	var b strings.Builder
	b.WriteString(w.Role)
	for _, c := range w.Counts {
		fmt.Fprintf(&b, " %d:%d", c.NS, c.N)
	}
	return b.String()
}

// parseWait is the reverse of String.
func parseWait(text string) (w Wait, err error) {
	for i, field := range strings.Fields(text) {
		if i == 0 {
			w.Role = field
			continue
		}
		ns, n, _ := strings.Cut(field, ":")
		var c Count
		if c.NS, err = strconv.ParseInt(ns, 10, 64); err == nil {
			c.N, err = strconv.ParseInt(n, 10, 64)
		}
		if err != nil {
			return Wait{}, fmt.Errorf("want nanoseconds:operations, have %q", field)
		}
		w.Counts = append(w.Counts, c)
	}
	return w, w.Validate()
}

// Validate reports what is wrong with w.
func (w Wait) Validate() error {
	if w.Role != "read" && w.Role != "write" {
		return fmt.Errorf("role %q: want read or write", w.Role)
	}
	if len(w.Counts) == 0 {
		return fmt.Errorf("role %s: no operations", w.Role)
	}
	last, total := int64(0), int64(0)
	for _, c := range w.Counts {
		if c.NS <= last || c.N < 1 || c.N > math.MaxInt32 {
			return fmt.Errorf("role %s: want ascending nanoseconds above 0, and 1 to %d operations, have %d:%d", w.Role, math.MaxInt32, c.NS, c.N)
		}
		last, total = c.NS, total+c.N
	}
	if total > math.MaxInt32 {
		return fmt.Errorf("role %s: %d operations, want at most %d", w.Role, total, math.MaxInt32)
	}
	return nil
}

// A Distribution is how long the operations of one role waited in all samples of
// a cell that were taken at one distance.
type Distribution struct {
	Cell
	Distance       Distance // see [Sample]
	Oversubscribed bool     // see [Sample]
	Wait
}

// Distributions adds up the waits of samples. They are ordered by scenario, lock,
// distance and role.
func Distributions(samples []Sample) []Distribution {
	type key struct {
		Cell
		distance       Distance
		oversubscribed bool
		role           string
	}
	sums := make(map[key]map[int64]int64)
	for _, s := range samples {
		for _, w := range s.Waits {
			k := key{s.Cell, s.Distance, s.Oversubscribed, w.Role}
			if sums[k] == nil {
				sums[k] = make(map[int64]int64)
			}
			for _, c := range w.Counts {
				sums[k][c.NS] += c.N
			}
		}
	}
	keys := slices.SortedFunc(maps.Keys(sums), func(a, b key) int {
		return cmp.Or(
			a.Cell.Compare(b.Cell),
			a.distance.compare(b.distance),
			compareBool(a.oversubscribed, b.oversubscribed),
			cmp.Compare(a.role, b.role),
		)
	})
	all := make([]Distribution, len(keys))
	for i, k := range keys {
		d := &all[i]
		d.Cell, d.Distance, d.Oversubscribed, d.Role = k.Cell, k.distance, k.oversubscribed, k.role
		for _, ns := range slices.Sorted(maps.Keys(sums[k])) {
			d.Counts = append(d.Counts, Count{ns, sums[k][ns]})
		}
	}
	return all
}

// Operations returns the number of operations.
func (w Wait) Operations() (n int64) {
	for _, c := range w.Counts {
		n += c.N
	}
	return n
}

// Quantile returns the longest wait among the share p of the operations that waited
// least.
func (w Wait) Quantile(p float64) (ns int64) {
	rank := int64(math.Ceil(p * float64(w.Operations())))
	for _, c := range w.Counts {
		if rank -= c.N; rank <= 0 {
			return c.NS
		}
	}
	return w.Counts[len(w.Counts)-1].NS
}
