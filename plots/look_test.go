package plots_test

import (
	"os"
	"slices"
	"testing"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

func TestLook(t *testing.T) {
	dir := os.Getenv("LOOK")
	if dir == "" {
		t.Skip()
	}
	p, s, err := plots.Write(dir+"/small", small(), plots.Options{Facts: facts})
	t.Log(len(p), s, err)
	p, s, err = plots.Write(dir+"/big", big(), plots.Options{Facts: bigFacts})
	t.Log(len(p), s, err)

	pick := func(sums []results.Summary, keep func(results.Summary) bool) []results.Summary {
		return slices.DeleteFunc(slices.Clone(sums), func(s results.Summary) bool { return !keep(s) })
	}
	write := func(name string, sums []results.Summary, f results.Facts) {
		o := plots.Options{Facts: f, Formats: []string{"png"}}
		p, s, err := plots.Write(dir+"/"+name, sums, o)
		t.Log(name, len(p), s, err)
	}
	all := samples(3, 2, 4, []int{1, 2, 4}, []int{1}, []int{0}, []results.Distance{results.Near}, false)
	write("over", results.Summarize(all), facts)
	write("one", pick(small(), func(s results.Summary) bool { return s.CPUs == 2 && s.Reads == 0 && s.Distance == results.Near }), facts)
	write("three", pick(small(), func(s results.Summary) bool {
		return slices.Contains([]string{"sync.Mutex", "qspinlock", "mcs"}, s.Lock) && (s.Reads == 0 || s.Reads == 90)
	}), facts)
	write("five", pick(big(), func(s results.Summary) bool {
		return slices.Contains([]string{"sync.Mutex", "qspinlock", "mcs", "ttas", "ticket"}, s.Lock)
	}), bigFacts)
	write("alone", pick(big(), func(s results.Summary) bool { return s.Lock == "qspinlock" }), bigFacts)
}
