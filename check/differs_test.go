//go:build virtual

package check_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/check"
	"github.com/lockbench/lockbench/primitives"
)

// A body that depends on more than the schedule is misuse: the search could miss
// schedules.
func TestBodyThatDiffers(t *testing.T) {
	runs := 0
	for name, body := range map[string]func(m *check.Machine){
		"order of a map": func(m *check.Machine) {
			var words [8]primitives.Uint32
			order := map[int]bool{0: true, 1: true, 2: true, 3: true, 4: true, 5: true, 6: true, 7: true}
			for i := range words {
				words[i].Load()
			}
			m.GoAlike(2, func() {
				for i := range order {
					words[i].Add(1)
				}
			})
		},
		"randomness": func(m *check.Machine) {
			var a, b primitives.Uint32
			m.GoAlike(2, func() {
				for range 20 {
					if rand.IntN(2) == 0 {
						a.Add(1)
					} else {
						b.Load()
					}
				}
			})
		},
		"random choices": func(m *check.Machine) {
			for range 20 {
				m.Choose(1 + rand.IntN(2))
			}
		},
		"randomly many workers": func(m *check.Machine) {
			for range 1 + rand.IntN(9) {
				m.Go(func() {})
			}
			var word primitives.Uint32
			for range rand.IntN(1000) {
				word.Add(1)
			}
		},
		"a variable that an earlier schedule changed": func(m *check.Machine) {
			var word primitives.Uint32
			for range 3 {
				m.Go(func() {
					if runs++; runs > 5 {
						word.Add(1)
					}
					word.Add(1)
				})
			}
		},
		"a failure that does not come again": func(m *check.Machine) {
			var word primitives.Uint32
			for range 3 {
				m.Go(func() { word.Add(1) })
			}
			m.Wait()
			if runs++; runs == 3 {
				m.Failf("this once")
			}
		},
	} {
		for _, cfg := range []check.Config{{}, {Mode: check.Bounded, Bound: 2}, {Mode: check.Random, Schedules: 20}} {
			runs = 0
			r, err := check.Run(cfg, body)
			if f := r.Failure; err != nil || f == nil || f.Kind != check.Misuse || !strings.Contains(f.Message, "does not do the same") || r.Ended {
				if cfg.Mode == check.Random && strings.HasPrefix(name, "a ") {
					continue // each of its schedules is another
				}
				t.Errorf("%s, %v: %v %v %v; want a misuse", name, cfg.Mode, err, r, f)
			}
		}
	}
}
