package results_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
)

// FuzzRead checks that no text makes Read panic, and that what it accepts
// comes back from a Writer's file the same.
func FuzzRead(f *testing.F) {
	sweep, err := os.ReadFile(filepath.Join("testdata", "sweep.txt"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sweep[:3000])
	f.Add([]byte("distance: far\noversubscribed: true\n# round: 3\n" + line + "oversubscribed:\ndistance:\n" + line))
	f.Add([]byte("BenchmarkSweep/lock=a-2/reads=5/workers=1/hold=1h2m/think=1µs/mode=pinned 7 1e-300 x 1e300 y -0 z 1_0 w\r\n"))
	f.Add([]byte("BenchmarkX/lock=b/reads=0/workers=1/hold=0s/think=0s\nFAIL\nUnit a b\ncpu: \xff\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		first, err := results.ReadAll(bytes.NewReader(in), "in")
		if err != nil {
			return
		}
		// Writing rounds the values, once.
		second := written(t, first.Samples)
		if len(first.Samples) != len(second) {
			t.Fatalf("%d samples came back from %d", len(second), len(first.Samples))
		}
		for i, s := range first.Samples {
			r := second[i]
			if s.Cell != r.Cell || s.Ops != r.Ops || s.Round != r.Round || s.Distance != r.Distance || s.Oversubscribed != r.Oversubscribed || len(s.Values) != len(r.Values) {
				t.Fatalf("%+v came back as %+v", s, r)
			}
			for j, v := range s.Values {
				if w := r.Values[j]; v.Unit != w.Unit || !close(v.Value, w.Value) {
					t.Fatalf("%+v came back as %+v", v, w)
				}
			}
		}
		if third := written(t, second); !reflect.DeepEqual(third, second) {
			t.Fatalf("%+v came back as %+v", second, third)
		}
		// Nothing that can be read makes the statistics panic.
		results.Summarize(second)
		if err := (results.Table{Unit: second[0].Values[0].Unit}).Write(&strings.Builder{}, second); err != nil {
			t.Fatal(err)
		}
	})
}

// close reports whether b is a, to six digits.
func close(a, b float64) bool {
	d, eps := a-b, a*1e-5
	return a == b || d <= max(eps, -eps) && d >= min(eps, -eps)
}
