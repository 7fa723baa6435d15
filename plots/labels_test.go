package plots_test

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/lockbench/lockbench/plots"
)

func TestSpread(t *testing.T) {
	for _, test := range []struct {
		name               string
		want               []float64
		height, low, above float64
		at                 []float64
	}{
		{"none", nil, 10, 0, 100, []float64{}},
		{"apart", []float64{20, 50, 80}, 10, 0, 100, []float64{20, 50, 80}},
		{"two alike move evenly", []float64{50, 50}, 10, 0, 100, []float64{45, 55}},
		{"order of arguments is kept", []float64{80, 20}, 10, 0, 100, []float64{80, 20}},
		{"pushed up from below", []float64{-30, 0}, 10, 0, 100, []float64{5, 15}},
		{"pushed down from above", []float64{100, 120}, 10, 0, 100, []float64{85, 95}},
		{"a block pushes its neighbour", []float64{50, 50, 58}, 10, 0, 100, []float64{128. / 3, 158. / 3, 188. / 3}},
		{"too many share the room", []float64{1, 2, 3, 4}, 10, 0, 20, []float64{2.5, 7.5, 12.5, 17.5}},
	} {
		at := plots.Spread(test.want, test.height, test.low, test.above)
		if !slices.EqualFunc(at, test.at, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
			t.Errorf("%s: Spread(%v) = %v, want %v", test.name, test.want, at, test.at)
		}
	}
}

// Twenty-five labels with any wanted positions, even outside, are placed inside, in
// order, and without overlap.
func TestSpreadKeepsLabelsApart(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const height, low, high = plots.LabelHeight, 40.0, 40.0 + 25*plots.LabelHeight + 15
		want := rapid.SliceOfN(rapid.Float64Range(0, 500), 25, 25).Draw(t, "want")
		at := plots.Spread(want, height, low, high)

		order := make([]int, len(want))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(want[a], want[b]) })
		for k, i := range order {
			if at[i]-height/2 < low-1e-9 || at[i]+height/2 > high+1e-9 {
				t.Errorf("label %d at %v sticks out of %v to %v", i, at[i], low, high)
			}
			if k > 0 && at[i]-at[order[k-1]] < height-1e-9 {
				t.Errorf("labels %d and %d at %v and %v, want %v apart", order[k-1], i, at[order[k-1]], at[i], height)
			}
		}
	})
}

// No small shift of a label, or of all labels from one on, brings the labels closer to
// their wanted positions.
func TestSpreadMovesLabelsLeast(t *testing.T) {
	cost := func(want, at []float64) (sum float64) {
		for i := range at {
			sum += (at[i] - want[i]) * (at[i] - want[i])
		}
		return sum
	}
	rapid.Check(t, func(t *rapid.T) {
		const height, low, high = 10, 0, 200
		want := rapid.SliceOfN(rapid.Float64Range(0, 200), 2, 12).Draw(t, "want")
		slices.Sort(want)
		at := plots.Spread(want, height, low, high)
		best := cost(want, at)
		for i := range at {
			for j := i; j < len(at); j++ {
				for _, by := range []float64{-.1, .1} {
					moved := slices.Clone(at)
					for k := i; k <= j; k++ {
						moved[k] += by
					}
					legal := moved[0] >= low+height/2 && moved[len(at)-1] <= high-height/2
					for k := 1; k < len(at); k++ {
						legal = legal && moved[k]-moved[k-1] >= height
					}
					if legal && cost(want, moved) < best-1e-9 {
						t.Fatalf("Spread(%v) = %v; moving labels %d to %d by %v is better", want, at, i, j, by)
					}
				}
			}
		}
	})
}
