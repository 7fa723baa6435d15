package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/lockbench/lockbench/results"
)

// Compare measures until each benchmark is decided, or the budget is spent, or
// the source has no more.
//
// First all benchmarks are screened. Then those that seem to be worse are built
// anew and measured once more: a regression is called so only if the rounds after
// that show it by themselves. Those that are undecided go on beside them.
func (r Rules) Compare(ctx context.Context, src Source) (*Report, error) {
	j, err := newJudge(r, src)
	if err != nil {
		return nil, err
	}
	if err := j.measure(ctx); err != nil {
		return nil, err
	}
	return j.report()
}

// withDefaults returns r with the defaults for what is zero.
func (r Rules) withDefaults() Rules {
	r.Margin = cmp.Or(r.Margin, DefaultMargin)
	r.FDR = cmp.Or(r.FDR, DefaultFDR)
	r.Confidence = cmp.Or(r.Confidence, DefaultConfidence)
	r.MinRounds = cmp.Or(r.MinRounds, DefaultMinRounds)
	return r
}

// alpha is the chance that an interval is wrong.
func (r Rules) alpha() float64 { return 1 - r.Confidence }

// A judge follows a comparison.
type judge struct {
	rules  Rules
	src    Source
	began  time.Time
	all    []Benchmark
	series map[seriesKey]*series // nil for what is not judged
	order  []*series             // as they came
	by     map[Benchmark][]*series

	rounds  int
	dropped int                                   // rounds that were of no one distance
	unknown map[string]bool                       // units of which it is not known what is better
	seen    map[Benchmark]*[sides]map[string]bool // units, of each benchmark that had a round
	renewed map[Benchmark]bool                    // those of which new binaries are measured
	failed  map[Benchmark]*Failure
	wrong   map[seriesKey]*nonsense // of no distance
	final   bool                    // there are none to be had
}

// Nonsense is what readings of one unit of one benchmark are that make no sense.
type nonsense struct {
	first string // where it is, and what is wrong with it
	n     int
}

func (x *nonsense) add(where string, wrong error) {
	if x.n++; x.n == 1 {
		x.first = fmt.Sprintf("%s: %v", where, wrong)
	}
}

func (x nonsense) String() string {
	if x.n > 1 {
		return fmt.Sprintf("%s (and %d more)", x.first, x.n-1)
	}
	return x.first
}

type seriesKey struct {
	Benchmark
	unit     string
	distance results.Distance
}

// A series is what there is of one unit of one benchmark at one distance.
type series struct {
	seriesKey
	measure         // of both kinds of pairs
	exact   bool    // has no noise
	within  float64 // up to what share values that do not vary are equal

	// The pairs until it was suspect; and those since it was measured afresh.
	screened, fresh pairs

	suspect bool // the screening found it worse
	done    bool // nothing to come can change the verdict
	found   bool // by the confirmation, too
}

// now returns the pairs that decide.
func (s *series) now() *pairs {
	if s.suspect && s.fresh.n() > 0 {
		return &s.fresh
	}
	return &s.screened
}

func newJudge(r Rules, src Source) (*judge, error) {
	j := &judge{
		rules: r.withDefaults(), src: src, began: time.Now(),
		series:  make(map[seriesKey]*series),
		by:      make(map[Benchmark][]*series),
		unknown: make(map[string]bool),
		seen:    make(map[Benchmark]*[sides]map[string]bool),
		renewed: make(map[Benchmark]bool),
		failed:  make(map[Benchmark]*Failure),
		wrong:   make(map[seriesKey]*nonsense),
	}
	var onlyBase, onlyHead []Benchmark
	j.all, onlyBase, onlyHead = src.Benchmarks()
	if len(j.all)+len(onlyBase)+len(onlyHead) == 0 {
		return nil, ErrNothing
	}
	for _, u := range r.Units {
		if src.Better(u) == 0 {
			return nil, unknownUnit(u)
		}
	}
	return j, nil
}

func unknownUnit(u string) error {
	return fmt.Errorf("unit %s: not known whether more is better: want a line \"Unit %s better=lower\" (or higher) in the benchmark's output", u, u)
}

