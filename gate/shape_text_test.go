package gate_test

import (
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// shapesOfAllKinds returns results of all kinds and verdicts.
func shapesOfAllKinds(t *testing.T) []gate.ShapeResult {
	m := newSweep(1).scaling("mcs", 12, []int{1, 2, 4, 8, 16}, 0.03, 0.0003, 0.01)
	m.scaling("ticket", 12, []int{1, 2, 4, 8, 16}, 0.3, 0.02, 0.01)
	m.crossing(12, 70, []int{0, 50, 90, 100}, 0.02)
	for r := range 4 {
		m.add(r+1, results.Cell{Lock: "few", Workers: 2, CPUs: 2}, "jain", 1, results.Near)
	}
	config := strings.Replace(fitShape, "'mcs'", "'^(mcs|ticket)$'", 1) + crossShape("60", "80") + "name = 'a | b'\n" +
		"[[shape]]\nkind = 'floor'\nlock = 'few'\nunit = 'jain'\nmin = 0.9\n"
	return shapes(t, config, &m.file, nil)
}

// Each format is one document, with the shapes in it.
func TestWriteShapes(t *testing.T) {
	r := plain()
	r.Shapes = shapesOfAllKinds(t)
	golden(t, "shapes.text", text(t, r, gate.TextOptions{}))
	golden(t, "shapes.md", markdown(t, r, gate.MarkdownOptions{}))
	golden(t, "shapes.github", github(t, r, gate.GitHubOptions{}))
	golden(t, "shapes.xml", junit(t, r, gate.JUnitOptions{}))

	back, err := gate.ReadJSON(strings.NewReader(inJSON(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	if len(back.Shapes) != len(r.Shapes) {
		t.Fatalf("JSON has %d shapes, want %d", len(back.Shapes), len(r.Shapes))
	}
	for i, got := range back.Shapes {
		want := r.Shapes[i]
		if got.Verdict != want.Verdict || got.Value != want.Value || got.Lo != want.Lo || got.Demand != want.Demand {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
	if r.Outcome() != gate.Regressed || back.Outcome() != gate.Regressed {
		t.Errorf("outcome %v, and %v after JSON, want what the worst shape says", r.Outcome(), back.Outcome())
	}
}

func TestShapesMarkdownLimit(t *testing.T) {
	r := plain()
	one := shapesOfAllKinds(t)[0]
	for range 1000 {
		r.Shapes = append(r.Shapes, one)
	}
	s := markdown(t, r, gate.MarkdownOptions{Limit: 10_000})
	if len(s) > 10_000 || !strings.Contains(s, "more: not shown") {
		t.Errorf("%d bytes, want at most 10000 that say how much is not shown", len(s))
	}
}
