package results_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/results"
	"pgregory.net/rapid"
)

func TestCellString(t *testing.T) {
	for _, test := range []struct {
		cell results.Cell
		want string
	}{
		{ticket, "Lock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns/work=registers-2"},
		{results.Cell{Lock: "sync.RWMutex", Reads: 90, Workers: 64, Hold: time.Microsecond, CPUs: 1},
			"Lock/lock=sync.RWMutex/reads=90/workers=64/hold=1µs/think=0s/work=registers-1"},
		{results.Cell{Lock: "mcs-2", Workers: 1, CPUs: 8, Workload: "printk", Work: "memory-l1", Mode: "pinned", Load: "1.5Mops", GC: "off", Place: "compact"},
			"Lock/lock=mcs-2/reads=0/workers=1/hold=0s/think=0s/workload=printk/work=memory-l1/mode=pinned/load=1.5Mops/gc=off/place=compact-8"},
		{results.Cell{Lock: "rcu-qsbr", Readers: 7, Writers: 1, Workers: 8, CPUs: 2},
			"Lock/lock=rcu-qsbr/readers=7/writers=1/hold=0s/think=0s/work=registers-2"},
		{results.Cell{Lock: "ticket", Writers: 2, Workers: 2, CPUs: 2},
			"Lock/lock=ticket/readers=0/writers=2/hold=0s/think=0s/work=registers-2"},
	} {
		if got := test.cell.String(); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
		if got, err := results.ParseCell(test.want); err != nil || got != test.cell {
			t.Errorf("ParseCell(%q) = %+v, %v, want %+v", test.want, got, err, test.cell)
		}
	}
}

