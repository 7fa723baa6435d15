//go:build virtual

package search

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/check/internal/machine"
	"github.com/lockbench/lockbench/primitives"
)

var programs = flag.Int("programs", 400, "random programs on which reduction is compared with brute force")

// A program is random: it has the operations of each worker, one letter for each:
//
//	r s a c  Load, Store, Add, CompareAndSwap of a word
//	b        StoreRelease of a word
//	w t      Spin.Once and Spin.Try until a word is not 0
//	v        Spin.Once until one of both words is not 0
//	e        Spin.Once until a word is not what b stores there
//	f        Spin.Once until a word is not what b stores there, or the other is not 0
//	q        Spin.Once until a word is not 0, and before each a StoreRelease of the other
//	p o x    Park, ParkTimeout, ParkContext
//	u        Unpark
//	k        cancel the context
//	i        Add to the word of the CPU while pinned; there are two CPUs
//	m        Membarrier
//	n z      Nanotime, Sleep
//	l        After a timer adds to a word, and whether it was stopped in time
type program [][]instruction

type instruction struct {
	op   byte
	word int
	val  uint32
}

func (p program) String() string {
	var b strings.Builder
	for _, w := range p {
		for _, i := range w {
			fmt.Fprintf(&b, "%c%d%d ", i.op, i.word, i.val)
		}
		b.WriteString("| ")
	}
	return b.String()
}

func randomProgram(rng *rand.Rand, alphabets []string) program {
	alphabet := alphabets[rng.IntN(len(alphabets))]
	p := make(program, 2+rng.IntN(2))
	for i := range p {
		n := 1 + rng.IntN(5-len(p))
		for range n {
			op := alphabet[rng.IntN(len(alphabet))]
			if i > 0 && strings.ContainsRune("pox", rune(op)) {
				op = 'u' // only one worker may park
			}
			p[i] = append(p[i], instruction{op, rng.IntN(2), uint32(rng.IntN(2))})
		}
	}
	return p
}

// body returns the program as a body for m that notes in *out what its workers saw.
func (p program) body(m *machine.VM, out *string) func() {
	return func() {
		var words [2]primitives.Uint32
		var parker primitives.Parker
		ctx, cancel := m.WithCancel()
		seen := make([][]uint32, len(p))
		*out = ""
		for i := range words {
			words[i].Load() // first, so that the word has number i on every schedule
		}
		defer func() { *out = fmt.Sprint(seen, words[0].Load(), words[1].Load()) }()
		for i, instructions := range p {
			m.Spawn("", func() {
				see := func(v uint32) { seen[i] = append(seen[i], v) }
				for _, in := range instructions {
					w := &words[in.word]
					var spin primitives.Spin
					switch in.op {
					case 'r':
						see(w.Load())
					case 's':
						w.Store(in.val + 1)
					case 'a':
						see(w.Add(in.val + 1))
					case 'c':
						see(b(w.CompareAndSwap(in.val, in.val+1)))
					case 'b':
						w.StoreRelease(in.val + 1)
					case 'w':
						for w.Load() == 0 {
							spin.Once()
						}
					case 't':
						for w.Load() == 0 && spin.Try() {
						}
						see(w.Load())
					case 'v':
						for words[0].Load() == 0 && words[1].Load() == 0 {
							spin.Once()
						}
					case 'e':
						for w.Load() == in.val+1 {
							spin.Once()
						}
					case 'f':
						for w.Load() == in.val+1 && words[1-in.word].Load() == 0 {
							spin.Once()
						}
					case 'q':
						for w.Load() == 0 {
							words[1-in.word].StoreRelease(in.val + 1)
							spin.Once()
						}
					case 'p':
						parker.Park()
					case 'o':
						see(b(parker.ParkTimeout(time.Second)))
					case 'x':
						see(b(parker.ParkContext(ctx) == nil))
					case 'u':
						parker.Unpark()
					case 'k':
						cancel()
					case 'i':
						at := &words[primitives.Pin()]
						n := at.Load()
						at.StoreRelease(n + 1)
						primitives.Unpin()
					case 'm':
						m.Membarrier()
					case 'n':
						see(uint32(primitives.Nanotime() / int64(time.Second)))
					case 'z':
						primitives.Sleep(time.Second)
					case 'l':
						stop := primitives.After(time.Second, func() { w.Add(2) })
						see(w.Load())
						see(b(stop()))
					}
				}
			})
		}
		m.Join()
	}
}