// screeningShare is the part of the budget that screening may take.
const screeningShare = 0.6

func (j *judge) measure(ctx context.Context) error {
	share := screeningShare
	for open := j.all; ; share = 1 {
		before := j.rounds
		var err error
		if open, err = j.stage(ctx, open, share); err != nil || len(open) == 0 || j.spent(1) {
			return err
		}
		suspects := slices.DeleteFunc(slices.Clone(open), func(b Benchmark) bool { return !j.awaits(b) })
		if len(suspects) == 0 {
			if share == 1 || j.rounds == before {
				return nil // there are no more rounds
			}
			continue
		}
		fresh, err := j.src.Fresh(ctx, suspects)
		if err != nil {
			return err
		}
		if !fresh {
			j.final = true
			return nil
		}
		for _, b := range suspects {
			j.renewed[b] = true
		}
	}
}

// awaits reports whether b is suspect, and is to be built anew.
func (j *judge) awaits(b Benchmark) bool {
	return !j.renewed[b] && j.failed[b] == nil && slices.ContainsFunc(j.by[b], func(s *series) bool { return s.suspect && !s.done })
}

// stage measures benchmarks until none is open, or share of the budget is
// spent, or there is no more, or, after the first stage, one is suspect. It
// returns those that are not done.
func (j *judge) stage(ctx context.Context, of []Benchmark, share float64) (open []Benchmark, err error) {
	active := slices.Clone(of)
	for round := 1; len(active) > 0 && !j.spent(share); round++ {
		got, err := j.src.Round(ctx, active)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		j.rounds++
		for _, r := range got {
			j.add(r)
		}
		j.look()
		active = slices.DeleteFunc(active, j.settled)
		if j.rules.Progress != nil {
			stage := "screening"
			if len(j.renewed) > 0 {
				stage = "confirming"
			}
			j.rules.Progress(Progress{stage, round, len(active), j.suspects(), len(j.all)})
		}
		if share == 1 && slices.ContainsFunc(of, j.awaits) {
			break // while there is time
		}
	}
	return slices.DeleteFunc(slices.Clone(of), func(b Benchmark) bool { return j.settled(b) && !j.awaits(b) }), nil
}

// spent reports whether that share of the budget is.
func (j *judge) spent(share float64) bool {
	b := j.rules.Budget
	return b > 0 && time.Since(j.began) > time.Duration(share*float64(b))
}

// settled reports whether this stage needs no more rounds of b.
func (j *judge) settled(b Benchmark) bool {
	if j.failed[b] != nil {
		return true
	}
	// Of several distances, the one that there is most of decides.
	most := make(map[string]*series)
	for _, s := range j.by[b] {
		if s.suspect && !s.done && j.renewed[b] {
			return false
		}
		if m := most[s.unit]; m == nil || s.screened.n() > m.screened.n() {
			most[s.unit] = s
		}
	}
	for _, s := range most {
		if !s.done && !s.suspect {
			return false
		}
	}
	return len(most) > 0 || j.seen[b] != nil // or there is nothing to judge
}

func (j *judge) suspects() int {
	of := make(map[Benchmark]bool)
	for _, s := range j.order {
		if s.suspect && !(s.done && !s.found) {
			of[s.Benchmark] = true
		}
	}
	return len(of)
}

