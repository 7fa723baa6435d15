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
	"strings"
	"time"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// Compare measures until each benchmark is decided, the budget is spent, the source has
// no more rounds, or ctx is done; the report has what was measured until then.
//
// A benchmark that seems to be worse is measured until new binaries alone show it once
// more.
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

// WithDefaults returns r with the defaults for what is zero.
func (r Rules) WithDefaults() Rules {
	r.Margin = cmp.Or(r.Margin, DefaultMargin)
	r.FDR = cmp.Or(r.FDR, DefaultFDR)
	r.Confidence = cmp.Or(r.Confidence, DefaultConfidence)
	r.MinRounds = cmp.Or(r.MinRounds, DefaultMinRounds)
	return r
}

// alpha is the probability that an interval is wrong.
func (r Rules) alpha() float64 { return 1 - r.Confidence }

// A judge is the state of a comparison.
type judge struct {
	rules  Rules
	src    Source
	began  time.Time
	all    []Benchmark
	series map[seriesKey]*series // nil if it is not judged
	order  []*series             // in order of their first round
	by     map[Benchmark][]*series

	rounds      map[Benchmark]int
	dropped     int                                   // rounds in which the distance differed
	unbuilt     int                                   // rounds of unknown binaries
	unknown     map[string]bool                       // units without a known direction
	seen        map[Benchmark]*[sides]map[string]bool // units of each benchmark that had a round
	failed      map[Benchmark]*Failure
	wrong       map[seriesKey]*nonsense // keys have no distance
	late        []Benchmark             // benchmarks that do not fit into the budget
	interrupted bool
	spent       bool // the budget is
}

// A nonsense describes readings of one unit of one benchmark that make no sense.
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

// A series is the readings of one unit of one benchmark at one distance.
type series struct {
	seriesKey
	measure
	clusters
	exact     bool    // does not vary, so one reading suffices
	apart     float64 // by how much two readings of the same code may differ anyway, as a share
	tolerance float64 // values that do not vary are equal if they differ by no more than this share

	whole    int     // readings when evidence was computed
	evidence float64 // its logarithm if the centre is beyond the margin, otherwise -Inf

	since int  // number of readings when it became suspect, 0 if it is not
	need  int  // about how many more readings decide it
	done  bool // no further reading can change the verdict
	found bool // it is worse, and new binaries alone showed it again
}

