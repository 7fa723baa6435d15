package sweeping

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
)

// Arrivals are the flags that say how operations arrive, and the seed of all that is left
// to chance.
type Arrivals struct {
	Load string `placeholder:"SHARE,..." help:"Open loop: operations arrive on a schedule, at these shares, such as 0.5,0.8,0.95, of the rate that the lock reaches in the same situation. Latencies count from the scheduled arrival."`
	Rate string `placeholder:"N,..." help:"Open loop: operations that arrive in a second, for all workers together, such as 100k,1M."`
	Seed string `placeholder:"N" default:"1" help:"Seed of the random order (${default})."`
}

// Parse parses --load and --rate. Without either the loop is closed.
// [harness.Sweep.Validate] checks the values.
func (a *Arrivals) Parse(bad *commandline.Problems) (all []harness.Arrivals) {
	load, rate := a.Load, a.Rate
	if load != "" && rate != "" {
		bad.Addf("--load --rate: want one of them")
	}
	parse := func(flag, text, want string, value func(string) (harness.Arrivals, error)) {
		for word := range strings.SplitSeq(text, ",") {
			a, err := value(strings.TrimSpace(word))
			switch {
			case err != nil, a.Closed():
				bad.Addf("%s %s: want %s, have %q", flag, text, want, word)
			case !slices.Contains(all, a):
				all = append(all, a)
			}
		}
	}
	if load != "" {
		parse("--load", load, "shares above 0 and below 1 such as 0.5,0.95", func(s string) (harness.Arrivals, error) {
			v, err := strconv.ParseFloat(s, 64)
			return harness.Arrivals{Load: v}, err
		})
	}
	if rate != "" {
		parse("--rate", rate, "operations in a second such as 50k,1M", func(s string) (harness.Arrivals, error) {
			v, err := parseRate(s)
			return harness.Arrivals{Rate: v}, err
		})
	}
	return all
}

// parseRate parses a number that may end in k or M.
func parseRate(s string) (float64, error) {
	times := 1.0
	if number, ok := strings.CutSuffix(s, "k"); ok {
		s, times = number, 1e3
	} else if number, ok := strings.CutSuffix(s, "M"); ok {
		s, times = number, 1e6
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0, fmt.Errorf("want a number such as 100k, have %q", s)
	}
	return v * times, nil
}
