package main

import (
	"context"
	"fmt"
	"math"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/synthetic"
)

// simulation compares made-up benchmarks, of which it is known what is slower.
func simulation(ctx context.Context, t *trial) error {
	fmt.Fprintln(t.out, "| benchmarks | slower by 8 % | noise | runs | FDR, at most 1 % wanted | at most 10 % wanted | found | passed though slower | same, and passed | rounds |")
	fmt.Fprintln(t.out, "|---|---|---|---|---|---|---|---|---|---|")
	noises := []struct {
		name string
		of   synthetic.Benchmark
	}{
		{"1 %, Gaussian", synthetic.Benchmark{Noise: 0.01}},
		{"1 %, one in ten up to twice as long", synthetic.Benchmark{Noise: 0.01, Tail: 0.1}},
		{"2 %, nine tenths of it remembered", synthetic.Benchmark{Noise: 0.02, Memory: 0.9}},
	}
	for _, size := range []struct{ n, slower int }{{1, 0}, {1, 1}, {20, 0}, {20, 2}, {200, 20}, {2000, 0}, {2000, 200}} {
		for _, noise := range noises {
			runs := max(3, min(400, 4000/size.n))
			var fdr [2]float64
			var o outcomes
			for k, q := range []float64{0.01, 0.10} {
				o = outcomes{}
				for seed := range runs {
					src := synthetic.New(uint64(seed), make([]synthetic.Benchmark, size.n)...)
					src.Builds = 150
					for i := range src.Of {
						src.Of[i] = noise.of
						if i < size.slower {
							src.Of[i].Change = 0.08
						}
					}
					// A neighbour that comes and goes, and meets all at once.
					src.Drift = func(i int) float64 { return 1 + 0.2*math.Abs(math.Sin(float64(i)/float64(30*size.n))) }
					rep, err := gate.Rules{FDR: q}.Compare(ctx, src)
					if err != nil {
						return err
					}
					o.add(src, rep)
				}
				fdr[k] = o.fdp / float64(runs)
			}
			fmt.Fprintf(t.out, "| %d | %d | %s | %d | %.2f %% | %.2f %% | %s | %s | %s | %d |\n", size.n, size.slower, noise.name, runs,
				100*fdr[0], 100*fdr[1], percent(o.found, o.slower), percent(o.missed, o.slower), percent(o.told, o.same), o.rounds/runs)
		}
	}
	fmt.Fprintln(t.out, "\nThe limit: all benchmarks are slower by the margin exactly, which is no regression, and is where false alarms are most likely.")
	fmt.Fprintln(t.out, "\n| benchmarks | runs | with a false alarm, at 1 % | at 10 % |")
	fmt.Fprintln(t.out, "|---|---|---|---|")
	for _, n := range []int{1, 20} {
		runs := 2000 / n
		var alarms [2]int
		for k, q := range []float64{0.01, 0.10} {
			for seed := range runs {
				src := synthetic.New(uint64(seed), make([]synthetic.Benchmark, n)...)
				src.Builds = 60
				for i := range src.Of {
					src.Of[i] = synthetic.Benchmark{Noise: 0.005, Change: gate.DefaultMargin}
				}
				rep, err := gate.Rules{FDR: q}.Compare(ctx, src)
				if err != nil {
					return err
				}
				if rep.Verdict == gate.Regressed {
					alarms[k]++
				}
			}
		}
		fmt.Fprintf(t.out, "| %d | %d | %s | %s |\n", n, runs, percent(alarms[0], runs), percent(alarms[1], runs))
	}
	return nil
}

// outcomes are what became of the benchmarks of many comparisons.
type outcomes struct {
	fdp                   float64 // sum of the shares of false ones among those reported
	slower, found, missed int
	same, told            int
	rounds                int
}

func (o *outcomes) add(src *synthetic.Source, rep *gate.Report) {
	var reported, wrong int
	for _, r := range rep.Results {
		slower := src.Of[synthetic.Index(r.Benchmark)].Change > gate.DefaultMargin
		if slower {
			o.slower++
		} else {
			o.same++
		}
		switch r.Verdict {
		case gate.Regressed:
			reported++
			if slower {
				o.found++
			} else {
				wrong++
			}
		case gate.Pass:
			if slower {
				o.missed++
			} else {
				o.told++
			}
		}
	}
	if wrong > 0 {
		o.fdp += float64(wrong) / float64(reported)
	}
	o.rounds += rep.Rounds
}