func newJudge(r Rules, src Source) (*judge, error) {
	j := &judge{
		rules: r.WithDefaults(), src: src, began: time.Now(),
		series:  make(map[seriesKey]*series),
		by:      make(map[Benchmark][]*series),
		unknown: make(map[string]bool),
		seen:    make(map[Benchmark]*[sides]map[string]bool),
		rounds:  make(map[Benchmark]int),
		failed:  make(map[Benchmark]*Failure),
		wrong:   make(map[seriesKey]*nonsense),
	}
	var onlyBase, onlyHead []Benchmark
	j.all, onlyBase, onlyHead = src.Benchmarks()
	if len(j.all)+len(onlyBase)+len(onlyHead)+len(src.Unchanged()) == 0 {
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

// measure asks for rounds, one of each open benchmark in turn. Benchmarks that would
// exceed the budget come last.
func (j *judge) measure(ctx context.Context) error {
	fits, late := j.plan()
	j.late = late
	for _, open := range [][]Benchmark{fits, late} {
		open = slices.Clone(open)
		for len(open) > 0 {
			i := j.next(open)
			got, err := j.round(ctx, open[i])
			if err != nil || j.interrupted || j.spent {
				return err
			}
			if !got || !j.rules.toEnd && j.settled(open[i]) {
				open = slices.Delete(open, i, i+1)
			}
		}
	}
	return nil
}

// next returns the index of the benchmark for the next round: the one with the fewest
// rounds until each has as many as a pass needs; then the one that needs the least time
// to be decided, so that a noisy benchmark does not take the budget of all others.
func (j *judge) next(open []Benchmark) int {
	best, few := 0, time.Duration(math.MaxInt64)
	for i, b := range open {
		if j.rounds[b] < j.rounds[open[best]] {
			best = i
		}
	}
	if j.rules.Budget == 0 || j.rules.toEnd || j.rounds[open[best]] < j.rules.MinRounds*PairsPerBuild {
		return best
	}
	for i, b := range open {
		need := 0
		for _, s := range j.by[b] {
			if !s.done {
				need = max(need, s.need)
			}
		}
		if takes := time.Duration(need) * max(j.src.Cost(b), 1); takes < few {
			best, few = i, takes
		}
	}
	return best
}

// round measures a round of b, unless there are no more rounds of it or the time is
// over.
func (j *judge) round(ctx context.Context, b Benchmark) (got bool, err error) {
	if j.interrupted = ctx.Err() != nil; j.interrupted {
		return false, nil
	}
	if j.spent = j.left() <= 0; j.spent {
		return false, nil
	}
	rounds, err := j.src.Round(ctx, []Benchmark{b})
	switch {
	case errors.Is(err, io.EOF):
		return false, nil
	case err != nil && ctx.Err() != nil:
		j.interrupted = true
		return false, nil
	case err != nil:
		return false, err
	}
	for _, r := range rounds {
		j.add(r)
	}
	j.look(b)
	if j.rules.Progress != nil {
		j.rules.Progress(j.progress())
	}
	return len(rounds) > 0, nil
}

// left returns how much of the budget is left.
func (j *judge) left() time.Duration {
	if j.rules.Budget == 0 {
		return math.MaxInt64
	}
	return j.rules.Budget - (time.Since(j.began) - j.src.Apart())
}

// plan orders the benchmarks by the cost of a round, and says which of them do not fit
// into the budget if each takes as many rounds as a pass needs.
func (j *judge) plan() (fits, late []Benchmark) {
	order := slices.Clone(j.all)
	slices.SortStableFunc(order, func(a, b Benchmark) int { return cmp.Compare(j.src.Cost(a), j.src.Cost(b)) })
	for left := j.left(); len(order) > 0; order = order[1:] {
		if left -= time.Duration(j.rules.MinRounds*PairsPerBuild) * j.src.Cost(order[0]); left < 0 {
			break
		}
		fits = append(fits, order[0])
	}
	return fits, order
}

func (j *judge) progress() Progress {
	p := Progress{Stage: "screening", Of: len(j.all)}
	for _, b := range j.all {
		p.Rounds = max(p.Rounds, j.rounds[b])
		if !j.settled(b) {
			p.Open++
		}
	}
	if p.Suspect = j.suspects(); p.Suspect > 0 && p.Suspect == p.Open {
		p.Stage = "confirming"
	}
	return p
}

// settled reports whether b needs no more rounds.
func (j *judge) settled(b Benchmark) bool {
	if j.failed[b] != nil {
		return true
	}
	// Of several distances, the one with the most readings decides.
	most := make(map[string]*series)
	for _, s := range j.by[b] {
		if s.since > 0 && !s.done {
			return false
		}
		if m := most[s.unit]; m == nil || len(s.bases) > len(m.bases) {
			most[s.unit] = s
		}
	}
	for _, s := range most {
		if !s.done {
			return false
		}
	}
	return len(most) > 0 || j.seen[b] != nil // a round without a series has nothing to judge
}

// suspects returns how many benchmarks seem to be worse, and are not done.
func (j *judge) suspects() int {
	of := make(map[Benchmark]bool)
	for _, s := range j.order {
		if s.since > 0 && !s.done {
			of[s.Benchmark] = true
		}
	}
	return len(of)
}

// add adds a round.
func (j *judge) add(r Round) {
	if r.Failed != nil {
		j.failed[r.Benchmark] = r.Failed
		return
	}
	base, head := r.Readings[Base], r.Readings[Head]
	if base == nil || head == nil {
		return
	}
	j.rounds[r.Benchmark]++
	build := base.Build
	if build == 0 || build != head.Build {
		build = 0
		j.unbuilt++
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
		j.dropped++ // the machine changed within the round
		return
	}
	j.see(r.Benchmark, Base, base.Values)
	j.see(r.Benchmark, Head, head.Values)
	for _, v := range base.Values {
		after, ok := head.value(v.Unit)
		if !ok {
			continue // one warning covers all rounds
		}
		at := r.Distance
		if isCount(v.Unit) {
			at = results.Unknown // the distance does not matter
		}
		s := j.of(seriesKey{r.Benchmark, v.Unit, at})
		if s == nil {
			continue
		}
		if j.nonsense(s.seriesKey) != nil {
			s.done = true
			continue
		}
		q := pair{build, v.Value, after}
		if !s.signed && q.negative() {
			s.signed = true
			s.measureAll()
		}
		s.add(q)
	}
}

// check notes v, a reading of b, if its unit is judged and the value makes no sense.
// That unit of b then has no verdict, whatever the other readings are.
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

// senseless returns why a value cannot be compared, nil if it can.
func senseless(v results.Value) error {
	if v.Unit == "ns/op" && v.Value == 0 {
		return errors.New("0 ns/op: want a time: does the benchmark loop b.N times?")
	}
	return v.Validate()
}

// see notes the units that one side of b has.
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
	s.apart, s.exact = j.src.Exact(k.Benchmark, k.unit)
	if !s.exact && !isCount(k.unit) {
		s.tolerance = s.margin
	}
	if j.rules.For != nil {
		if e, ok := j.rules.For(k.Benchmark, k.unit); ok {
			s.margin, s.tolerance = e.Margin, e.Margin
		}
	}
	s.fastest = k.cpus() == 1 && results.Elapsed(k.unit) // what goroutines do to each other may be fast by chance
	s.clusters.measure = &s.measure
	j.series[k] = s
	j.order = append(j.order, s)
	j.by[k.Benchmark] = append(j.by[k.Benchmark], s)
	return s
}

// judges reports whether unit of b is judged.
func (j *judge) judges(b Benchmark, unit string) bool {
	return (len(j.rules.Units) == 0 || slices.Contains(j.rules.Units, unit)) && j.src.Better(unit) != 0 && !j.rules.ignores(b, unit)
}

// isCount reports whether go test counts the unit and does not measure it: if it does
// not vary, any increase is a regression.
func isCount(unit string) bool { return results.Counted(unit) }

// hypotheses returns the number of hypotheses, including those without readings yet.
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
			n++ // near and far are separate hypotheses
		}
		n++
	}
	return n * max(1, len(units))
}

