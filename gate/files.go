package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/results"
)

// Files has readings of any Go benchmarks that were measured earlier.
//
// Readings that were measured together are judged like those of a live source, by the
// pairs of a round ([Rules.Compare]). The same comment "# session: name" in two files
// says that they were measured together, and "# round: n" says of which round the
// readings below it are. Round numbers without a session do not suffice: the fifth
// round of Monday's run has nothing to do with the fifth of Tuesday's.
//
// All other readings, such as those of go test -count=10, are judged more weakly: their
// results have [Result.Unpaired].
type Files struct {
	Base, Head *results.RecordFile

	// Only, if it is not nil, selects the benchmarks to compare.
	Only func(Benchmark) bool

	// SameRounds says that rounds of the same number were measured together,
	// whether or not the files say so.
	SameRounds bool

	// IgnoreMachine makes it a warning, and not an error, that the files are of
	// different machines.
	IgnoreMachine bool

	// Drift is by how much, as a share, the machine's speed may have changed between
	// the files: 0.05 is the default, less than 0 means not at all. A benchmark that
	// was not measured together must be worse by more than margin and drift to have
	// regressed. Counts, such as allocs/op, do not drift.
	Drift float64

	// Strict lets a benchmark that was not measured together pass only if no drift
	// could hide a regression; that needs a margin above the drift. Without Strict the
	// interval must be within the margin.
	Strict bool
}

// DefaultDrift is how much a machine may drift between two files. On a shared virtual
// machine the median time of one instruction changes by as much from one quarter of an
// hour to the next.
const DefaultDrift = 0.05

// sessionNote is the key of the comment by which files say that they were
// measured together.
const sessionNote = "session"

// InstructionsNote is the key of the comment that says by what means instructions/op
// were counted: different means count different things. ByCallgrind is the beginning of
// its value if it was Callgrind; the version follows.
const (
	InstructionsNote = "instructions"
	ByCallgrind      = "by Callgrind, "
)

// CountError is by how much two counts of Callgrind may differ for the same binary, as
// a share.
const CountError = 0.015

// ReadFiles reads a base and a head. The error joins all that is wrong with any of them.
func ReadFiles(base, head string) (Files, error) {
	var f Files
	var errs []error
	read := func(name string) *results.RecordFile {
		file, err := results.ReadRecordFile(name)
		if err != nil {
			errs = append(errs, err)
		}
		return file
	}
	f.Base = read(base)
	f.Head = read(head)
	return f, errors.Join(errs...)
}

// CompareFiles compares files, as [Rules.Compare] does a source. It uses all readings,
// since they cost nothing.
//
// It is an error if there is nothing to compare, if the files are not of one machine,
// or if no file has a unit of the rules. If readings cannot be compared, the result is
// CannotTell: a unit that only one side has, or two files that are the same. A value
// that makes no sense, such as NaN, has no verdict.
func (r Rules) CompareFiles(ctx context.Context, f Files) (*Report, error) {
	src, err := newFileSource(f)
	if err != nil {
		return nil, err
	}
	return src.compare(ctx, r)
}

// FilesSource returns the rounds of files all of whose benchmarks were measured
// together.
func FilesSource(f Files) (Source, error) {
	src, err := newFileSource(f)
	if err != nil {
		return nil, err
	}
	if len(src.apart) > 0 {
		return nil, fmt.Errorf("%s: want rounds of one session, as in %s", src.apart[0], f.Base.Name)
	}
	return src, nil
}

// A fileSource has the rounds of files, and the readings that are in none.
type fileSource struct {
	Files
	both               []Benchmark
	onlyBase, onlyHead []Benchmark
	paired, apart      []Benchmark // both
	records            [sides]map[Benchmark][]results.Record
	rounds             map[Benchmark][]Round // in order, those not yet returned
	declared           results.Directions
	warnings           []string
}

