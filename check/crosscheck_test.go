//go:build virtual

package check

import (
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/sched"
	"github.com/lockbench/lockbench/primitives"
)

var programs = flag.Int("programs", 400, "random programs on which reduction is compared with brute force")

// A program is what each worker does, one letter an operation, made at random:
//
//	r s a c  Load, Store, Add, CompareAndSwap of a word
//	b        StoreRelease of a word
//	w t      Spin.Once and Spin.Try until a word is not 0
//	v        Spin.Once until one of both words is not 0
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

func randomProgram(rng *rand.Rand) program {
	alphabet := []string{"rsac", "rsacb", "rsab", "racwt", "sbwtv", "rapou", "pxukr", "bsvtr", "lra", "xoukab", "cwtvb", "ira", "isbr", "iau", "bmr", "bmrs", "sbmra", "nzr", "noun", "nlza"}[rng.IntN(20)]
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

// body returns the program as a test that notes in *out what was seen.
func (p program) body(out *string) func(m *Machine) {
	return func(m *Machine) {
		var words [2]primitives.Uint32
		var parker primitives.Parker
		ctx, cancel := m.WithCancel()
		seen := make([][]uint32, len(p))
		*out = ""
		defer func() { *out = fmt.Sprint(seen, words[0].Load(), words[1].Load()) }()
		for i, instructions := range p {
			m.Go(func() {
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
		m.Wait()
	}
}

func b(ok bool) uint32 { return uint32(btoi(ok)) }

// outcomes returns everything that can come of a body, by one of the plans, and
// the number of executions, or false if there are more than most.
func outcomes(t *testing.T, p program, plan func(*vm) plan, most int) (found map[string]bool, n int, ok bool) {
	cfg := Config{CPUs: 2}
	if err := cfg.check(); err != nil {
		t.Fatal(err)
	}
	var out string
	m := newVM(cfg)
	m.clocked = true
	x := &explorer{cfg: cfg, body: p.body(&out), vm: m, machine: &Machine{m}}
	sched.Enter(m)
	defer sched.Leave()
	defer m.close()
	found = map[string]bool{}
	s := plan(m)
	for more := true; more; more = s.advance() {
		if n++; n > most {
			return nil, n, false
		}
		switch x.once(s) {
		case complete:
			found[out] = true
		case failed:
			found[string(m.failure.kind)+out] = true
		}
	}
	return found, n, true
}

// What reduction finds is all that brute force finds, and nothing else.
func TestReductionLosesNothing(t *testing.T) {
	compared, reduced, brute := 0, 0, 0
	for seed := range *programs {
		p := randomProgram(rand.New(rand.NewPCG(uint64(seed), 1)))
		want, nb, ok := outcomes(t, p, func(*vm) plan { return &bounded{bound: 1000} }, 30_000)
		if !ok {
			continue
		}
		got, nr, ok := outcomes(t, p, func(m *vm) plan { return &dpor{vm: m} }, 30_000)
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