// add takes note of a round.
func (j *judge) add(r Round) {
	if r.Failed != nil {
		j.failed[r.Benchmark] = r.Failed
		return
	}
	base, again, head := r.Readings[Base], r.Readings[Again], r.Readings[Head]
	if base == nil || head == nil {
		return
	}
	for side, reading := range r.Readings {
		if reading == nil {
			continue
		}
		for _, v := range reading.Values {
			j.check(r.Benchmark, v, func() string {
				return cmp.Or(reading.Where, fmt.Sprintf("%v, round %d", Side(side), r.Number))
			})
		}
	}
	if r.Distance == results.Mixed {
		j.dropped++ // not one state of the machine
		return
	}
	j.see(r.Benchmark, Base, base.Values)
	j.see(r.Benchmark, Head, head.Values)
	for _, v := range base.Values {
		after, ok := head.value(v.Unit)
		if !ok {
			continue // said of all rounds together
		}
		at := r.Distance
		if isCount(v.Unit) {
			at = results.Unknown // it makes no difference
		}
		s := j.of(seriesKey{r.Benchmark, v.Unit, at})
		if s == nil {
			continue
		}
		q := pair{r.Number, &value{v.Value, base.Build}, nil, &value{after, head.Build}}
		if v, ok := again.value(v.Unit); ok {
			q.again = &value{v, again.Build}
		}
		if j.nonsense(s.seriesKey) != nil {
			s.done = true
			continue
		}
		if !s.signed && q.negative() {
			s.signed = true
			s.screened.measureAll()
			s.fresh.measureAll()
		}
		p := &s.screened
		if s.suspect {
			p = &s.fresh
			if !j.renewed[s.Benchmark] {
				continue // the binaries are those that made it suspect
			}
		}
		p.add(q)
	}
}

// check takes note of v, a reading of b, if it is to be judged and makes no sense.
// Nothing is said then of its unit of b, whatever the other readings are.
func (j *judge) check(b Benchmark, v results.Value, where func() string) {
	wrong := senseless(v)
	if wrong == nil || !j.judges(b, v.Unit) {
		return
	}
	k := seriesKey{Benchmark: b, unit: v.Unit}
	if j.wrong[k] == nil {
		j.wrong[k] = new(nonsense)
		for _, s := range j.by[b] {
			s.done = s.done || s.unit == v.Unit
		}
	}
	j.wrong[k].add(where(), wrong)
}

// nonsense returns what is wrong with readings of k at any distance, nil if nothing is.
func (j *judge) nonsense(k seriesKey) *nonsense {
	k.distance = ""
	return j.wrong[k]
}

// senseless returns why a value is no reading that one could compare, nil if it is.
func senseless(v results.Value) error {
	if v.Unit == "ns/op" && v.Value == 0 {
		return errors.New("0 ns/op: want a time: does the benchmark loop b.N times?")
	}
	return v.Validate()
}

// see takes note of the units that one side of b has.
func (j *judge) see(b Benchmark, side Side, values []results.Value) {
	seen := j.seen[b]
	if seen == nil {
		seen = &[sides]map[string]bool{Base: make(map[string]bool), Head: make(map[string]bool)}
		j.seen[b] = seen
	}
	for _, v := range values {
		seen[side][v.Unit] = true
	}
}

// of returns the series of k, or nil if it is not judged.
func (j *judge) of(k seriesKey) *series {
	if s, ok := j.series[k]; ok {
		return s
	}
	j.series[k] = nil
	if !j.judges(k.Benchmark, k.unit) {
		return nil
	}
	s := &series{seriesKey: k, measure: measure{better: j.src.Better(k.unit), margin: j.rules.Margin}}
	s.within, s.exact = j.src.Exact(k.unit)
	if !s.exact && !isCount(k.unit) {
		s.within = s.margin
	}
	if j.rules.For != nil {
		if e, ok := j.rules.For(k.Benchmark, k.unit); ok {
			s.margin, s.within = e.Margin, e.Margin
		}
	}
	s.screened.measure, s.fresh.measure = &s.measure, &s.measure
	j.series[k] = s
	j.order = append(j.order, s)
	j.by[k.Benchmark] = append(j.by[k.Benchmark], s)
	return s
}

// judges reports whether unit of b is judged.
func (j *judge) judges(b Benchmark, unit string) bool {
	return (len(j.rules.Units) == 0 || slices.Contains(j.rules.Units, unit)) && j.src.Better(unit) != 0 && !j.rules.ignores(b, unit)
}

// isCount reports whether go test counts the unit, and does not measure it: if
// it does not vary, one more is one too many.
func isCount(unit string) bool { return results.Counted(unit) }