func newFileSource(f Files) (*fileSource, error) {
	if f.Base == nil || f.Head == nil {
		return nil, fmt.Errorf("%w: want a base and a head", ErrNothing)
	}
	s := &fileSource{Files: f, declared: make(results.Directions), rounds: make(map[Benchmark][]Round)}
	for _, file := range s.files() {
		if file != nil {
			maps.Copy(s.declared, file.Declared)
		}
	}
	if err := s.sameMachine(); err != nil {
		return nil, err
	}
	if err := s.index(); err != nil {
		return nil, err
	}
	return s, s.pair()
}

// files returns those that there are, with their sides.
func (f Files) files() (files [sides]*results.RecordFile) {
	return [sides]*results.RecordFile{f.Base, f.Head}
}

// sameMachine returns an error for each way in which the machines differ. Missing facts
// are warnings.
func (s *fileSource) sameMachine() error {
	var errs []error
	for _, other := range []*results.RecordFile{s.Head} {
		for _, fact := range []struct{ key, base, other string }{
			{"goos", s.Base.GOOS, other.GOOS},
			{"goarch", s.Base.GOARCH, other.GOARCH},
			{"cpu", s.Base.CPU, other.CPU},
			{"machine", cmp.Or(s.Base.Machine, "host"), cmp.Or(other.Machine, "host")},
			{"cpus", note(s.Base, "cpus"), note(other, "cpus")},
		} {
			switch {
			case fact.base == fact.other:
			case fact.key == "cpus" && (fact.base == "" || fact.other == ""):
			case fact.base == "":
				s.warn("%s does not say its %s, %s does: %q", s.Base.Name, fact.key, other.Name, fact.other)
			case fact.other == "":
				s.warn("%s does not say its %s, %s does: %q", other.Name, fact.key, s.Base.Name, fact.base)
			case s.IgnoreMachine:
				s.warn("of different machines: %s %q in %s, %q in %s", fact.key, fact.base, s.Base.Name, fact.other, other.Name)
			default:
				errs = append(errs, fmt.Errorf("%s: want %s %q as in %s, have %q: two machines cannot be compared", other.Name, fact.key, fact.base, s.Base.Name, fact.other))
			}
		}
	}
	if base, head := note(s.Base, InstructionsNote), note(s.Head, InstructionsNote); base != "" && head != "" && base != head {
		if s.IgnoreMachine {
			s.warn("instructions/op are counted in different ways: %s in %s, %s in %s", base, s.Base.Name, head, s.Head.Name)
		} else {
			errs = append(errs, fmt.Errorf("%s: want instructions/op counted %s as in %s, have them counted %s: they are not of one kind", s.Head.Name, base, s.Base.Name, head))
		}
	}
	for unit := range s.units() {
		have := make(map[int]*results.RecordFile)
		for _, file := range s.files() {
			if file == nil {
				continue
			}
			if b := file.Declared.Better(unit); b != 0 {
				have[b] = file
			}
		}
		if len(have) > 1 {
			errs = append(errs, fmt.Errorf("unit %s: less is better in %s, more is better in %s", unit, have[-1].Name, have[+1].Name))
		}
	}
	return errors.Join(errs...)
}

// note returns the last note of that key, "" if there is none.
func note(f *results.RecordFile, key string) (text string) { return f.Noted(key) }

func (s *fileSource) warn(format string, args ...any) {
	s.warnings = append(s.warnings, fmt.Sprintf(format, args...))
}

// units yields all units in which a file has readings, in order.
func (s *fileSource) units() func(yield func(string) bool) {
	seen := make(map[string]bool)
	for _, file := range s.files() {
		if file == nil {
			continue
		}
		for _, r := range file.Records {
			for _, v := range r.Values {
				seen[v.Unit] = true
			}
		}
	}
	return slices.Values(slices.Sorted(maps.Keys(seen)))
}

