package results

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// A Cell names one point of a sweep: a lock and its scenario. Cells are comparable, and
// two samples of one Cell are repetitions of the same measurement.
//
// The zero value of Workload, Work, Mode, Load, GC and Place is the default of each:
// the bare critical section, registers, goroutines, closed loop, 100 percent, any CPUs.
type Cell struct {
	Lock    string        // name in the catalogue, such as "ticket" or "sync.Mutex"
	Reads   int           // share of operations that only read, in percent
	Workers int           // number of goroutines, not per CPU
	Hold    time.Duration // length of the critical section beyond its bare minimum
	Think   time.Duration // work between two critical sections

	Workload string // what runs in the critical section; "" is the bare section
	Work     string // what hold and think are made of; "" is registers
	Mode     string // how workers are assigned to CPUs; "" is goroutines
	Load     string // how operations arrive; "" is closed loop
	GC       string // how much garbage the collector leaves, in percent, or off; "" is 100
	Place    string // which CPUs workers run on; "" is the order of their numbers

	// Readers and Writers are the numbers of workers that only read and that only
	// write. If there are any, Workers is their sum, and Reads is 0 and has no meaning.
	// Otherwise each worker does both, as Reads says.
	Readers, Writers int

	CPUs int // GOMAXPROCS, or the CPUs of the simulated machine
}

// Roles reports whether each worker either only reads or only writes, so that
// Readers and Writers say how many do.
func (c Cell) Roles() bool { return c.Readers != 0 || c.Writers != 0 }

// String returns the benchmark name of c, without the word Benchmark:
//
//	Lock/lock=ticket/reads=0/workers=2/hold=0s/think=100ns/work=registers-2
//
// With [Cell.Roles] it has readers=7/writers=1 in place of reads and workers. It has
// the work even if it is the default, since older files have no such key. The number
// after the last "-" is c.CPUs, also for one CPU, where go test leaves it out.
func (c Cell) String() string {
	return "Lock/" + c.Params() + "-" + strconv.Itoa(c.CPUs)
}

// registers is the work of a file without the key work.
const registers = "registers"

// Params returns the key=value part of c's benchmark name, which is what a
// benchmark passes to [testing.B.Run]; go test itself appends the CPUs.
func (c Cell) Params() string {
	var b strings.Builder
	fmt.Fprintf(&b, "lock=%s", c.Lock)
	if c.Roles() {
		fmt.Fprintf(&b, "/readers=%d/writers=%d", c.Readers, c.Writers)
	} else {
		fmt.Fprintf(&b, "/reads=%d/workers=%d", c.Reads, c.Workers)
	}
	fmt.Fprintf(&b, "/hold=%v/think=%v", c.Hold, c.Think)
	for _, opt := range []struct{ key, value string }{
		{"workload", c.Workload},
		{"work", cmp.Or(c.Work, registers)},
		{"mode", c.Mode},
		{"load", c.Load},
		{"gc", c.GC},
		{"place", c.Place},
	} {
		if opt.value != "" {
			fmt.Fprintf(&b, "/%s=%s", opt.key, opt.value)
		}
	}
	return b.String()
}

// Scenario returns c without its lock: what must be equal for two locks to be compared.
func (c Cell) Scenario() Cell {
	c.Lock = ""
	return c
}

// Alone reports whether c has one worker without a role, no hold and no think time:
// there ns/op is the cost of the lock alone.
func (c Cell) Alone() bool { return c.Workers == 1 && !c.Roles() && c.Hold == 0 && c.Think == 0 }

// Compare orders cells by scenario, then by lock. The result is negative if c
// comes before d, positive if it comes after, and 0 if they are equal.
func (c Cell) Compare(d Cell) int {
	return cmp.Or(
		cmp.Compare(c.Workload, d.Workload),
		cmp.Compare(c.Work, d.Work),
		cmp.Compare(c.Mode, d.Mode),
		compareLoads(c, d),
		cmp.Compare(c.GC, d.GC),
		cmp.Compare(c.Place, d.Place),
		cmp.Compare(c.Hold, d.Hold),
		cmp.Compare(c.Think, d.Think),
		cmp.Compare(c.CPUs, d.CPUs),
		cmp.Compare(c.Workers, d.Workers),
		cmp.Compare(c.Readers, d.Readers),
		cmp.Compare(c.Writers, d.Writers),
		cmp.Compare(c.Reads, d.Reads),
		cmp.Compare(c.Lock, d.Lock),
	)
}