// If a benchmark seems to be worse, at least leastAnew new binaries must show that by
// themselves, at this level.
const (
	leastAnew = 8
	levelAnew = 0.05
)

// look decides what can be decided after a round of b.
func (j *judge) look(b Benchmark) {
	var open []*series
	anew := false
	for _, s := range j.by[b] {
		switch {
		case s.done || j.nonsense(s.seriesKey) != nil:
		case s.exact || !s.varies && len(s.bases) >= j.rules.MinRounds:
			s.done = true
		default:
			anew = s.weigh(true) || anew
			open = append(open, s)
		}
	}
	if !anew {
		return
	}
	worse := j.worse()
	for _, s := range open {
		readings := s.readings(true)
		n := len(readings)
		switch {
		case n < j.rules.MinRounds:
		case worse[s] && s.since == 0:
			s.since = n
		case worse[s] && s.shownAnew(readings):
			s.found, s.done = true, true
		case s.passes(readings, j.rules.alpha()):
			s.done = true
		}
		s.need = s.missing(readings)
	}
}

// missing returns about how many more readings decide s.
func (s *series) missing(readings []float64) int {
	n := len(readings)
	if n < 2 {
		return leastAnew
	}
	anew := 0
	room, worse := s.room(centre(readings))
	if worse {
		anew = leastAnew
	}
	if s.since > 0 {
		anew = max(1, leastAnew-(n-s.since))
	}
	width := widthOfOne * spread(readings) // of the interval of a single reading, if intervals narrow like that
	total := width * width / (room * room)
	if !(total < 1e6) {
		total = 1e6
	}
	return max(int(math.Ceil(total))-n, 1) + anew
}