// index sorts the records by benchmark.
func (s *fileSource) index() error {
	var order [sides][]Benchmark
	all := 0
	for side, file := range s.files() {
		s.records[side] = make(map[Benchmark][]results.Record)
		if file == nil {
			continue
		}
		for _, w := range file.Warnings {
			s.warn("%s: %s", file.Name, w)
		}
		for _, r := range file.Records {
			b := Benchmark{r.Pkg, r.Name}
			if all++; s.Only != nil && !s.Only(b) {
				continue
			}
			if s.records[side][b] == nil {
				order[side] = append(order[side], b)
			}
			s.records[side][b] = append(s.records[side][b], r)
		}
	}
	for _, b := range order[Base] {
		if s.records[Head][b] == nil {
			s.onlyBase = append(s.onlyBase, b)
		} else {
			s.both = append(s.both, b)
		}
	}
	for _, b := range order[Head] {
		if s.records[Base][b] == nil {
			s.onlyHead = append(s.onlyHead, b)
		}
	}
	switch {
	case len(s.both) > 0:
	case len(order[Base])+len(order[Head]) > 0:
		first := func(bs []Benchmark) string {
			if len(bs) == 0 {
				return "none"
			}
			return fmt.Sprintf("%d such as %s", len(bs), bs[0])
		}
		return fmt.Errorf("%w: no benchmark is on both sides: want the same in both, have %s in %s and %s in %s",
			ErrNothing, first(order[Base]), s.Base.Name, first(order[Head]), s.Head.Name)
	case all > 0:
		return fmt.Errorf("%w: the filter selects none of the benchmarks of %s and %s, such as %s", ErrNothing, s.Base.Name, s.Head.Name, someBenchmark(s.Base, s.Head))
	default:
		return fmt.Errorf("%w: no benchmarks in %s and %s", ErrNothing, s.Base.Name, s.Head.Name)
	}
	for _, b := range s.both {
		if x, y := s.records[Base][b][0].Oversubscribed, s.records[Head][b][0].Oversubscribed; x != y && !s.IgnoreMachine {
			return fmt.Errorf("%s:%d: %s: want oversubscribed %t as in %s, have %t: the machines differ in the number of their CPUs",
				s.Head.Name, s.records[Head][b][0].Line, b, x, s.Base.Name, y)
		}
	}
	return nil
}

func someBenchmark(files ...*results.RecordFile) Benchmark {
	for _, f := range files {
		if len(f.Records) > 0 {
			return Benchmark{f.Records[0].Pkg, f.Records[0].Name}
		}
	}
	return Benchmark{}
}

// pair finds the rounds.
func (s *fileSource) pair() error {
	together, rounds := s.together(), 0
	for _, b := range s.both {
		base, head := s.records[Base][b], s.records[Head][b]
		if inRounds(base) && inRounds(head) {
			rounds++
			if together {
				s.paired = append(s.paired, b)
				continue
			}
		}
		s.apart = append(s.apart, b)
	}
	if rounds > 0 && !together {
		s.warn("both files have rounds, but do not say that they were measured together, by the same line \"# %s: name\": they are not paired", sessionNote)
	}
	if together && len(s.apart) > 0 {
		s.warn("%d of %d benchmarks are not in rounds on both sides: they are not paired", len(s.apart), len(s.both))
	}
	var errs []error
	for _, b := range s.paired {
		errs = append(errs, s.roundsOf(b))
	}
	return errors.Join(errs...)
}

// together reports whether the files are of one session.
func (s *fileSource) together() bool {
	session := note(s.Base, sessionNote)
	if s.SameRounds {
		return true
	}
	return session != "" && session == note(s.Head, sessionNote)
}

// inRounds reports whether all records are of a round.
func inRounds(records []results.Record) bool {
	return !slices.ContainsFunc(records, func(r results.Record) bool { return r.Round == 0 })
}