func b(ok bool) uint32 {
	if ok {
		return 1
	}
	return 0
}

// outcomes returns all outcomes of a body, by one of the plans, and the number of
// executions, or false if there are more than most.
func outcomes(p program, plan func(*machine.VM) Plan, most int) (found map[string]bool, n int, ok bool) {
	found = map[string]bool{}
	n, ok = p.executions(plan, most, func(end machine.Outcome, what string) {
		if end != machine.Abandoned {
			found[what] = true
		}
	})
	return found, n, ok
}

// executions goes through the executions of p by a plan, and tells visit how each
// ended, and what was seen. It returns how many there were, or false if there are
// more than most.
func (p program) executions(plan func(*machine.VM) Plan, most int, visit func(end machine.Outcome, what string)) (n int, ok bool) {
	var out string
	m := machine.New(machine.Limits{Steps: 10_000, Spins: 1, CPUs: 2})
	m.OrderTime()
	body := p.body(m, &out)
	m.Enter()
	defer m.Leave()
	defer m.Close()
	s := plan(m)
	for more := true; more; more = s.Advance() {
		if n++; n > most {
			return n, false
		}
		end := m.Run(s, body)
		if end == machine.Failed {
			out = string(m.Fault.Kind) + out
		}
		visit(end, out)
	}
	return n, true
}

// Reduction finds the same outcomes as brute force.
func TestReductionLosesNothing(t *testing.T) {
	alphabets := []string{"rsac", "rsacb", "rsab", "racwt", "sbwtv", "rapou", "pxukr", "bsvtr", "lra", "xoukab", "cwtvb", "ira", "isbr", "iau", "bmr", "bmrs", "sbmra", "nzr", "noun", "nlza", "rbqs", "qbar", "be", "bes", "bf", "bfa"}
	compared, reduced, brute := 0, 0, 0
	for seed := range *programs {
		p := randomProgram(rand.New(rand.NewPCG(uint64(seed), 1)), alphabets)
		want, nb, ok := outcomes(p, func(*machine.VM) Plan { return NewBounded(1000) }, 30_000)
		if !ok {
			continue
		}
		got, nr, ok := outcomes(p, NewDPOR, 30_000)
		if !ok {
			t.Errorf("program %d, %v: more executions with reduction than the %d without", seed, p, nb)
			continue
		}
		compared, reduced, brute = compared+1, reduced+nr, brute+nb
		if !maps.Equal(got, want) {
			missing := slices.DeleteFunc(slices.Sorted(maps.Keys(want)), func(s string) bool { return got[s] })
			extra := slices.DeleteFunc(slices.Sorted(maps.Keys(got)), func(s string) bool { return want[s] })
			t.Errorf("program %d, %v:\nmissed %q\nmade up %q", seed, p, missing, extra)
		}
	}
	t.Logf("%d programs: %d executions with reduction, %d without", compared, reduced, brute)
}