func TestParseCellOfGoTest(t *testing.T) {
	alone := ticket
	alone.CPUs = 1
	for _, test := range []struct {
		name string
		want results.Cell
	}{
		{"BenchmarkSweep/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-2", ticket},
		{"BenchmarkSweep/lock=ticket/reads=0/workers=2/hold=0s/think=100ns", alone},         // go test leaves out -1
		{"Lock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns-1", alone},                 // a Writer does not
		{"Lock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns/work=registers-2", ticket}, // as in files older than the key
		{"Mine/think=0.1us/hold=0/workers=2/reads=0/lock=ticket-2", ticket},
	} {
		if got, err := results.ParseCell(test.name); err != nil || got != test.want {
			t.Errorf("ParseCell(%q) = %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
}

func TestParseCellErrors(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{"Lock-2", "want the keys lock, reads, workers, hold and think, have no lock"},
		{"Lock/lock=a/reads=0/workers=1/hold=0s-2", "want the keys lock, reads, workers, hold and think, have no think"},
		{"Lock/ticket-2", `want key=value, have "ticket"`},
		{"Lock/lock=a/lock=b-2", `key "lock" twice`},
		{"Lock/lock=a/cs=0-2", `unknown key "cs" (known: lock, reads, workers, readers, writers, hold, think, workload, work, mode, load, gc, place)`},
		{"Lock/lock=x/sync.Semaphore/reads=0/workers=1/hold=0s/think=0s-2", `want key=value, have "sync.Semaphore"`},
		{"Lock/lock=a/reads=half-2", `reads: want a percentage, have "half"`},
		{"Lock/lock=a/workers=two-2", `workers: want a number, have "two"`},
		{"Lock/lock=a/readers=1/hold=0s/think=0s-2", "want the keys lock, readers, writers, hold and think, have no writers"},
		{"Lock/lock=a/readers=1/writers=1/reads=0/hold=0s/think=0s-2", "want either the keys readers and writers, or reads and workers, have both"},
		{"Lock/lock=a/readers=0/writers=0/hold=0s/think=0s-2", "workers 0: must be at least 1"},
		{"Lock/lock=a/readers=-1/writers=2/hold=0s/think=0s-2", "readers -1, writers 2: must not be negative"},
		{"Lock/lock=a/readers=two-2", `readers: want a number, have "two"`},
		{"Lock/lock=a/writers=two-2", `writers: want a number, have "two"`},
		{"Lock/lock=a/hold=100-2", `hold: want a duration such as 100ns, have "100"`},
		{"Lock/lock=a/think=x-2", `think: want a duration such as 100ns, have "x"`},
		{"Lock/lock=a-99999999999999999999", `want a number of CPUs at its end, have "99999999999999999999"`},
		{"Lock/lock=/reads=101/workers=0/hold=-1s/think=-1ns-0",
			"no lock; reads 101: must be 0 to 100; workers 0: must be at least 1; hold -1s: must not be negative; " +
				"think -1ns: must not be negative; cpus 0: must be at least 1"},
	} {
		_, err := results.ParseCell(test.name)
		if got, want := message(err), `benchmark "`+test.name+`": `+test.want; got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestCellValidateWords(t *testing.T) {
	for _, test := range []struct {
		bend func(*results.Cell)
		want string
	}{
		{func(c *results.Cell) {}, "no error"},
		{func(c *results.Cell) { c.Lock = "mcs-2" }, "no error"},
		{func(c *results.Cell) { c.Lock = "x/sync.Semaphore" }, `lock "x/sync.Semaphore": must be printable, without spaces and "/"`},
		{func(c *results.Cell) { c.Lock = "my lock" }, `lock "my lock": must be printable, without spaces and "/"`},
		{func(c *results.Cell) { c.Lock = "a\xffb" }, `lock "a\xffb": must be printable, without spaces and "/"`},
		{func(c *results.Cell) { c.Workload = "a\tb" }, `workload "a\tb": must be printable, without spaces and "/"`},
		{func(c *results.Cell) { c.Mode = "mode-2" }, `mode "mode-2": must not end in -2, which stands for the CPUs`},
		{func(c *results.Cell) { c.Work = "registers" }, `work "registers": want "", which stands for it`},
		{func(c *results.Cell) { c.Load = "1/s" }, `load "1/s": must be printable, without spaces and "/"`},
	} {
		c := ticket
		test.bend(&c)
		if got := message(c.Validate()); got != test.want {
			t.Errorf("got  %s\nwant %s", got, test.want)
		}
	}
}

// cells draws valid cells.
func cells() *rapid.Generator[results.Cell] {
	name := rapid.OneOf(
		rapid.SampledFrom([]string{"ticket", "sync.Mutex", "mcs-2", "a=b", "-1", "λ", "a-", "lock=x"}),
		rapid.StringMatching(`[a-zA-Z0-9.=_-]{1,12}`),
	)
	word := rapid.OneOf(
		rapid.Just(""),
		rapid.StringMatching(`[a-zA-Z0-9.=_-]{0,11}[a-zA-Z.=_-]`),
	)
	length := rapid.OneOf(
		rapid.SampledFrom([]time.Duration{0, 1, 100, time.Microsecond, time.Millisecond}),
		rapid.Map(rapid.Int64Min(0), func(n int64) time.Duration { return time.Duration(n) }),
	)
	return rapid.Custom(func(t *rapid.T) results.Cell {
		c := results.Cell{
			Lock:     name.Draw(t, "lock"),
			Reads:    rapid.IntRange(0, 100).Draw(t, "reads"),
			Workers:  rapid.IntRange(1, 1<<20).Draw(t, "workers"),
			Hold:     length.Draw(t, "hold"),
			Think:    length.Draw(t, "think"),
			Workload: word.Draw(t, "workload"),
			Mode:     word.Draw(t, "mode"),
			Load:     word.Draw(t, "load"),
			CPUs:     rapid.IntRange(1, 1<<12).Draw(t, "cpus"),
		}
		if rapid.Bool().Draw(t, "roles") {
			c.Readers = rapid.IntRange(0, c.Workers).Draw(t, "readers")
			c.Writers, c.Reads = c.Workers-c.Readers, 0
		}
		return c
	})
}

// A valid cell is the same after writing and reading, also if go test leaves out one
// CPU.
func TestCellRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := cells().Draw(t, "cell")
		if err := c.Validate(); err != nil {
			t.Fatalf("%+v is not valid: %v", c, err)
		}
		if got, err := results.ParseCell(c.String()); err != nil || got != c {
			t.Fatalf("ParseCell(%q) = %+v, %v, want %+v", c, got, err, c)
		}
		c.CPUs = 1
		name := "Sweep/" + c.Params()
		if got, err := results.ParseCell(name); err != nil || got != c {
			t.Fatalf("ParseCell(%q) = %+v, %v, want %+v", name, got, err, c)
		}
	})
}

// ParseCell accepts the String of each cell that it returns.
func TestParsedCellRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := strings.Split(cells().Draw(t, "cell").String(), "/")
		// Change it: another order, another number, another letter.
		name := strings.Join(rapid.Permutation(parts).Draw(t, "parts"), "/")
		at := rapid.IntRange(0, len(name)-1).Draw(t, "at")
		name = name[:at] + rapid.StringMatching(`[a-z0-9./=-]?`).Draw(t, "by") + name[at+1:]
		c, err := results.ParseCell(name)
		if err != nil {
			return
		}
		if got, err := results.ParseCell(c.String()); err != nil || got != c {
			t.Fatalf("ParseCell(%q) = %+v, %v, want %+v as parsed from %q", c, got, err, c, name)
		}
	})
}

func TestCellCompare(t *testing.T) {
	base := results.Cell{Lock: "b", Reads: 50, Workers: 2, Hold: 2, Think: 2, Workload: "b", Mode: "b", Load: "b", GC: "b", Place: "b", CPUs: 2}
	// Each differs in one field; earlier fields weigh more.
	less := []func(*results.Cell){
		func(c *results.Cell) { c.Workload = "a" },
		func(c *results.Cell) { c.Mode = "a" },
		func(c *results.Cell) { c.Load = "a" },
		func(c *results.Cell) { c.GC = "a" },
		func(c *results.Cell) { c.Place = "a" },
		func(c *results.Cell) { c.Hold = 1 },
		func(c *results.Cell) { c.Think = 1 },
		func(c *results.Cell) { c.CPUs = 1 },
		func(c *results.Cell) { c.Workers = 1 },
		func(c *results.Cell) { c.Readers = -1 },
		func(c *results.Cell) { c.Writers = -1 },
		func(c *results.Cell) { c.Reads = 49 },
		func(c *results.Cell) { c.Lock = "a" },
	}
	var want []results.Cell
	for _, f := range less {
		c := base
		f(&c)
		want = append(want, c)
	}
	want = append(want, base)
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, results.Cell.Compare)
	if !slices.Equal(got, want) {
		t.Errorf("sorted %v, want %v", got, want)
	}
}
