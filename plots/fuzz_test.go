package plots_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// Whatever can be read makes figures that are SVG, in files of different names.
func FuzzFigures(f *testing.F) {
	for _, text := range []string{
		"BenchmarkLock/lock=a/reads=0/workers=2/hold=0s/think=0s-2 1 60 ns/op 1 jain\nBenchmarkLock/lock=b/reads=0/workers=4/hold=0s/think=0s-4 1 1e300 ns/op\n",
		"machine: sim:milan-2s\nBenchmarkLock/lock=ticket/reads=0/workers=64/hold=0s/think=100ns-64 100 900 ns/op 9 write-p99-ns\n",
		"BenchmarkLock/lock=a/reads=0/workers=4/readers=3/writers=1/hold=0s/think=0s-2 1 60 ns/op 0 write-ops/s 1e-9 read-ops/s\n",
		"BenchmarkLock/lock=a/reads=0/workers=1/hold=0s/think=0s-1 1 0 ns/op\n",
		"BenchmarkLock/lock=a/reads=0/workers=2/hold=0s/think=0s/rate=100-2 1 60 ns/op 5 write-p50-ns 9 write-p99-ns 1 saturated\n",
	} {
		f.Add([]byte(text))
	}
	if sweep, err := os.ReadFile("../results/testdata/sweep.txt"); err == nil {
		f.Add(sweep[:bytes.LastIndexByte(sweep[:min(len(sweep), 6000)], '\n')+1])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := results.ReadAll(bytes.NewReader(data), "x.txt")
		if err != nil || len(file.Samples) == 0 || len(file.Samples) > 100 {
			return
		}
		figures, skipped := plots.All(results.Summarize(file.Samples), plots.Options{
			Facts: file.Facts, Everything: true, Waits: results.Distributions(file.Samples),
		})
		if len(figures)+len(skipped) == 0 {
			t.Error("no figure, and no reason")
		}
		names := make(map[string]bool)
		for _, fig := range figures {
			if names[fig.Name] || fig.Title == "" {
				t.Errorf("figure %q, title %q: want another name, and a title", fig.Name, fig.Title)
			}
			names[fig.Name] = true
			svg, err := fig.Encode("svg")
			if err != nil {
				t.Fatalf("%s: %v", fig.Name, err)
			}
			if w, h := fig.Size(); !(w > 0 && w < 1e5 && h > 0 && h < 1e6) {
				t.Errorf("%s: %v by %v points", fig.Name, w, h)
			}
			d := xml.NewDecoder(bytes.NewReader(svg))
			for {
				token, err := d.Token()
				if errors.Is(err, io.EOF) {
					break
				}
				if err != nil {
					t.Fatalf("%s: no SVG: %v\n%.2000s", fig.Name, err, svg)
				}
				if e, ok := token.(xml.StartElement); ok {
					for _, a := range e.Attr {
						if strings.Contains(a.Value, "NaN") || strings.Contains(a.Value, "Inf") {
							t.Errorf("%s: %s %s=%q: want a number", fig.Name, e.Name.Local, a.Name.Local, a.Value)
						}
					}
				}
			}
		}
	})
}
