package main

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/BurntSushi/toml"
)

// hunt makes the mutants, runs the tests on each and reports the survivors.
func hunt(ctx context.Context, opts options, stdout, stderr io.Writer) error {
	root, err := moduleRoot(ctx)
	if err != nil {
		return err
	}
	reviewed, err := readReviewed(filepath.Join(root, "tools/mutants/survivors.toml"))
	if err != nil {
		return err
	}
	loaded, err := load(ctx, root, opts.packages)
	if err != nil {
		return err
	}
	var order []string // names of the chosen mutants, in the order in which they are tried
	chosen := make(map[string]bool)
	var all []mutant
	for _, name := range opts.packages {
		texts, err := sources(loaded[name])
		if err != nil {
			return err
		}
		all = append(all, weave(loaded[name], name, texts, nil).mutants...)
	}
	wrong := append(reviewed.unknown(all, opts.packages), reviewed.extents()...)
	for _, m := range sample(all, opts) {
		order = append(order, m.String())
		chosen[m.String()] = true
	}
	if opts.list {
		for _, m := range all {
			if chosen[m.String()] {
				fmt.Fprintln(stdout, m)
			}
		}
		return errors.Join(wrong...)
	}
	if len(chosen) == 0 {
		return fmt.Errorf("no mutant matches %q", opts.match)
	}
	found, err := openLog(opts.out)
	if err != nil {
		return err
	}
	defer found.close()
	say := func(format string, args ...any) { fmt.Fprintf(stderr, format+"\n", args...) }
	began := time.Now()
	for _, name := range opts.packages {
		var mine []string
		for _, m := range order {
			if packageOf(m) == name && found.outcomes[m].how == "" {
				mine = append(mine, m)
			}
		}
		if len(mine) > 0 {
			s, err := newSuite(ctx, root, name, loaded[name], opts.jobs, say)
			if err != nil {
				return err
			}
			err = s.tryAll(ctx, opts.jobs, mine, found, func(done int) {
				if done%20 == 0 {
					say("%s: %d of %d; %v since the start", name, done, len(mine), time.Since(began).Round(time.Second))
				}
			})
			s.close()
			if err != nil {
				return err
			}
		}
	}
	count := make(tally)
	for _, m := range all {
		name := m.String()
		if !chosen[name] {
			continue
		}
		o := found.outcomes[name]
		count[o.how]++
		reason, known := reviewed.reasons[name]
		switch {
		case o.lives() && !known:
			wrong = append(wrong, fmt.Errorf("%s:%d: %s: %s", m.pkg+"/"+m.file, m.line, o.how, name))
		case o.lives():
			fmt.Fprintf(stdout, "lives: %s\n\t%s\n", name, reason)
		case known && o.how == killedModel && opts.sample == 0:
			wrong = append(wrong, fmt.Errorf("survivors.toml: %s kills it, so it needs no reason: %s", o.by, name))
		}
	}
	fmt.Fprintf(stdout, "%d mutants: %v; %v\n", len(chosen), count, time.Since(began).Round(time.Second))
	for _, name := range opts.packages {
		if extent := reviewed.extent[name]; extent != whole {
			fmt.Fprintf(stdout, "%s is not reviewed whole: %s\n", name, extent)
		}
	}
	if len(wrong) > 0 {
		wrong = append(wrong, errors.New("a survivor needs a test that fails, or a reviewed reason in tools/mutants/survivors.toml"))
	}
	return errors.Join(wrong...)
}

func moduleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("go list -m: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// sample returns the mutants that match, or as many of them as are asked for: those
// whose hash with the seed is smallest, so that each seed has its own sample, which is
// the same each time. The smallest come first, so a run that is ended early has tried a
// smaller sample of the same seed. A sample is from few packages, because each must be
// compiled.
func sample(all []mutant, opts options) []mutant {
	var matching []mutant
	for _, m := range all {
		if opts.match.MatchString(m.String()) {
			matching = append(matching, m)
		}
	}
	if opts.sample == 0 || opts.sample >= len(matching) {
		return matching
	}
	rank := func(name string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(opts.seed+"\n"+name))) }
	slices.SortFunc(matching, func(a, b mutant) int {
		return cmp.Or(cmp.Compare(rank(a.pkg), rank(b.pkg)), cmp.Compare(rank(a.String()), rank(b.String())))
	})
	most := opts.sample
	if len(opts.packages) > 1 {
		most = (most + 1) / 2 // two packages, if the first has enough
	}
	var taken []mutant
	ofPackage := make(map[string]int)
	for _, m := range matching {
		if len(taken) < opts.sample && ofPackage[m.pkg] < most {
			taken = append(taken, m)
			ofPackage[m.pkg]++
		}
	}
	return taken
}