// roundsOf finds the rounds of b.
func (s *fileSource) roundsOf(b Benchmark) error {
	var errs []error
	second := func(file *results.RecordFile, r results.Record) {
		errs = append(errs, fmt.Errorf("%s:%d: %s: want one reading in round %d, have another", file.Name, r.Line, b, r.Round))
	}
	at := make(map[int]*Round)
	set := func(side Side, file *results.RecordFile, r results.Record) {
		round := at[r.Round]
		if round == nil {
			round = &Round{Benchmark: b, Number: r.Round, Distance: r.Distance}
			at[r.Round] = round
		}
		if round.Distance != r.Distance {
			round.Distance = results.Mixed
		}
		round.Readings[side] = &Reading{Build: r.Build, Values: r.Values, Where: where(file, r)}
	}
	has := func(side Side, number int) bool { return at[number] != nil && at[number].Readings[side] != nil }
	for side, file := range s.files() {
		for _, r := range s.records[side][b] {
			if has(Side(side), r.Round) {
				second(file, r)
				continue
			}
			set(Side(side), file, r)
		}
	}
	missing := 0
	for _, number := range slices.Sorted(maps.Keys(at)) {
		if !has(Base, number) || !has(Head, number) {
			missing++
			continue
		}
		s.rounds[b] = append(s.rounds[b], *at[number])
	}
	if missing > 0 && len(errs) == 0 {
		s.warn("%s: %d of %d rounds are on one side only: they are left out", b, missing, len(at))
	}
	return errors.Join(errs...)
}

// Benchmarks is that of [Source]; of the benchmarks on both sides it returns the paired
// ones.
func (s *fileSource) Benchmarks() (both, onlyBase, onlyHead []Benchmark) {
	return s.paired, s.onlyBase, s.onlyHead
}

// Round returns the next round of each of the benchmarks, so the judge sees what it
// would have seen while they were measured.
func (s *fileSource) Round(ctx context.Context, of []Benchmark) ([]Round, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	var next []Round
	for _, b := range of {
		if queue := s.rounds[b]; len(queue) > 0 {
			next, s.rounds[b] = append(next, queue[0]), queue[1:]
		}
	}
	if len(next) == 0 {
		return nil, io.EOF
	}
	return next, nil
}

// Unchanged, Cost and Apart are those of [Source].
func (s *fileSource) Unchanged() []Unchanged       { return nil }
func (s *fileSource) Cost(Benchmark) time.Duration { return 0 }
func (s *fileSource) Apart() time.Duration         { return 0 }

// Better returns the direction that the files declare, or else [results.Better]. A
// declaration in one file holds for files without one.
func (s *fileSource) Better(unit string) int { return s.declared.Better(unit) }

// Exact reports which values do not vary: all of a simulated machine ("machine:
// sim:name"), which counts and does not measure, and whose values must be equal; and
// instructions for which one count by Callgrind suffices.
func (s *fileSource) Exact(b Benchmark, unit string) (tolerance float64, exact bool) {
	switch by := note(s.Base, InstructionsNote); {
	case s.simulated():
		return 0, true
	case unit == results.Instructions && strings.HasPrefix(by, ByCallgrind) && by == note(s.Head, InstructionsNote) && s.once(Base, b, unit) && s.once(Head, b, unit):
		return CountError, true
	}
	return 0, false
}

// simulated reports whether the files are of a simulated machine.
func (s *fileSource) simulated() bool {
	_, base := s.Base.Simulated()
	_, head := s.Head.Simulated()
	return base && head
}

// once reports whether exactly one reading of b has the unit.
func (s *fileSource) once(side Side, b Benchmark, unit string) bool {
	n := 0
	for _, r := range s.records[side][b] {
		if _, ok := r.Value(unit); ok {
			n++
		}
	}
	return n == 1
}