// hypotheses returns how many there are, met yet or not.
func (j *judge) hypotheses() int {
	units, distances := make(map[string]bool), make(map[results.Distance]bool)
	for _, s := range j.order {
		units[s.unit] = true
		if s.distance != results.Unknown && s.distance != results.Local {
			distances[s.distance] = true
		}
	}
	n := 0
	for _, b := range j.all {
		if b.cpus() > 1 && len(distances) > 0 {
			n++ // near and far
		}
		n++
	}
	return n * max(1, len(units))
}

// look decides what can be decided after a round.
func (j *judge) look() {
	alpha := j.rules.alpha()
	for i, found := range j.discoveries((*series).screening) {
		s := j.order[i]
		n := s.now().n()
		switch {
		case s.done || n < j.rules.MinRounds && !s.exact:
		case s.exact || !s.suspect && !s.screened.varies:
			s.done = true
		case !s.suspect:
			s.suspect = found
			s.done = !found && s.screened.passes(alpha)
		case s.fresh.n() >= j.rules.MinRounds:
			s.done = s.fresh.passes(alpha)
		}
	}
	if len(j.renewed) == 0 {
		return
	}
	for i, found := range j.discoveries((*series).confirmation) {
		s := j.order[i]
		if found && s.fresh.n() >= j.rules.MinRounds && s.holdsBetweenBuilds() {
			s.found, s.done = true, true
		}
	}
}

// discoveries says of each series whether it is found to be worse.
func (j *judge) discoveries(evidence func(s *series, alpha float64) float64) []bool {
	logs := make([]float64, len(j.order))
	for i, s := range j.order {
		if logs[i] = math.Inf(-1); j.nonsense(s.seriesKey) == nil {
			logs[i] = evidence(s, j.rules.alpha())
		}
	}
	return discoveries(logs, j.hypotheses(), j.rules.FDR)
}

func (s *series) screening(alpha float64) float64 { return s.screened.evidence(alpha) }

// confirmation is the evidence of the screening and that of the rounds after it,
// whichever is less: it must do by itself.
func (s *series) confirmation(alpha float64) float64 {
	if !s.suspect {
		return math.Inf(-1)
	}
	return min(s.screened.evidence(alpha), s.fresh.evidence(alpha))
}

// holdsBetweenBuilds reports whether no chance of layout explains the change.
func (s *series) holdsBetweenBuilds() bool {
	if len(s.fresh.head) == 0 {
		return true // a source that knows no binaries
	}
	atLeast, ok := s.fresh.betweenBuilds()
	return ok && atLeast > s.limit()
}

// report returns what came of it.
func (j *judge) report() (*Report, error) {
	rep := &Report{Rules: j.rules, Took: time.Since(j.began), Rounds: j.rounds}
	_, rep.OnlyBase, rep.OnlyHead = j.src.Benchmarks()
	if known := j.rules.Declared; known != nil {
		rep.OnlyBase = slices.DeleteFunc(slices.Clone(rep.OnlyBase), func(b Benchmark) bool { return known(b, Base) })
		rep.OnlyHead = slices.DeleteFunc(slices.Clone(rep.OnlyHead), func(b Benchmark) bool { return known(b, Head) })
	}
	most := make(map[seriesKey]*series) // without a distance
	for _, s := range j.order {
		k := s.seriesKey
		k.distance = ""
		if m := most[k]; m == nil || s.screened.n()+s.fresh.n() > m.screened.n()+m.fresh.n() {
			most[k] = s
		}
	}
	for _, s := range j.order {
		if j.failed[s.Benchmark] != nil || j.nonsense(s.seriesKey) != nil {
			continue // whatever it measured before that
		}
		r := j.result(s)
		k := s.seriesKey
		k.distance = ""
		r.Minor = s != most[k] && r.Verdict != Regressed
		rep.Results = append(rep.Results, r)
	}
	for _, b := range j.all {
		if f := j.failed[b]; f != nil {
			r := untold(b, "", 0, f.Why)
			r.Verdict, r.Output = NoVerdict, f.Output
			rep.Results = append(rep.Results, r)
			continue
		}
		seen := j.seen[b]
		if seen == nil {
			rep.Results = append(rep.Results, untold(b, "", 0, "not measured: there was no round of it"))
			continue
		}
		rep.Results = append(rep.Results, j.notCompared(b, seen[Base], seen[Head])...)
	}
	rep.NotJudged = slices.Sorted(maps.Keys(j.unknown))
	if first := j.first(rep); len(first) > 0 {
		rep.First = first
	} else if len(j.all) == 0 {
		rep.Problems = append(rep.Problems, fmt.Sprintf("%v: the base and the head have no benchmark in common", ErrNothing))
	} else if len(rep.Results) == 0 {
		return nil, fmt.Errorf("%w: no unit left to judge", ErrNothing)
	}
	if j.dropped > 0 {
		rep.Warnings = append(rep.Warnings, fmt.Sprintf("%d readings left out: the CPUs came nearer to each other, or went farther apart, in the middle", j.dropped))
	}
	rep.finish()
	return rep, nil
}

