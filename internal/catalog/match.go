package catalog

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/harness"
)

// Match returns the locks that patterns name, in the order of [All].
//
// A pattern is a name, or one with the wildcards of [path.Match]; after a "!" it leaves
// out what it names. If the first pattern leaves out, the others leave out of all
// locks. No wildcard matches busted, busted-rcu, none or swap, which are no locks: they
// must be named. The error joins all errors in the patterns.
func Match(patterns ...string) ([]Entry, error) {
	entries, _, err := match(All(), nil, patterns)
	return entries, err
}

// MatchAll is [Match] for locks and flavours of RCU. No wildcard matches busted-rcu
// either.
func MatchAll(patterns ...string) ([]Entry, []harness.RCU, error) {
	return match(Locks(), RCU(), patterns)
}

// MatchLocks is [Match] without the flavours of RCU.
func MatchLocks(patterns ...string) ([]Entry, error) {
	entries, _, err := match(Locks(), nil, patterns)
	return entries, err
}

func match(locks []Entry, flavours []harness.RCU, patterns []string) ([]Entry, []harness.RCU, error) {
	var all []subject
	for _, e := range locks {
		all = append(all, subject{e.Name, e.Control})
	}
	for _, f := range flavours {
		all = append(all, subject{f.Name, f.Name == bustedName})
	}
	chosen, err := choose(all, patterns)
	if err != nil {
		return nil, nil, err
	}
	var entries []Entry
	for i, e := range locks {
		if chosen[i] {
			entries = append(entries, e)
		}
	}
	var rcus []harness.RCU
	for i, f := range flavours {
		if chosen[len(locks)+i] {
			rcus = append(rcus, f)
		}
	}
	return entries, rcus, nil
}

// A subject is what patterns name.
type subject struct {
	name   string
	hidden bool // not matched by wildcards
}

// choose returns which of all the patterns name.
func choose(all []subject, patterns []string) ([]bool, error) {
	chosen := make([]bool, len(all))
	var unknown []string
	for i, pattern := range patterns {
		name, out := strings.CutPrefix(pattern, "!")
		if out && i == 0 {
			for j, s := range all {
				chosen[j] = !s.hidden
			}
		}
		known := false
		for j, s := range all {
			if s.name == name || !s.hidden && glob(name, s.name) {
				chosen[j], known = !out, true
			}
		}
		if !known {
			unknown = append(unknown, suggest(name, all))
		}
	}
	switch {
	case len(unknown) > 0:
		return nil, fmt.Errorf("unknown lock %s (known: %s)", strings.Join(unknown, ", "), strings.Join(names(all), ", "))
	case !slices.Contains(chosen, true):
		return nil, fmt.Errorf("no lock left of %q", strings.Join(patterns, ","))
	}
	return chosen, nil
}

// glob is path.Match, except that a malformed pattern matches nothing.
func glob(pattern, name string) bool {
	ok, err := path.Match(pattern, name)
	return ok && err == nil
}

func names(all []subject) []string {
	var names []string
	for _, s := range all {
		names = append(names, s.name)
	}
	return names
}

// suggest returns name in quotes, with the locks that may have been meant: those of
// whose names it is a part, otherwise those that differ by a typing error.
func suggest(name string, all []subject) string {
	var parts, typos []string
	for _, s := range all {
		known, have := strings.ToLower(s.name), strings.ToLower(name)
		switch {
		case have != "" && strings.Contains(known, have):
			parts = append(parts, fmt.Sprintf("%q", s.name))
		case distance(have, known) <= min(2, len(name)/2):
			typos = append(typos, fmt.Sprintf("%q", s.name))
		}
	}
	meant := parts
	if len(meant) == 0 {
		meant = typos
	}
	if len(meant) == 0 {
		return fmt.Sprintf("%q", name)
	}
	return fmt.Sprintf("%q, did you mean %s?", name, strings.Join(meant, " or "))
}

// distance is Levenshtein's distance: how many bytes must be inserted, removed or
// changed to turn a into b.
func distance(a, b string) int {
	row := make([]int, len(b)+1) // from a[:i] to each b[:j]
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