// widthOfOne, divided by the square root of the number of readings, is about how far the
// interval of many readings reaches to either side, in their standard deviations.
const widthOfOne = 4

// room returns how far the interval may reach to either side of the middle when there is
// a verdict, and whether that is worse: the middle is beyond the margin, and the interval
// ends above 0. Otherwise it ends below twice the margin.
func (s *series) room(middle float64) (room float64, worse bool) {
	if middle > s.limit() {
		return middle, true
	}
	return 2*s.limit() - middle, false
}

// weigh computes the evidence, and reports whether there are more readings than before.
func (s *series) weigh(more bool) bool {
	readings := s.readings(more)
	if len(readings) == s.whole && more {
		return false
	}
	s.whole, s.evidence = len(readings), math.Inf(-1)
	if e := logEvidence(readings, 0, s.limit()); e > 0 && centre(readings) > s.limit() {
		s.evidence = e
	}
	return true
}

// worse returns the series that are found to be worse: their centre is worse by more
// than the margin, and chance does not explain it.
func (j *judge) worse() map[*series]bool {
	logs := make([]float64, len(j.order))
	for i, s := range j.order {
		logs[i] = math.Inf(-1)
		if !s.exact && s.varies && j.nonsense(s.seriesKey) == nil {
			logs[i] = s.evidence
		}
	}
	worse := make(map[*series]bool)
	for i, found := range discoveries(logs, j.hypotheses(), j.rules.FDR) {
		if found {
			worse[j.order[i]] = true
		}
	}
	return worse
}

// shownAnew reports whether the readings since the series became suspect show by
// themselves that it is worse.
func (s *series) shownAnew(readings []float64) bool {
	anew := readings[min(s.since, len(readings)):]
	return len(anew) >= leastAnew && centre(anew) > s.limit() && logEvidence(anew, 0, s.limit()) >= -math.Log(levelAnew)
}

// passes reports whether the centre is not worse by more than the margin, and the bound
// of the interval not by more than twice the margin.
func (s *series) passes(readings []float64, alpha float64) bool {
	mirrored := make([]float64, len(readings))
	for i, x := range readings {
		mirrored[i] = -x
	}
	return logEvidence(mirrored, -2*s.limit(), s.limit()) >= -math.Log(alpha/2) && centre(readings) <= s.limit()
}

