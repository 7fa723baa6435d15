package plots_test

import (
	"testing"

	"github.com/lockbench/lockbench/plots"
)

// With 25 locks, no two look alike, as lines or as glyphs; lines are visible on white,
// and names are legible.
func TestLooksDiffer(t *testing.T) {
	seen := make(map[string]int)
	for i, l := range plots.Looks(25) {
		for _, key := range []string{"line " + l.Key, "glyph " + l.Glyph} {
			if j, dup := seen[key]; dup {
				t.Errorf("locks %d and %d look alike: %s", j, i, key)
			}
			seen[key] = i
		}
		if l.Hue < 1.7 {
			t.Errorf("contrast of line %d to white = %.2f, want 1.7", i, l.Hue)
		}
		if l.Text < 4.5 {
			t.Errorf("contrast of name %d to white = %.2f, want 4.5", i, l.Text)
		}
	}
}
