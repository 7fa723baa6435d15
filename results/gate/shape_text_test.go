package gate_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
	"github.com/lockbench/lockbench/results/gate"
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

func TestWriteShapes(t *testing.T) {
	rs := shapesOfAllKinds(t)
	var b strings.Builder
	if err := gate.WriteShapesText(&b, rs); err != nil {
		t.Fatal(err)
	}
	golden(t, "shapes.text", b.String())
	b.Reset()
	if err := gate.WriteShapesMarkdown(&b, rs); err != nil {
		t.Fatal(err)
	}
	golden(t, "shapes.md", b.String())

	data, err := json.Marshal(rs)
	if err != nil {
		t.Fatal(err)
	}
	var back []map[string]any
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	for i, r := range back {
		if r["verdict"] != rs[i].Verdict.String() || r["value"] != rs[i].Value || r["demand"] != rs[i].Demand {
			t.Errorf("got %v, want %+v", r, rs[i])
		}
		if infinite := math.IsInf(rs[i].Lo, -1); infinite != (r["lo"] == "-inf") {
			t.Errorf("bound %v is written as %v", rs[i].Lo, r["lo"])
		}
	}
}
