package plots_test

import (
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/plot"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// A row in the table of kinds suffices: its figures are drawn and written with the
// others, what they lack is said, and on the page they answer their question.
func TestNewKind(t *testing.T) {
	const question = "How many summaries are there?"
	drawn := 0
	t.Cleanup(plots.AddKind(question, "number", func(sums []results.Summary, _ plots.Options) ([]*plots.Figure, []plots.Skipped) {
		drawn = len(sums)
		return []*plots.Figure{{Name: "number_of=all", Title: "There are some", Panels: []*plot.Plot{plot.New()}, Width: 300, Body: 100}},
			[]plots.Skipped{{Figure: "number of others", Why: "there are none"}}
	}))
	sums := openSums("0.5", "0.8") // figures of these leave room for another answer
	files, skipped, err := plots.Write(t.TempDir(), sums, plots.Options{Formats: []string{"svg"}})
	if err != nil {
		t.Fatal(err)
	}
	if drawn != len(sums) || !said(skipped, "number of others") {
		t.Errorf("drawn of %d summaries, want %d; skipped %v", drawn, len(sums), skipped)
	}
	if n := slices.IndexFunc(files, func(f plots.File) bool { return strings.HasSuffix(f.Path, "number_of=all.svg") }); n < 0 {
		t.Errorf("files %v, want number_of=all.svg among them", files)
	}
	lead, _ := plots.Lead(files)
	if !slices.ContainsFunc(lead, func(a plots.Answer) bool { return a.Question == question && a.Name == "number_of=all" }) {
		t.Errorf("lead %v, want the answer to %q", lead, question)
	}
}