// Reduction takes exactly one schedule of each class. (A wait for one of several words
// is a step that reads them all, so equivalent schedules can differ there.)
func TestReductionIsOptimal(t *testing.T) {
	alphabets := []string{"rsac", "rb", "rbs", "rbsac", "rab", "rcb", "rbw", "sbwt", "rbv", "sbwtv", "cwtvb", "bmr", "sbmra", "rbqs", "be", "bes", "bew", "bfs"}
	compared, reduced, brute := 0, 0, 0
	for seed := range *programs / 2 {
		p := randomProgram(rand.New(rand.NewPCG(uint64(seed), 2)), alphabets)
		x := &witness{Plan: NewBounded(1000)}
		want := map[string]bool{}
		_, ok := p.executions(func(*machine.VM) Plan { return x }, 30_000, func(end machine.Outcome, _ string) {
			if end != machine.Abandoned {
				want[x.class()] = true
			}
		})
		if !ok {
			continue
		}
		n, got := 0, map[string]bool{}
		x = &witness{}
		_, ok = p.executions(func(m *machine.VM) Plan { x.Plan = NewDPOR(m); return x }, 30_000, func(end machine.Outcome, _ string) {
			if end != machine.Abandoned {
				got[x.class()] = true
				n++
			}
		})
		compared, reduced, brute = compared+1, reduced+n, brute+len(want)
		switch {
		case !ok:
			t.Errorf("program %d, %v: more executions with reduction than without", seed, p)
		case !maps.Equal(got, want):
			t.Errorf("program %d, %v: %d classes with reduction, want the %d that there are", seed, p, len(got), len(want))
		case n > len(want) && !x.several:
			t.Errorf("program %d, %v: %d schedules of %d classes", seed, p, n, len(want))
		}
	}
	t.Logf("%d programs: %d schedules of %d classes", compared, reduced, brute)
}

// A witness goes through the schedules as its plan does, and notes the class of each:
// which write each read sees, in which order the writes of a word come to memory,
// which way each choice goes, and which stores a Membarrier drains. It models the
// store buffers by itself.
type witness struct {
	Plan
	seen   [machine.MaxWorkers]strings.Builder
	writes map[int32][]mark // in memory, by word
	stores [machine.MaxWorkers][]held
	count  [machine.MaxWorkers]int // of writes
	issued [machine.MaxWorkers]int

	several bool // whether a worker waited for one of several words, on any schedule
}

// A mark is a write: the n'th of a worker.
type mark struct{ worker, n int }

// A held is a write that is in a store buffer.
type held struct {
	object int32
	mark
}

func (x *witness) Begin() {
	x.Plan.Begin()
	x.writes = map[int32][]mark{}
	x.seen, x.stores = [machine.MaxWorkers]strings.Builder{}, [machine.MaxWorkers][]held{}
	x.count, x.issued = [machine.MaxWorkers]int{}, [machine.MaxWorkers]int{}
}

func (x *witness) Choose(self machine.Proc, n int) int {
	way := x.Plan.Choose(self, n)
	fmt.Fprintf(&x.seen[self.Worker()], "choice %d ", way)
	return way
}

func (x *witness) Step(p machine.Proc, o *machine.Op) {
	x.Plan.Step(p, o)
	w := p.Worker()
	switch o.Kind {
	case machine.OpLoad, machine.OpModify, machine.OpCompareAndSwap:
		x.reads(w, o.Object)
	case machine.OpWait:
		x.several = true
	case machine.OpFlush:
		x.writes[o.Object] = append(x.writes[o.Object], x.stores[w][0].mark)
		x.stores[w] = x.stores[w][1:]
		return
	case machine.OpMembarrier:
		fmt.Fprint(&x.seen[w], "barrier ", x.issued, " ")
	}
	if o.Write && o.Kind != machine.OpIssue {
		x.count[w]++
		x.writes[o.Object] = append(x.writes[o.Object], mark{w, x.count[w]})
	}
}

func (x *witness) Issue(p machine.Proc, object int32) {
	x.Plan.Issue(p, object)
	w := p.Worker()
	x.count[w]++
	x.issued[w]++
	x.stores[w] = append(x.stores[w], held{object, mark{w, x.count[w]}})
}

// reads notes which write of an object w sees.
func (x *witness) reads(w int, object int32) {
	from := mark{-1, 0}
	if all := x.writes[object]; len(all) > 0 {
		from = all[len(all)-1]
	}
	for _, s := range x.stores[w] {
		if s.object == object {
			from = s.mark
		}
	}
	fmt.Fprintf(&x.seen[w], "%d:%d.%d ", object, from.worker, from.n)
}

func (x *witness) class() string {
	var s strings.Builder
	for i := range x.seen {
		fmt.Fprint(&s, x.seen[i].String(), "| ")
	}
	fmt.Fprint(&s, x.writes)
	return s.String()
}
