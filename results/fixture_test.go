package results_test

import (
	"math/rand/v2"
	"time"

	"github.com/lockbench/lockbench/results"
)

var facts = results.Facts{
	GOOS:    "linux",
	GOARCH:  "amd64",
	CPU:     "AMD EPYC",
	Machine: "host",
	Notes: []results.Note{
		{Key: "date", Text: "2026-11-21T22:08:00Z"},
		{Key: "go", Text: "go1.26.8"},
		{Key: "harness", Text: "2.91 ns/op with an empty lock"},
	},
}

var ticket = results.Cell{Lock: "ticket", Workers: 2, Think: 100 * time.Nanosecond, CPUs: 2}

// A lock of the fixture: its time alone, and with another worker near and far.
type lock struct {
	name             string
	alone, near, far float64
}

var locks = []lock{
	{"none", 102, 51, 51},
	{"backoff", 106, 61, 150},
	{"mcs", 109, 60, 560},
	{"qspinlock", 107, 60, 420},
	{"sync.Mutex", 110, 100, 171},
	{"sync.RWMutex", 122, 104, 210},
	{"ticket", 107, 59, 328},
	{"xsync.Semaphore", 135, 246, 580},
}

// sweep returns the samples of a sweep, as a harness measures them: in rounds,
// each in a random order, on a machine whose clock drifts from round to round.
func sweep(rounds int, reads []int) []results.Sample {
	rng := rand.New(rand.NewPCG(1, 2))
	var samples []results.Sample
	for round := range rounds {
		drift := 1 + 0.2*rng.Float64()
		far := round%3 == 1
		var pass []results.Sample
		for _, l := range locks {
			for _, cpus := range []int{1, 2, 4} {
				for _, r := range reads {
					ns, distance := l.alone, results.Local
					switch {
					case cpus > 1 && far:
						ns, distance = l.far, results.Far
					case cpus > 1:
						ns, distance = l.near, results.Near
					}
					if l.name == "sync.RWMutex" {
						ns *= 1 - float64(r)/200
					}
					ns *= drift * (0.99 + 0.02*rng.Float64())
					pass = append(pass, results.Sample{
						Cell: results.Cell{
							Lock:    l.name,
							Reads:   r,
							Workers: cpus,
							Think:   100 * time.Nanosecond,
							CPUs:    cpus,
						},
						Round:          round + 1,
						Distance:       distance,
						Oversubscribed: cpus > 2,
						Ops:            int(3e6 / ns),
						Values: []results.Value{
							{Unit: "ns/op", Value: ns},
							{Unit: "ops/s", Value: 1e9 / ns},
							{Unit: "jain", Value: 1 - 0.01*rng.Float64()},
						},
					})
				}
			}
		}
		rng.Shuffle(len(pass), func(i, j int) { pass[i], pass[j] = pass[j], pass[i] })
		samples = append(samples, pass...)
	}
	return samples
}
