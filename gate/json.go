package gate

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/lockbench/lockbench/results"
)

// JSONVersion is the version of what [Report.WriteJSON] writes. It changes when
// a field changes its meaning or goes; not when one is added.
const JSONVersion = 3

// The report as it is in JSON. All fields are always there. Shares are
// fractions: 0.03 is 3 %.
type jsonReport struct {
	Version int    `json:"schema_version"` // JSONVersion
	Verdict string `json:"verdict"`        // "pass", "cannot tell", "no verdict" or "regressed": the worst of all that is not minor
	Whole   bool   `json:"whole"`          // false if only_base, only_head or problems has something: then it is no pass

	Base   string       `json:"base"` // what was compared, for people
	Head   string       `json:"head"`
	Rules  jsonRules    `json:"rules"`
	Rounds int          `json:"rounds"`
	Took   int64        `json:"took_ns"`
	Counts jsonCounts   `json:"counts"`
	All    []jsonResult `json:"results"` // the worst first
	Shapes []jsonShape  `json:"shapes"`

	Problems  []string        `json:"problems"`  // why there is no verdict
	OnlyBase  []jsonBenchmark `json:"only_base"` // vanished, and not declared so
	OnlyHead  []jsonBenchmark `json:"only_head"` // new, and not declared so
	First     []jsonBenchmark `json:"first"`     // new, and declared so, while the base has none
	Unchanged []jsonUnchanged `json:"unchanged"` // not measured, since both sides are the same
	NotJudged []string        `json:"not_judged"`
	Warnings  []string        `json:"warnings"`

	Interrupted bool `json:"interrupted"` // what was undecided then cannot be told
}

type jsonUnchanged struct {
	Pkg string `json:"pkg"`
	Why string `json:"why"`
}

type jsonRules struct {
	Margin     jsonNumber `json:"margin"`
	FDR        jsonNumber `json:"fdr"`
	Confidence jsonNumber `json:"confidence"`
	MinRounds  int        `json:"min_rounds"`
	Budget     int64      `json:"budget_ns"` // 0 is without end
	Units      []string   `json:"units"`     // empty is all
}

// The counts follow from the results; reading ignores them.
type jsonCounts struct {
	Regressed  int `json:"regressed"`
	CannotTell int `json:"cannot_tell"`
	Pass       int `json:"pass"`
	Improved   int `json:"improved"` // of those that pass
	Minor      int `json:"minor"`
	NoVerdict  int `json:"no_verdict"`
}

type jsonBenchmark struct {
	Pkg  string `json:"package"`
	Name string `json:"name"`
}

// A jsonResult is a [Result]; see there.
type jsonResult struct {
	jsonBenchmark
	Unit      string     `json:"unit"`
	Better    string     `json:"better"`   // "higher", "lower", or "" if that is not known
	Distance  string     `json:"distance"` // of the CPUs: "local", "near", "far", or "" if that is not known
	Verdict   string     `json:"verdict"`
	Why       string     `json:"why"`
	Output    string     `json:"output"` // of what failed
	N         int        `json:"n"`
	Rounds    int        `json:"rounds"`
	Old       jsonNumber `json:"old"`
	New       jsonNumber `json:"new"`         // the base's median times the change; reading ignores it
	Median    jsonNumber `json:"head_median"` // [Result.New]
	Change    jsonNumber `json:"change"`
	Lo        jsonNumber `json:"lo"`
	Hi        jsonNumber `json:"hi"`
	Spread    jsonNumber `json:"spread"`
	Within    jsonNumber `json:"within"`
	Margin    jsonNumber `json:"margin"`
	Drift     jsonNumber `json:"drift"`
	Evidence  jsonNumber `json:"evidence"`
	Exact     bool       `json:"exact"`
	Signed    bool       `json:"signed"`
	Unpaired  bool       `json:"unpaired"`
	Confirmed bool       `json:"confirmed"`
	Minor     bool       `json:"minor"`
	Improved  bool       `json:"improved"` // follows from the others; reading ignores it
}

// A jsonShape is a [ShapeResult]; see there.
type jsonShape struct {
	Shape   string     `json:"shape"`
	Place   string     `json:"place"`
	Kind    string     `json:"kind"`
	Demand  string     `json:"demand"`
	Lock    string     `json:"lock"`
	Where   string     `json:"where"`
	Verdict string     `json:"verdict"`
	Why     string     `json:"why"`
	Value   jsonNumber `json:"value"`
	Lo      jsonNumber `json:"lo"`
	Hi      jsonNumber `json:"hi"`
	Unit    string     `json:"unit"`
	N       int        `json:"n"`
	Points  int        `json:"points"`
	Left    int        `json:"left_out"`
	Minor   bool       `json:"minor"`
}

var betterWords = map[int]string{+1: "higher", -1: "lower", 0: ""}

