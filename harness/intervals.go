package harness

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lockbench/lockbench/primitives"
)

// An interval map is the address space of a process: mappings that do not overlap, in
// order. Writers map some pages where there is room for them, or unmap what they
// mapped; readers look up a page, as page faults do. Linux has an rw_semaphore for
// this.
//
// A page that a worker has mapped must be found, and be that worker's, until it unmaps
// it. At the end the map must hold all that is mapped, and nothing else.
type intervals struct {
	_      pad
	n      primitives.Cell[int] // how many there are: the first of sorted, up to this number
	_      pad
	sorted []primitives.Cell[mapping]

	each   int // what a worker maps at most
	pages  uint32
	slots  slots
	owners []owner
}

// A mapping is the pages in [start, end).
type mapping struct {
	start, end uint32
	owner      int32
}

func (m mapping) String() string {
	return fmt.Sprintf("pages %d to %d of worker %d", m.start, m.end, m.owner)
}

// An owner knows what it has mapped: the first n of mappings.
type owner struct {
	_        pad
	n        int
	mappings []mapping
	_        pad
}

const (
	longestMapping = 16
	allMappings    = 64 // of all workers, if there are not too many of them
)

func newIntervals(workers int, seed uint64) Data {
	each := max(2, allMappings/workers)
	v := &intervals{
		sorted: apart[primitives.Cell[mapping]](workers * each),
		each:   each,
		// At most a quarter of the pages are mapped, so some gap is long enough.
		pages:  uint32(4 * workers * each * longestMapping),
		slots:  newSlots(workers, seed),
		owners: make([]owner, workers),
	}
	for worker := range v.owners {
		v.owners[worker].mappings = apart[mapping](each)
		for range each / 2 {
			v.mmap(worker)
		}
	}
	return v
}

// Write maps or unmaps.
func (v *intervals) Write(worker int) {
	o := &v.owners[worker]
	if o.n == 0 || o.n < v.each && v.slots[worker].draw(2) == 0 {
		v.mmap(worker)
	} else {
		v.munmap(worker)
	}
}

// mmap maps pages in the first gap that has room, from a random page on.
func (v *intervals) mmap(worker int) {
	o, s, n := &v.owners[worker], &v.slots[worker], v.len()
	length := 1 + uint32(s.draw(longestMapping))
	m := mapping{start: uint32(s.draw(uint64(v.pages - length))), owner: int32(worker)}
	i := v.find(m.start, n)
	for wraps := 0; ; i++ {
		limit := v.pages
		if i < n {
			limit = v.sorted[i].Get().start
		}
		if m.start+length <= limit {
			break
		}
		if i < n {
			m.start = v.sorted[i].Get().end
			continue
		}
		if m.start, i = 0, -1; wraps == 1 {
			v.fail(worker, "maps pages", "a gap", "none")
			return
		}
		wraps++
	}
	if n == len(v.sorted) {
		v.fail(worker, "maps pages", fmt.Sprintf("fewer than %d mappings", n), "that many")
		return
	}
	m.end = m.start + length
	for j := n; j > i; j-- {
		v.sorted[j].Set(v.sorted[j-1].Get())
	}
	v.sorted[i].Set(m)
	v.n.Set(n + 1)
	o.mappings[o.n] = m
	o.n++
}

// munmap unmaps a random mapping of the worker's.
func (v *intervals) munmap(worker int) {
	o, n := &v.owners[worker], v.len()
	k := int(v.slots[worker].draw(uint64(o.n)))
	m := o.mappings[k]
	o.n--
	o.mappings[k] = o.mappings[o.n]
	i := v.find(m.start, n)
	if !v.is(m, i, n) {
		v.fail(worker, "unmaps", m.String(), v.at(i, n))
		return
	}
	for ; i < n-1; i++ {
		v.sorted[i].Set(v.sorted[i+1].Get())
	}
	v.n.Set(n - 1)
}

// Read looks up a page: in half of the cases one that the worker has mapped, otherwise
// any.
func (v *intervals) Read(worker int) {
	o, s, n := &v.owners[worker], &v.slots[worker], v.len()
	if o.n > 0 && s.draw(2) == 0 {
		m := o.mappings[s.draw(uint64(o.n))]
		page := m.start + uint32(s.draw(uint64(m.end-m.start)))
		if i := v.find(page, n); !v.is(m, i, n) {
			v.fail(worker, "looks up a page", m.String(), v.at(i, n))
		}
		return
	}
	page := uint32(s.draw(uint64(v.pages)))
	i := v.find(page, n)
	if i > 0 && v.sorted[i-1].Get().end > page || i < n && v.sorted[i].Get().end <= page {
		v.fail(worker, "looks up a page", "mappings in order", v.at(i, n)+" beside page "+fmt.Sprint(page))
	}
}

// len returns how many mappings there are, or the maximum if the number makes no sense.
func (v *intervals) len() int { return min(max(v.n.Get(), 0), len(v.sorted)) }

// find returns the place of the first mapping, of n, that ends after page.
func (v *intervals) find(page uint32, n int) int {
	low, high := 0, n
	for low < high {
		middle := (low + high) / 2
		if v.sorted[middle].Get().end > page {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// is reports whether m is at place i, of n.
func (v *intervals) is(m mapping, i, n int) bool { return i < n && v.sorted[i].Get() == m }

// at describes what is at place i, of n.
func (v *intervals) at(i, n int) string {
	if i < n {
		return v.sorted[i].Get().String()
	}
	return "nothing"
}

func (v *intervals) fail(worker int, does, want, have string) {
	v.slots[worker].fail(fmt.Sprintf("workload intervals, as worker %d %s", worker, does), want, have)
}

func (v *intervals) Verify() error {
	if _, err := v.slots.verify(); err != nil {
		return err
	}
	var mapped []mapping
	for worker := range v.owners {
		mapped = append(mapped, v.owners[worker].mappings[:v.owners[worker].n]...)
	}
	slices.SortFunc(mapped, func(a, b mapping) int { return cmp.Compare(a.start, b.start) })
	const when = "workload intervals, in the end"
	if n := v.n.Get(); n != len(mapped) {
		return &BrokenError{When: when, Want: fmt.Sprintf("%d mappings", len(mapped)), Have: fmt.Sprint(n)}
	}
	for i, m := range mapped {
		if !v.is(m, i, len(mapped)) {
			return &BrokenError{When: when, Want: m.String(), Have: v.at(i, len(mapped))}
		}
		if i > 0 && m.start < mapped[i-1].end {
			return &BrokenError{When: when, Want: "mappings apart", Have: mapped[i-1].String() + " and " + m.String()}
		}
	}
	return nil
}
