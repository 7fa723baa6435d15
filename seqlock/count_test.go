package seqlock_test

import (
	"math"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/seqlock"
)

func TestCount(t *testing.T) {
	for name, first := range map[string]uint64{"from zero": 0, "across wrap": math.MaxUint64 - 5} {
		t.Run(name, func(t *testing.T) {
			var c seqlock.Count
			c.SetSequence(first)
			for range 10 {
				undisturbed, disturbed := c.Begin(), c.Begin()
				if c.Retry(undisturbed) {
					t.Error("Retry of an undisturbed read = true, want false")
				}
				c.BeginWrite()
				if !c.Retry(disturbed) {
					t.Error("Retry within a write = false, want true")
				}
				c.EndWrite()
				if !c.Retry(disturbed) {
					t.Error("Retry after a write = false, want true")
				}
			}
		})
	}
}

// Begin returns only after the write.
func TestBeginWaits(t *testing.T) {
	for name, l := range map[string]interface {
		begin() uint64
		write()
		end()
	}{"Count": &count{}, "Lock": &lock{}} {
		var over primitives.Bool
		var wg sync.WaitGroup
		l.write()
		var looked primitives.Bool
		wg.Go(func() {
			looked.Store(true)
			if seq := l.begin(); seq%2 != 0 || !over.Load() {
				t.Errorf("%s: Begin within a write = %d, want an even number after its end", name, seq)
			}
		})
		locktest.Until(looked.Load)
		for range 100 {
			locktest.Until(func() bool { return true })
		}
		over.Store(true)
		l.end()
		wg.Wait()
	}
}

type count struct{ seqlock.Count }

func (c *count) begin() uint64 { return c.Begin() }
func (c *count) write()        { c.BeginWrite() }
func (c *count) end()          { c.EndWrite() }

type lock struct{ seqlock.Lock }

func (l *lock) begin() uint64 { return l.Begin() }
func (l *lock) write()        { l.Lock.Lock() }
func (l *lock) end()          { l.Unlock() }

func TestCountMisuse(t *testing.T) {
	var c seqlock.Count
	locktest.Panics(t, "EndWrite without BeginWrite", c.EndWrite)
	c.BeginWrite()
	locktest.Panics(t, "BeginWrite within a write", c.BeginWrite)
	c.EndWrite()
	locktest.Panics(t, "a second EndWrite", c.EndWrite)
	if seq := c.Begin(); seq != 2 {
		t.Errorf("sequence after one write and misuse = %d, want 2", seq)
	}
}

// A Value's Load is generic, so it is compiled where it is used. If T takes two
// words it calls no function, unless a writer disturbs it.
func TestLoadInlines(t *testing.T) {
	locktest.WantsIntrinsics(t)
	out, err := exec.Command("go", "build", "-gcflags=-S", "./testdata/inline").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	_, code, compiled := strings.Cut(string(out), "/testdata/inline.Load STEXT")
	code, _, _ = strings.Cut(code, " STEXT ")
	var calls []string
	for _, m := range regexp.MustCompile(`\tCALL\t(\S+)\(SB\)`).FindAllStringSubmatch(code, -1) {
		if !strings.HasPrefix(m[1], "runtime.") {
			calls = append(calls, m[1][strings.LastIndex(m[1], ".")+1:])
		}
	}
	if !compiled || !slices.Equal(calls, []string{"loadSlow"}) {
		t.Errorf("Load of two words calls %v (compiled: %v), want loadSlow alone", calls, compiled)
	}
}

func TestInlines(t *testing.T) {
	locktest.Inlines(t, "(*Count).Begin", "(*Count).Retry", "(*Lock).Begin", "(*Lock).Retry")
}