// WriteJSON writes the report as JSON for other programs. What the fields are
// called does not change within a [JSONVersion].
func (r *Report) WriteJSON(w io.Writer) error {
	t, rules := r.Tally(), r.Rules.withDefaults()
	out := jsonReport{
		Version: JSONVersion, Verdict: r.Outcome().String(), Whole: r.Whole(),
		Base: r.Base, Head: r.Head, Rounds: r.Rounds, Took: int64(r.Took),
		Rules: jsonRules{jsonNumber(rules.Margin), jsonNumber(rules.FDR), jsonNumber(rules.Confidence),
			rules.MinRounds, int64(rules.Budget), append([]string{}, rules.Units...)},
		Counts:    jsonCounts(t),
		All:       make([]jsonResult, 0, len(r.Results)),
		Shapes:    make([]jsonShape, 0, len(r.Shapes)),
		Problems:  append([]string{}, r.Problems...),
		OnlyBase:  jsonBenchmarks(r.OnlyBase),
		OnlyHead:  jsonBenchmarks(r.OnlyHead),
		First:     jsonBenchmarks(r.First),
		Unchanged: make([]jsonUnchanged, 0, len(r.Unchanged)),
		NotJudged: append([]string{}, r.NotJudged...),
		Warnings:  append([]string{}, r.Warnings...),

		Interrupted: r.Interrupted,
	}
	for _, u := range r.Unchanged {
		out.Unchanged = append(out.Unchanged, jsonUnchanged(u))
	}
	for i := range r.Results {
		res := &r.Results[i]
		out.All = append(out.All, jsonResult{
			jsonBenchmark: jsonBenchmark(res.Benchmark), Unit: res.Unit, Better: betterWords[res.Better], Distance: string(res.Distance),
			Verdict: res.Verdict.String(), Why: res.Why, Output: res.Output, N: res.N, Rounds: res.Rounds,
			Old: jsonNumber(res.Old), New: jsonNumber(res.Becomes()), Median: jsonNumber(res.New), Change: jsonNumber(res.Change), Lo: jsonNumber(res.Lo), Hi: jsonNumber(res.Hi),
			Spread: jsonNumber(res.Spread), Within: jsonNumber(res.Within), Margin: jsonNumber(res.Margin), Drift: jsonNumber(res.Drift), Evidence: jsonNumber(res.Evidence),
			Exact: res.Exact, Signed: res.Signed, Unpaired: res.Unpaired, Confirmed: res.Confirmed, Minor: res.Minor, Improved: res.Improved(),
		})
	}
	for _, s := range r.Shapes {
		out.Shapes = append(out.Shapes, jsonShape{s.Shape, s.Place, s.Kind, s.Demand, s.Lock, s.Where, s.Verdict.String(), s.Why,
			jsonNumber(s.Value), jsonNumber(s.Lo), jsonNumber(s.Hi), s.Unit, s.N, s.Points, s.Left, s.Minor})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	return e.Encode(out)
}

func jsonBenchmarks(bs []Benchmark) []jsonBenchmark {
	out := make([]jsonBenchmark, 0, len(bs))
	for _, b := range bs {
		out = append(out, jsonBenchmark(b))
	}
	return out
}

// ReadJSON reads what [Report.WriteJSON] wrote. It is an error if the version is
// another, if a verdict is not one, or if something follows the report.
func ReadJSON(rd io.Reader) (*Report, error) {
	var in jsonReport
	d := json.NewDecoder(rd)
	if err := d.Decode(&in); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("report in JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("report in JSON: something follows it")
	}
	if in.Version != JSONVersion {
		return nil, fmt.Errorf("report in JSON: schema_version %d, want %d", in.Version, JSONVersion)
	}
	r := &Report{
		Base: in.Base, Head: in.Head, Rounds: in.Rounds, Took: time.Duration(in.Took),
		Rules: Rules{Margin: float64(in.Rules.Margin), FDR: float64(in.Rules.FDR), Confidence: float64(in.Rules.Confidence),
			MinRounds: in.Rules.MinRounds, Budget: time.Duration(in.Rules.Budget), Units: in.Rules.Units},
		OnlyBase: benchmarksIn(in.OnlyBase), OnlyHead: benchmarksIn(in.OnlyHead), First: benchmarksIn(in.First),
		NotJudged: in.NotJudged, Warnings: in.Warnings, Problems: in.Problems, Interrupted: in.Interrupted,
	}
	if err := r.Verdict.UnmarshalText([]byte(in.Verdict)); err != nil {
		return nil, fmt.Errorf("report in JSON: %w", err)
	}
	for _, u := range in.Unchanged {
		r.Unchanged = append(r.Unchanged, Unchanged(u))
	}
	for i, res := range in.All {
		out := Result{
			Benchmark: Benchmark(res.jsonBenchmark), Unit: res.Unit, Distance: results.Distance(res.Distance),
			Why: res.Why, Output: res.Output, N: res.N, Rounds: res.Rounds,
			Old: float64(res.Old), New: float64(res.Median), Change: float64(res.Change), Lo: float64(res.Lo), Hi: float64(res.Hi),
			Spread: float64(res.Spread), Within: float64(res.Within), Margin: float64(res.Margin), Drift: float64(res.Drift), Evidence: float64(res.Evidence),
			Exact: res.Exact, Signed: res.Signed, Unpaired: res.Unpaired, Confirmed: res.Confirmed, Minor: res.Minor,
		}
		if err := out.Verdict.UnmarshalText([]byte(res.Verdict)); err != nil {
			return nil, fmt.Errorf("report in JSON: result %d: %w", i+1, err)
		}
		switch res.Better {
		case "higher":
			out.Better = +1
		case "lower":
			out.Better = -1
		case "":
		default:
			return nil, fmt.Errorf("report in JSON: result %d: better %q, want higher, lower or nothing", i+1, res.Better)
		}
		r.Results = append(r.Results, out)
	}
	for i, s := range in.Shapes {
		var verdict Verdict
		if err := verdict.UnmarshalText([]byte(s.Verdict)); err != nil {
			return nil, fmt.Errorf("report in JSON: shape %d: %w", i+1, err)
		}
		r.Shapes = append(r.Shapes, ShapeResult{s.Shape, s.Place, s.Kind, s.Demand, s.Lock, s.Where, verdict, s.Why,
			float64(s.Value), float64(s.Lo), float64(s.Hi), s.Unit, s.N, s.Points, s.Left, s.Minor})
	}
	return r, nil
}

func benchmarksIn(bs []jsonBenchmark) (out []Benchmark) {
	for _, b := range bs {
		out = append(out, Benchmark(b))
	}
	return out
}