// tryAll runs the tests on some of a suite's mutants, in that order.
func (s *suite) tryAll(ctx context.Context, jobs int, names []string, found *log, progress func(done int)) error {
	byName := make(map[string]mutant)
	for _, m := range s.woven.mutants {
		byName[m.String()] = m
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error // guarded by mu
	done := 0        // guarded by mu
	turn := make(chan bool, jobs)
	for _, name := range names {
		m, ok := byName[name]
		if !ok {
			continue // it does not compile
		}
		turn <- true
		wg.Go(func() {
			defer func() { <-turn }()
			o, err := s.try(ctx, m)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				err = found.add(m.String(), o)
			}
			failed = cmp.Or(failed, err)
			done++
			progress(done)
		})
		mu.Lock()
		stop := failed != nil
		mu.Unlock()
		if stop {
			break
		}
	}
	wg.Wait()
	return failed
}

// A tally counts outcomes, by their kind.
type tally map[string]int

func (t tally) String() string {
	return fmt.Sprintf("%d killed by model tests, %d by ordinary ones, %d by a hang, %d make a model test endless; %d survive, %d are not reached, %d do not compile",
		t[killedModel], t[killedNative], t[killedHang], t[endless], t[survived], t[unreached], t[uncompiled])
}

// A log is a file with the outcomes so far.
type log struct {
	outcomes map[string]outcome
	file     *os.File // nil: none is kept
}

// openLog reads a log, if it exists. A last line that was cut off does not count.
func openLog(name string) (*log, error) {
	l := &log{outcomes: make(map[string]outcome)}
	if name == "" {
		return l, nil
	}
	file, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	l.file = file
	lines := bufio.NewReader(file)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			if line != "" {
				_, err = file.WriteString("\n")
				return l, err
			}
			return l, nil
		}
		if err != nil {
			return nil, err
		}
		if cells := strings.Split(strings.TrimSuffix(line, "\n"), "\t"); len(cells) == 3 {
			l.outcomes[cells[2]] = outcome{cells[0], cells[1]}
		}
	}
}

func (l *log) add(name string, o outcome) error {
	l.outcomes[name] = o
	if l.file == nil {
		return nil
	}
	_, err := fmt.Fprintf(l.file, "%s\t%s\t%s\n", o.how, o.by, name)
	return err
}

func (l *log) close() {
	if l.file != nil {
		l.file.Close()
	}
}

// A review has the survivors that were accepted, and how far each package is reviewed.
type review struct {
	reasons map[string]string
	extent  map[string]string // by package; whole, or the part that was reviewed
}

// whole is the extent of a package of which all mutants were run, and each survivor has a
// reason.
const whole = "whole"

// readReviewed reads survivors.toml.
func readReviewed(name string) (review, error) {
	var file struct {
		Reviewed  map[string]string
		Survivors []struct {
			Reason  string
			Mutants []string
		}
	}
	meta, err := toml.DecodeFile(name, &file)
	if err != nil {
		return review{}, err
	}
	if extra := meta.Undecoded(); len(extra) > 0 {
		return review{}, fmt.Errorf("%s: unknown key %s", name, extra[0])
	}
	r := review{reasons: make(map[string]string), extent: file.Reviewed}
	for _, s := range file.Survivors {
		if s.Reason == "" || len(s.Mutants) == 0 {
			return review{}, fmt.Errorf("%s: want a reason and mutants, have %q and %q", name, s.Reason, s.Mutants)
		}
		for _, m := range s.Mutants {
			if r.reasons[m] != "" {
				return review{}, fmt.Errorf("%s: has %s twice", name, m)
			}
			r.reasons[m] = s.Reason
		}
	}
	return r, nil
}

// extents returns an error for each package whose extent is missing, and for each
// extent without a package.
func (r review) extents() (wrong []error) {
	for _, name := range lockPackages {
		if r.extent[name] == "" {
			wrong = append(wrong, fmt.Errorf("survivors.toml: does not say how far %s is reviewed", name))
		}
	}
	for name := range r.extent {
		if !slices.Contains(lockPackages, name) {
			wrong = append(wrong, fmt.Errorf("survivors.toml: says how far %s is reviewed, which is not mutated", name))
		}
	}
	return wrong
}

// packageOf returns the package of the mutant with that name.
func packageOf(name string) string {
	file, _, _ := strings.Cut(name, " ")
	return filepath.Dir(file)
}

// unknown returns an error for each survivor of these packages that is no mutant.
func (r review) unknown(all []mutant, packages []string) (wrong []error) {
	names := make(map[string]bool)
	for _, m := range all {
		names[m.String()] = true
	}
	for name := range r.reasons {
		if slices.Contains(packages, packageOf(name)) && !names[name] {
			wrong = append(wrong, fmt.Errorf("survivors.toml: no mutant has this name: %s", name))
		}
	}
	slices.SortFunc(wrong, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return wrong
}