// compare is [Rules.CompareFiles].
func (s *fileSource) compare(ctx context.Context, r Rules) (*Report, error) {
	began := time.Now()
	if err := s.checkUnits(r); err != nil {
		return nil, err
	}
	r = r.WithDefaults()

	// Each family of tests gets its share of the false discoveries.
	share := func(of []Benchmark) Rules {
		r := r
		r.FDR *= float64(len(of)) / float64(len(s.both))
		return r
	}
	rep := &Report{}
	var unknown []string
	if len(s.paired) > 0 {
		of := share(s.paired)
		of.Budget, of.toEnd = 0, true // reading files takes no time
		var err error
		if rep, err = of.Compare(ctx, s); err != nil && !errors.Is(err, ErrNothing) {
			return nil, err
		} else if err != nil {
			rep = &Report{}
		}
		unknown = rep.NotJudged
	}
	apart, units, err := s.judgeApart(ctx, share(s.apart))
	if err != nil {
		return nil, err
	}
	rep.Results = append(rep.Results, apart...)
	if len(rep.Results) == 0 {
		return nil, fmt.Errorf("%w: no unit left to judge", ErrNothing)
	}

	rep.Base, rep.Head, rep.Rules = s.Base.Name, s.Head.Name, r
	rep.NotJudged = slices.Compact(slices.Sorted(slices.Values(slices.Concat(unknown, units))))
	rep.OnlyBase, rep.OnlyHead, rep.New = nil, nil, nil
	rep.only(r, s.onlyBase, s.onlyHead)
	rep.Warnings = slices.Concat(s.warnings, rep.Warnings)
	if s.same() {
		rep.Warnings = append(rep.Warnings, fmt.Sprintf("%s and %s hold the very same readings: want two runs", s.Base.Name, s.Head.Name))
		for i := range rep.Results {
			if rep.Results[i].Verdict == NoVerdict {
				continue
			}
			rep.Results[i].Verdict, rep.Results[i].Why = CannotTell, "both sides hold the very same readings: this is one run, compared with itself"
		}
	}
	rep.Rounds = 0
	for _, res := range rep.Results {
		rep.Rounds = max(rep.Rounds, res.Rounds)
	}
	rep.Took = time.Since(began)
	rep.finish()
	return rep, nil
}

// checkUnits returns an error for each unit of the rules that cannot be judged.
func (s *fileSource) checkUnits(r Rules) error {
	var errs []error
	for _, u := range r.Units {
		switch {
		case !slices.ContainsFunc(s.both, func(b Benchmark) bool { return s.has(Base, b, u) && s.has(Head, b, u) }):
			have := slices.DeleteFunc(slices.Collect(s.units()), func(u string) bool {
				return !slices.ContainsFunc(s.both, func(b Benchmark) bool { return s.has(Base, b, u) && s.has(Head, b, u) })
			})
			errs = append(errs, fmt.Errorf("unit %s: no benchmark has it on both sides: want one of %s", u, cmp.Or(strings.Join(have, ", "), "none")))
		case s.Better(u) == 0:
			errs = append(errs, unknownUnit(u))
		}
	}
	return errors.Join(errs...)
}

// where returns where the record is.
func where(file *results.RecordFile, r results.Record) string {
	return fmt.Sprintf("%s:%d", file.Name, r.Line)
}

// has reports whether any of the readings of b has the unit.
func (s *fileSource) has(side Side, b Benchmark, unit string) bool {
	return slices.ContainsFunc(s.records[side][b], func(r results.Record) bool {
		_, ok := r.Value(unit)
		return ok
	})
}

// unitsOf returns the units of the readings of b on one side.
func (s *fileSource) unitsOf(side Side, b Benchmark) map[string]bool {
	units := make(map[string]bool)
	for _, r := range s.records[side][b] {
		for _, v := range r.Values {
			units[v.Unit] = true
		}
	}
	return units
}

// same reports whether both sides have exactly the same readings although these have
// noise: then they are the same run, in one file or in two.
func (s *fileSource) same() bool {
	if s.simulated() {
		return false
	}
	noise := false
	for _, b := range s.both {
		base, head := s.records[Base][b], s.records[Head][b]
		if len(base) != len(head) {
			return false
		}
		for i, r := range base {
			if r.Ops != head[i].Ops || !slices.Equal(r.Values, head[i].Values) {
				return false
			}
			for k, v := range r.Values {
				noise = noise || !isCount(v.Unit) && k < len(base[0].Values) && v != base[0].Values[k]
			}
		}
	}
	return noise
}