// first returns the benchmarks of the head if it may have them all, and the base has
// none.
func (j *judge) first(rep *Report) []Benchmark {
	both, onlyBase, onlyHead := j.src.Benchmarks()
	if len(both)+len(onlyBase)+len(rep.OnlyHead) > 0 {
		return nil
	}
	return onlyHead
}

// notCompared returns a result for each unit of b that should be judged and that
// one side alone has or of which a reading makes no sense, and one if b has nothing
// that can be judged. It takes note of the units of which it is not known whether
// more is better.
func (j *judge) notCompared(b Benchmark, base, head map[string]bool) (res []Result) {
	all := maps.Clone(base)
	maps.Copy(all, head)
	known, open := false, false
	for _, u := range slices.Sorted(maps.Keys(all)) {
		if len(j.rules.Units) > 0 && !slices.Contains(j.rules.Units, u) {
			continue
		}
		better := j.src.Better(u)
		known = known || better != 0
		if j.rules.ignores(b, u) {
			continue
		}
		if better == 0 {
			open = true
			if !results.Neutral(u) {
				j.unknown[u] = true
			}
			continue
		}
		if wrong := j.wrong[seriesKey{Benchmark: b, unit: u}]; wrong != nil {
			r := untold(b, u, better, wrong.String())
			r.Verdict = NoVerdict
			res = append(res, r)
			continue
		}
		if base[u] && head[u] {
			continue
		}
		has := Base
		if head[u] {
			has = Head
		}
		res = append(res, untold(b, u, better, fmt.Sprintf("only the %v has it: want both run with the same flags, such as -benchmem", has)))
	}
	if len(j.rules.Units) == 0 && open && !known {
		res = append(res, untold(b, "", 0, "nothing to judge: it is not known of any of its units whether more is better"))
	}
	return res
}

// ignores reports whether an exception says not to judge unit of b.
func (r Rules) ignores(b Benchmark, unit string) bool {
	if r.For == nil {
		return false
	}
	e, ok := r.For(b, unit)
	return ok && e.Ignore
}

// untold is a result that cannot be told.
func untold(b Benchmark, unit string, better int, why string) Result {
	nan := math.NaN()
	return Result{Benchmark: b, Unit: unit, Better: better, Verdict: CannotTell, Why: why,
		Old: nan, New: nan, Change: nan, Lo: nan, Hi: nan, Noise: nan, BootLo: nan, BootHi: nan}
}

// finish orders the results, the worst first, and sums them up.
func (r *Report) finish() {
	r.Verdict = Pass
	for _, res := range r.Results {
		if !res.Minor {
			r.Verdict = max(r.Verdict, res.Verdict)
		}
	}
	badness := func(r Result) float64 { // how much worse at least, or seems
		b := r.bad(r.Lo)
		if r.Better > 0 {
			b = r.bad(r.Hi)
		}
		if math.IsNaN(b) {
			return math.Inf(-1)
		}
		return b
	}
	slices.SortStableFunc(r.Results, func(a, b Result) int {
		return cmp.Or(
			cmp.Compare(b.Verdict, a.Verdict),
			-cmp.Compare(badness(a), badness(b)),
			cmp.Compare(a.Pkg, b.Pkg),
			cmp.Compare(a.Name, b.Name),
			cmp.Compare(a.Unit, b.Unit),
		)
	})
}