// Validate reports everything that keeps c from being written to a file and
// read back the same.
//
// A name or a word must be printable, without spaces and without "/", which separates
// the keys: call x/sync's semaphore "xsync.Semaphore". A lock's name may end in a dash
// and digits. The words of Workload, Work, Mode, Load, GC and Place may not: where go
// test leaves out the number of CPUs, the digits would be taken for it.
func (c Cell) Validate() error {
	var wrong problems
	if c.Lock == "" {
		wrong.add("no lock")
	}
	for _, w := range []struct{ key, word string }{
		{"lock", c.Lock},
		{"workload", c.Workload},
		{"work", c.Work},
		{"mode", c.Mode},
		{"load", c.Load},
		{"gc", c.GC},
		{"place", c.Place},
	} {
		if strings.ContainsFunc(w.word, notNameRune) {
			wrong.add(`%s %q: must be printable, without spaces and "/"`, w.key, w.word)
		}
		if _, cpus, ok := cutCPUs(w.word); ok && w.key != "lock" {
			wrong.add("%s %q: must not end in -%s, which stands for the CPUs", w.key, w.word, cpus)
		}
	}
	if c.Work == registers {
		wrong.add("work %q: want \"\", which stands for it", c.Work)
	}
	if c.Reads < 0 || c.Reads > 100 {
		wrong.add("reads %d: must be 0 to 100", c.Reads)
	}
	if c.Readers < 0 || c.Writers < 0 {
		wrong.add("readers %d, writers %d: must not be negative", c.Readers, c.Writers)
	}
	if c.Roles() && (c.Workers != c.Readers+c.Writers || c.Reads != 0) {
		wrong.add("readers %d, writers %d: want as many workers, and reads 0, have %d and %d", c.Readers, c.Writers, c.Workers, c.Reads)
	}
	if c.Workers < 1 {
		wrong.add("workers %d: must be at least 1", c.Workers)
	}
	if c.Hold < 0 {
		wrong.add("hold %v: must not be negative", c.Hold)
	}
	if c.Think < 0 {
		wrong.add("think %v: must not be negative", c.Think)
	}
	if c.CPUs < 1 {
		wrong.add("cpus %d: must be at least 1", c.CPUs)
	}
	return wrong.err()
}

func notNameRune(r rune) bool {
	return r == '/' || r == unicode.ReplacementChar || unicode.IsSpace(r) || !unicode.IsPrint(r)
}

// ParseCell parses a benchmark name, with or without the word Benchmark in front. Its
// first part may be any name, so that a line of go test for BenchmarkSweep gives the
// same Cell as one of a [Writer]; keys may be in any order; a name that does not end in
// a number of CPUs is for one CPU, as in go test.
func ParseCell(name string) (Cell, error) {
	rest, cpus, ok := cutCPUs(name)
	if !ok {
		cpus = "1"
	}
	c := Cell{}
	var err error
	if c.CPUs, err = strconv.Atoi(cpus); err != nil {
		return Cell{}, fmt.Errorf("benchmark %q: want a number of CPUs at its end, have %q", name, cpus)
	}

	parts := strings.Split(rest, "/")
	seen := make(map[string]bool)
	for _, part := range parts[1:] {
		key, value, ok := strings.Cut(part, "=")
		if !ok {
			return Cell{}, fmt.Errorf("benchmark %q: want key=value, have %q", name, part)
		}
		if seen[key] {
			return Cell{}, fmt.Errorf("benchmark %q: key %q twice", name, key)
		}
		seen[key] = true
		if err := c.set(key, value); err != nil {
			return Cell{}, fmt.Errorf("benchmark %q: %w", name, err)
		}
	}
	keys, want := []string{"lock", "reads", "workers", "hold", "think"}, "lock, reads, workers, hold and think"
	if seen["readers"] || seen["writers"] {
		keys, want = []string{"lock", "readers", "writers", "hold", "think"}, "lock, readers, writers, hold and think"
		if seen["reads"] || seen["workers"] {
			return Cell{}, fmt.Errorf("benchmark %q: want either the keys readers and writers, or reads and workers, have both", name)
		}
		c.Workers = c.Readers + c.Writers
	}
	for _, key := range keys {
		if !seen[key] {
			return Cell{}, fmt.Errorf("benchmark %q: want the keys %s, have no %s", name, want, key)
		}
	}
	if err := c.Validate(); err != nil {
		return Cell{}, fmt.Errorf("benchmark %q: %w", name, err)
	}
	return c, nil
}

// set sets the field that key names.
func (c *Cell) set(key, value string) (err error) {
	switch key {
	case "lock":
		c.Lock = value
	case "reads":
		if c.Reads, err = strconv.Atoi(value); err != nil {
			return fmt.Errorf("reads: want a percentage, have %q", value)
		}
	case "workers":
		if c.Workers, err = strconv.Atoi(value); err != nil {
			return fmt.Errorf("workers: want a number, have %q", value)
		}
	case "readers":
		if c.Readers, err = strconv.Atoi(value); err != nil {
			return fmt.Errorf("readers: want a number, have %q", value)
		}
	case "writers":
		if c.Writers, err = strconv.Atoi(value); err != nil {
			return fmt.Errorf("writers: want a number, have %q", value)
		}
	case "hold":
		if c.Hold, err = time.ParseDuration(value); err != nil {
			return fmt.Errorf("hold: want a duration such as 100ns, have %q", value)
		}
	case "think":
		if c.Think, err = time.ParseDuration(value); err != nil {
			return fmt.Errorf("think: want a duration such as 100ns, have %q", value)
		}
	case "workload":
		c.Workload = value
	case "work":
		if value != registers {
			c.Work = value
		}
	case "mode":
		c.Mode = value
	case "load":
		c.Load = value
	case "gc":
		c.GC = value
	case "place":
		c.Place = value
	default:
		return fmt.Errorf("unknown key %q (known: lock, reads, workers, readers, writers, hold, think, workload, work, mode, load, gc, place)", key)
	}
	return nil
}

// cutCPUs cuts "-" and the digits after it off the end of name. ok is false if name
// does not end like that.
func cutCPUs(name string) (rest, cpus string, ok bool) {
	i := strings.LastIndexByte(name, '-')
	if i < 0 || i == len(name)-1 || strings.Trim(name[i+1:], "0123456789") != "" {
		return name, "", false
	}
	return name[:i], name[i+1:], true
}