// report returns the result of the comparison.
func (j *judge) report() (*Report, error) {
	rep := &Report{Rules: j.rules, Took: time.Since(j.began), Unchanged: j.src.Unchanged(), Interrupted: j.interrupted}
	for _, n := range j.rounds {
		rep.Rounds = max(rep.Rounds, n)
	}
	_, onlyBase, onlyHead := j.src.Benchmarks()
	rep.only(j.rules, onlyBase, onlyHead)
	most := make(map[seriesKey]*series) // without a distance
	for _, s := range j.order {
		k := s.seriesKey
		k.distance = ""
		if m := most[k]; m == nil || len(s.bases) > len(m.bases) {
			most[k] = s
		}
	}
	for _, s := range j.order {
		s.weigh(false)
	}
	worse := j.worse()
	for _, s := range j.order {
		if j.failed[s.Benchmark] != nil || j.nonsense(s.seriesKey) != nil {
			continue // even if it was measured before that
		}
		r := j.result(s, worse[s])
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
	switch {
	case len(rep.Unchanged) > 0:
	case len(j.all) == 0 && len(onlyBase)+len(rep.OnlyHead) == 0 && len(rep.New) > 0: // these are the first benchmarks of all
	case len(j.all) == 0:
		rep.Problems = append(rep.Problems, fmt.Sprintf("%v: the base and the head have no benchmark in common", ErrNothing))
	case len(rep.Results) == 0:
		return nil, fmt.Errorf("%w: no unit left to judge", ErrNothing)
	}
	if len(j.late) > 0 {
		rep.Warnings = append(rep.Warnings, fmt.Sprintf("measured last, since a budget of %v has no room for what is slow: %s", j.rules.Budget, names(j.late)))
	}
	if j.unbuilt > 0 {
		rep.Warnings = append(rep.Warnings, fmt.Sprintf("of %s it is not known of which binaries they are: that one is laid out better than the other looks like a change", wording.Plural(j.unbuilt, "pair")))
	}
	if j.dropped > 0 {
		rep.Warnings = append(rep.Warnings, fmt.Sprintf("%d readings left out: the CPUs came nearer to each other, or went farther apart, in the middle", j.dropped))
	}
	rep.finish()
	return rep, nil
}

// notCompared returns a result for each unit of b that should be judged but that only
// one side has or that has a reading without sense, and one if b has no unit that can
// be judged. It notes the units without a known direction.
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

// untold returns a result with the verdict CannotTell.
func untold(b Benchmark, unit string, better int, why string) Result {
	nan := math.NaN()
	return Result{Benchmark: b, Unit: unit, Better: better, Verdict: CannotTell, Why: why,
		Old: nan, New: nan, Change: nan, Lo: nan, Hi: nan, Spread: nan, Within: nan}
}

// finish orders the results, the worst first, and sums them up.
func (r *Report) finish() {
	r.Verdict = Pass
	for _, res := range r.Results {
		if !res.Minor {
			r.Verdict = max(r.Verdict, res.Verdict)
		}
	}
	badness := func(r Result) float64 { // by how much the result seems to be worse
		b := r.bad(r.Change)
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

// result returns the result of s; worse says whether it was found to be worse.
func (j *judge) result(s *series, worse bool) Result {
	r := Result{
		Benchmark: s.Benchmark, Unit: s.unit, Better: s.better, Distance: s.distance,
		Rounds: len(s.bases), Margin: s.margin,
		Old: medianOf(s.bases), New: medianOf(s.heads),
		Spread: math.NaN(), Within: math.NaN(),
		Confirmed: s.found,
		Signed:    s.signed,
	}
	if s.exact || !s.varies && len(s.bases) >= j.rules.MinRounds {
		r.N = len(s.bases)
		s.resultExact(&r)
		return r
	}

	readings := s.readings(false)
	r.N = len(readings)
	lo, hi := bounds(readings, s.limit(), j.rules.alpha())
	r.setChange(s.change, centre(readings), lo, hi)
	share := measure{better: -1, signed: s.signed}
	r.Spread, r.Within = share.change(spread(readings)), share.change(s.clusters.within())
	r.Evidence = logEvidence(readings, 0, s.limit())
	r.Verdict, r.Why = j.verdict(s, readings, worse, lo, hi)
	return r
}

// setChange sets the change from measures, where more is worse.
func (r *Result) setChange(change func(worse float64) float64, d, lo, hi float64) {
	if r.Better > 0 {
		lo, hi = hi, lo
	}
	r.Change, r.Lo, r.Hi = change(d), change(lo), change(hi)
}

// resultExact compares values that do not vary.
func (s *series) resultExact(r *Result) {
	if s.exact && s.apart > 0 {
		s.resultNear(r)
		return
	}
	m := &measure{better: s.better, margin: s.tolerance, signed: s.signed}
	d := m.worse(r.Old, r.New)
	r.setChange(m.change, d, d, d)
	r.Exact, r.Margin = true, s.tolerance
	switch {
	case d > m.limit():
		r.Verdict, r.Why = Regressed, "the values do not vary, and the head's is worse"
	case d < 0:
		r.Why = "the values do not vary, and the head's is better"
	case d > 0:
		r.Why = "the values do not vary, and the head's is worse by no more than the margin"
	case d == 0:
		r.Why = "the values do not vary, and are the same"
	default: // only a reading without sense comes here
		r.Verdict, r.Why = CannotTell, "the values cannot be compared"
	}
}

// resultNear compares values of which two readings of the same code may differ by a
// known share at most. It judges them like an interval of that width.
func (s *series) resultNear(r *Result) {
	d, most := s.worse(r.Old, r.New), s.apart
	if !s.signed {
		most = math.Log1p(s.apart)
	}
	r.setChange(s.change, d, d-most, d+most)
	limit := s.limit()
	switch {
	case math.IsNaN(d): // only a reading without sense comes here
		r.Verdict, r.Why = CannotTell, "the values cannot be compared"
	case d > limit && d > most:
		r.Verdict, r.Why = Regressed, fmt.Sprintf("counted: worse by more than the margin, and than the %s by which two counts of the same may be apart", wording.Share(s.apart))
	case d <= limit && d+most < 2*limit:
		r.Verdict, r.Why = Pass, "counted: within the margin"
	default:
		r.Verdict, r.Why = CannotTell, fmt.Sprintf("two counts of the same may be apart by %s: want a margin of that at least", wording.Share(s.apart))
	}
}

// verdict returns the verdict on values that vary, and its reason.
func (j *judge) verdict(s *series, readings []float64, worse bool, lo, hi float64) (Verdict, string) {
	n := len(readings)
	switch {
	case n < j.rules.MinRounds:
		return CannotTell, fmt.Sprintf("%s, want at least %d%s", s.count(n), j.rules.MinRounds, j.ended())
	case s.found && (worse || !j.rules.toEnd):
		return Regressed, "beyond the margin, above 0 for sure, and so again with new binaries alone"
	case worse && s.since > 0 && n-s.since >= leastAnew:
		return CannotTell, "it seemed to be worse, and not so with new binaries alone" + j.ended()
	case worse && lo > 0:
		return Regressed, "beyond the margin, and above 0 for sure; not confirmed by new binaries" + j.ended()
	case s.passes(readings, j.rules.alpha()):
		if s.since > 0 {
			return Pass, "suspect at first, not so with new binaries"
		}
		return Pass, "within the margin, and below twice the margin for sure"
	}
	return CannotTell, s.lacks(readings, lo, hi) + j.ended()
}

// ended says why there are no more rounds.
func (j *judge) ended() string {
	switch {
	case j.interrupted:
		return "; it was interrupted"
	case j.spent:
		return "; the budget was spent"
	}
	return ""
}

// count writes a number of readings.
func (s *series) count(n int) string {
	if s.clusters.all[0].build == 0 {
		return wording.Plural(n, "pair")
	}
	return wording.Plural(n, "pair") + " of binaries"
}

// lacks says what is missing for a verdict, and what would help.
func (s *series) lacks(readings []float64, lo, hi float64) string {
	n, what := len(readings), "it may be worse by twice the margin"
	room, worse := s.room(centre(readings))
	if worse {
		what = "it seems to be worse by more than the margin, and may be no worse at all"
	}
	if width := (hi - lo) / 2; !math.IsInf(width, 0) && room > 0 && width > room {
		what += fmt.Sprintf(": that takes about %s, there are %d", s.count(int(math.Ceil(float64(n)*width*width/(room*room)))), n)
	}
	between, within := spread(readings), s.clusters.within()
	share := measure{better: -1, signed: s.signed}
	switch {
	case s.clusters.all[0].build == 0 || math.IsNaN(within) || math.IsNaN(between):
	case between > 2*within/math.Sqrt(PairsPerBuild):
		what += fmt.Sprintf("; binaries of the same code are %s apart by their layout: align the loop, or widen the margin", wording.Share(share.change(between)))
	default:
		what += fmt.Sprintf("; the machine makes pairs of the same binaries %s apart: a quieter one, or a longer budget, helps", wording.Share(share.change(within)))
	}
	return what
}

// names lists benchmarks.
func names(all []Benchmark) string {
	var list []string
	for _, b := range all {
		list = append(list, b.String())
	}
	return strings.Join(list, ", ")
}