// result returns what is to be said of s.
func (j *judge) result(s *series) Result {
	p := s.now()
	alpha := j.rules.alpha()
	r := Result{
		Benchmark: s.Benchmark, Unit: s.unit, Better: s.better, Distance: s.distance,
		N: p.n(), Rounds: s.screened.n() + s.fresh.n(), Margin: s.margin, Builds: len(p.head),
		Old: medianOf(p.bases), New: medianOf(p.heads),
		Evidence:  s.screened.evidence(alpha),
		Confirmed: s.found,
		Signed:    s.signed,
	}
	if s.exact || !p.varies && p.n() >= j.rules.MinRounds {
		s.resultExact(&r)
		return r
	}

	sorted := slices.Clone(p.differences)
	lo, hi := bounds(sorted, alpha)
	r.setChange(s.change, median(sorted), lo, hi)
	r.Noise = (&measure{better: -1, signed: s.signed}).change(p.noise(alpha))
	bootLo, bootHi := p.bootstrap(alpha)
	r.BootLo, r.BootHi = s.change(bootLo), s.change(bootHi)
	if s.better > 0 {
		r.BootLo, r.BootHi = r.BootHi, r.BootLo
	}
	r.Verdict, r.Why = j.verdict(s, p)
	return r
}

// setChange sets the change from numbers of which more is worse.
func (r *Result) setChange(change func(worse float64) float64, d, lo, hi float64) {
	if r.Better > 0 {
		lo, hi = hi, lo
	}
	r.Change, r.Lo, r.Hi = change(d), change(lo), change(hi)
}

// resultExact compares values that do not vary.
func (s *series) resultExact(r *Result) {
	m := &measure{s.better, s.within, s.signed}
	d := m.worse(r.Old, r.New)
	r.setChange(m.change, d, d, d)
	r.Exact, r.Noise, r.Margin = true, 0, s.within
	r.BootLo, r.BootHi = math.NaN(), math.NaN()
	switch {
	case d > m.limit():
		r.Verdict, r.Why = Regressed, "the values do not vary, and the head's is worse"
	case d < 0:
		r.Why = "the values do not vary, and the head's is better"
	case d > 0:
		r.Why = "the values do not vary, and the head's is worse by no more than the margin"
	case d == 0:
		r.Why = "the values do not vary, and are the same"
	default: // no reading that makes sense comes here
		r.Verdict, r.Why = CannotTell, "the values cannot be compared"
	}
}

// verdict returns the verdict on values that vary, and what it rests on.
func (j *judge) verdict(s *series, p *pairs) (Verdict, string) {
	alpha := j.rules.alpha()
	noise := p.noise(alpha)
	switch {
	case s.suspect && j.final:
		return Regressed, "the whole interval is beyond the margin; not confirmed, since nothing could be measured again"
	case s.suspect && s.fresh.n() < j.rules.MinRounds:
		return CannotTell, "suspect, and the budget was spent before it could be confirmed"
	case s.found:
		return Regressed, "the whole interval is beyond the margin, and was again with new binaries"
	case p.n() >= j.rules.MinRounds && p.passes(alpha):
		if s.suspect {
			return Pass, "suspect at first, not so with new binaries"
		}
		return Pass, "the whole interval is within the margin"
	case p.n() < j.rules.MinRounds:
		return CannotTell, fmt.Sprintf("%d pairs, want at least %d", p.n(), j.rules.MinRounds)
	case noise > p.limit():
		return CannotTell, "the base differs from itself by as much as the margin"
	case s.suspect && !s.holdsBetweenBuilds():
		return CannotTell, "suspect, but binaries of the same code differ as much"
	case s.suspect:
		return CannotTell, "suspect, but not confirmed with new binaries"
	}
	return CannotTell, "the margin is within the interval"
}
