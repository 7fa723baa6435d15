package advice_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/lockbench/lockbench/advice"
	"github.com/lockbench/lockbench/results"
)

// FuzzAsk checks that no file makes Ask panic, and that an answer names locks of the
// file.
func FuzzAsk(f *testing.F) {
	sweep, err := os.ReadFile(filepath.Join("..", "results", "testdata", "sweep.txt"))
	if err != nil {
		f.Fatal(err)
	}
	const line = "BenchmarkLock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-2 5 61 ns/op\n"
	f.Add(sweep[:3000], uint8(2), uint8(0), uint16(0), uint16(100), uint8(0))
	f.Add([]byte("distance: far\n"+line), uint8(2), uint8(0), uint16(0), uint16(100), uint8(7))
	f.Add([]byte("BenchmarkX/lock=a/reads=0/workers=1/hold=0s/think=0s 7 1e-300 ns/op 0 jain\nBenchmarkX/lock=b/reads=0/workers=1/hold=9000h/think=0s 7 1e300 ns/op\n"), uint8(1), uint8(0), uint16(9), uint16(0), uint8(4))
	f.Add([]byte("BenchmarkX/lock=a/reads=0/workers=1/hold=0s/think=0s 7 0 ns/op\n"), uint8(1), uint8(0), uint16(0), uint16(0), uint8(5))
	f.Fuzz(func(t *testing.T, text []byte, cpus, reads uint8, hold, think uint16, flags uint8) {
		file, err := results.ReadAll(bytes.NewReader(text), "in")
		if err != nil {
			return
		}
		q := advice.Question{
			Cell: results.Cell{CPUs: int(cpus), Workers: int(cpus) * (1 + int(flags>>4)), Reads: int(reads), Hold: time.Duration(hold), Think: time.Duration(think)},
			Fair: flags&1 != 0, MayBlock: flags&2 != 0, Exact: flags&4 != 0,
			Locks: locks,
		}
		answers, err := q.Ask(file.Samples)
		if err != nil {
			return
		}
		known := make(map[string]bool)
		for _, s := range file.Samples {
			known[s.Lock] = true
		}
		for _, a := range answers {
			if a.NoData == nil && (!known[a.Take] || len(a.Ranked) == 0 || len(a.Cells) == 0) {
				t.Fatalf("%+v, want a lock of the file, ranked, and where that is from", a)
			}
			for _, flip := range a.Flips {
				if !known[flip.Lock] || flip.Lock == a.Take || !(flip.TimesHi < 1) {
					t.Fatalf("flip %+v, want a lock of the file that is faster than %s", flip, a.Take)
				}
			}
		}
	})
}
