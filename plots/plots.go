package plots

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// Options say how to draw. The zero value is a good choice.
type Options struct {
	// Facts are the facts of the results file. Figures name the machine by them.
	Facts results.Facts

	// Reference is the lock that the others are compared with: it is drawn
	// dark. "" is sync.Mutex.
	Reference string

	// Empty is the lock that does nothing. It is drawn as a limit, not as one of the
	// locks. "" means "none", the empty lock of the catalogue.
	Empty string

	// Everything asks for the figures of every share of reads. Without it, All and
	// Write leave out those of the shares between the lowest and the highest, which are
	// in the figures over reads.
	Everything bool

	// Waits are the distributions of the samples' waits; see [results.Distributions].
	// Without them there are no figures of distributions.
	Waits []results.Distribution

	// Others are results of other machines, such as simulated ones. They are drawn beside
	// the summaries in the figures over CPUs and over reads that have both: dashed, with
	// hollow marks, and named.
	Others []Other

	// Formats are the file formats that Write writes, "svg" and "png". nil means both.
	Formats []string
}

// An Other is what was found on another machine than the one of [Options.Facts].
type Other struct {
	Facts     results.Facts     // whose Machine names it
	Summaries []results.Summary // of its samples
}

// machine returns the name of the machine, without saying that it is simulated.
func (o Other) machine() string {
	if name, ok := o.Facts.Simulated(); ok {
		return name
	}
	return cmp.Or(o.Facts.Machine, "host")
}

// describe says where it was found, and by which seed.
func (o Other) describe() string {
	s := "measured on " + o.machine()
	if _, ok := o.Facts.Simulated(); ok {
		s = "simulated on " + o.machine()
	}
	if seed := o.Facts.Noted("seed"); seed != "" {
		s += ", seed" + noBreak + seed
	}
	return s
}

func (o Options) reference() string { return cmp.Or(o.Reference, "sync.Mutex") }
func (o Options) empty() string     { return cmp.Or(o.Empty, results.Empty) }
func (o Options) formats() []string {
	if o.Formats == nil {
		return formats
	}
	return o.Formats
}

// machine describes the machine in a few words, "" if nothing is known.
func (o Options) machine() string {
	var words []string
	add := func(s string) {
		if s != "" && !slices.Contains(words, s) { // a file that was appended to says it again
			words = append(words, s)
		}
	}
	if o.Facts.Machine != "host" {
		add(o.Facts.Machine)
	}
	add(o.Facts.CPU)
	for _, n := range o.Facts.Notes {
		if n.Key == "cpus" {
			cpus, _ := strconv.Atoi(n.Text)
			add(n.Text + noBreak + wording.Noun(cpus, "CPU"))
		}
	}
	if o.Facts.GOOS != "" && o.Facts.GOARCH != "" {
		add(o.Facts.GOOS + "/" + o.Facts.GOARCH)
	}
	for _, n := range o.Facts.Notes {
		if n.Key == "go" {
			add(n.Text)
		}
	}
	return strings.Join(words, ", ")
}

// A Skipped is a figure, or a kind of figures, that could not be drawn.
type Skipped struct {
	Figure string // the kind, with the conditions if it is about one figure
	Why    string // and how to get it
}

// String returns "figure: why".
func (s Skipped) String() string { return s.Figure + ": " + s.Why }

// looks assigns looks to all locks, in the order of their names, so that a lock looks
// the same in all figures of a file.
func looks(sums []results.Summary, o Options) map[string]look {
	var names []string
	add := func(sums []results.Summary) {
		for _, s := range sums {
			if s.Lock != o.empty() {
				names = append(names, s.Lock)
			}
		}
	}
	add(sums)
	for _, other := range o.Others {
		add(other.Summaries)
	}
	slices.Sort(names)
	m := make(map[string]look)
	for i, name := range slices.Compact(names) {
		m[name] = lookOf(i)
	}
	return m
}

// list joins words: "a", "a and b", "a, b and 3 more".
func list(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	case 2:
		return words[0] + " and " + words[1]
	case 3:
		return words[0] + ", " + words[1] + " and " + words[2]
	default:
		return fmt.Sprintf("%s, %s and %d more", words[0], words[1], n-2)
	}
}
