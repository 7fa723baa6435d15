package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// JSONVersion is the version of what [JSON] writes. It changes when a field changes its
// meaning or is removed, not when one is added.
const JSONVersion = 3

// The report in JSON. All fields are always there. Shares are fractions: 0.03 is 3 %.
type jsonReport struct {
	Version int    `json:"schema_version"` // JSONVersion
	Verdict string `json:"verdict"`        // "pass", "cannot tell", "no verdict" or "regressed": the worst of all results that are not minor
	Whole   bool   `json:"whole"`          // false if only_base, only_head or problems is not empty: then it is no pass

	Base   string       `json:"base"` // what was compared, for people
	Head   string       `json:"head"`
	Rules  jsonRules    `json:"rules"`
	Rounds int          `json:"rounds"`
	Took   int64        `json:"took_ns"`
	Counts jsonCounts   `json:"counts"`
	All    []jsonResult `json:"results"` // the worst first
	Shapes []jsonShape  `json:"shapes"`

	Problems  []string        `json:"problems"`  // why there is no verdict
	OnlyBase  []jsonBenchmark `json:"only_base"` // missing in the head, which is not allowed
	OnlyHead  []jsonBenchmark `json:"only_head"` // new, which is not allowed
	New       []jsonBenchmark `json:"new"`       // new, which is allowed
	Unchanged []jsonUnchanged `json:"unchanged"` // not measured, since both sides are the same
	NotJudged []string        `json:"not_judged"`
	Warnings  []string        `json:"warnings"`

	Interrupted bool `json:"interrupted"` // what was undecided then is cannot tell
}

type jsonUnchanged struct {
	Pkg string `json:"package"`
	Why string `json:"why"`
}

type jsonRules struct {
	Margin     wording.JSONNumber `json:"margin"`
	FDR        wording.JSONNumber `json:"fdr"`
	Confidence wording.JSONNumber `json:"confidence"`
	MinRounds  int                `json:"min_rounds"`
	Budget     int64              `json:"budget_ns"` // 0 means no limit
	Units      []string           `json:"units"`     // empty means all
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

// A jsonResult is a [gate.Result]; see there.
type jsonResult struct {
	jsonBenchmark
	Unit      string             `json:"unit"`
	Better    string             `json:"better"`   // "higher", "lower", or "" if that is not known
	Distance  string             `json:"distance"` // of the CPUs: "local", "near", "far", or "" if that is not known
	Verdict   string             `json:"verdict"`
	Why       string             `json:"why"`
	Output    string             `json:"output"` // of a benchmark that failed
	N         int                `json:"n"`
	Rounds    int                `json:"rounds"`
	Old       wording.JSONNumber `json:"old"`
	New       wording.JSONNumber `json:"new"`         // the base's median times the change; reading ignores it
	Median    wording.JSONNumber `json:"head_median"` // [gate.Result.New]
	Change    wording.JSONNumber `json:"change"`
	Lo        wording.JSONNumber `json:"lo"`
	Hi        wording.JSONNumber `json:"hi"`
	Spread    wording.JSONNumber `json:"spread"`
	Within    wording.JSONNumber `json:"within"`
	Margin    wording.JSONNumber `json:"margin"`
	Drift     wording.JSONNumber `json:"drift"`
	Evidence  wording.JSONNumber `json:"evidence"`
	Exact     bool               `json:"exact"`
	Signed    bool               `json:"signed"`
	Unpaired  bool               `json:"unpaired"`
	Confirmed bool               `json:"confirmed"`
	Minor     bool               `json:"minor"`
	Improved  bool               `json:"improved"` // follows from the others; reading ignores it
}

// A jsonShape is a [finding]; see there.
type jsonShape struct {
	Shape   string             `json:"shape"`
	Place   string             `json:"place"`
	Kind    string             `json:"kind"`
	Demand  string             `json:"demand"`
	Lock    string             `json:"lock"`
	Where   string             `json:"where"`
	Verdict string             `json:"verdict"`
	Why     string             `json:"why"`
	Value   wording.JSONNumber `json:"value"`
	Lo      wording.JSONNumber `json:"lo"`
	Hi      wording.JSONNumber `json:"hi"`
	Unit    string             `json:"unit"`
	N       int                `json:"n"`
	Points  int                `json:"points"`
	Left    int                `json:"left_out"`
	Minor   bool               `json:"minor"`
}

// JSON writes the report as JSON for other programs. The names of the fields do not
// change within a [JSONVersion].
func JSON(w io.Writer, d Document) error {
	t, rules := d.all(), d.Rules.WithDefaults()
	out := jsonReport{
		Version: JSONVersion, Verdict: d.Outcome().String(), Whole: d.Whole(),
		Base: d.Base, Head: d.Head, Rounds: d.Rounds, Took: int64(d.Took),
		Rules: jsonRules{wording.JSONNumber(rules.Margin), wording.JSONNumber(rules.FDR), wording.JSONNumber(rules.Confidence),
			rules.MinRounds, int64(rules.Budget), append([]string{}, rules.Units...)},
		Counts:    jsonCounts{t.regressed, t.cannotTell, t.pass, t.improved, t.minor, t.noVerdict},
		All:       make([]jsonResult, 0, len(d.Results)),
		Shapes:    make([]jsonShape, 0, len(d.Shapes)),
		Problems:  append([]string{}, d.Problems...),
		OnlyBase:  jsonBenchmarks(d.OnlyBase),
		OnlyHead:  jsonBenchmarks(d.OnlyHead),
		New:       jsonBenchmarks(d.New),
		Unchanged: make([]jsonUnchanged, 0, len(d.Unchanged)),
		NotJudged: append([]string{}, d.NotJudged...),
		Warnings:  append([]string{}, d.Warnings...),

		Interrupted: d.Interrupted,
	}
	for _, u := range d.Unchanged {
		out.Unchanged = append(out.Unchanged, jsonUnchanged(u))
	}
	for i := range d.Results {
		res := row{&d.Results[i]}
		out.All = append(out.All, jsonResult{
			jsonBenchmark: jsonBenchmark(res.Benchmark), Unit: res.Unit, Better: results.Direction(res.Better), Distance: string(res.Distance),
			Verdict: res.Verdict.String(), Why: res.Why, Output: res.Output, N: res.N, Rounds: res.Rounds,
			Old: wording.JSONNumber(res.Old), New: wording.JSONNumber(res.Becomes()), Median: wording.JSONNumber(res.New), Change: wording.JSONNumber(res.Change), Lo: wording.JSONNumber(res.Lo), Hi: wording.JSONNumber(res.Hi),
			Spread: wording.JSONNumber(res.Spread), Within: wording.JSONNumber(res.Within), Margin: wording.JSONNumber(res.Margin), Drift: wording.JSONNumber(res.Drift), Evidence: wording.JSONNumber(res.Evidence),
			Exact: res.Exact, Signed: res.Signed, Unpaired: res.Unpaired, Confirmed: res.Confirmed, Minor: res.Minor, Improved: res.Improved(),
		})
	}
	for _, s := range d.Shapes {
		out.Shapes = append(out.Shapes, jsonShape{s.Shape, s.Place, s.Kind, s.Demand, s.Lock, s.Where, s.Verdict.String(), s.Why,
			wording.JSONNumber(s.Value), wording.JSONNumber(s.Lo), wording.JSONNumber(s.Hi), s.Unit, s.N, s.Points, s.Left, s.Minor})
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "\t")
	return e.Encode(out)
}

func jsonBenchmarks(bs []gate.Benchmark) []jsonBenchmark {
	out := make([]jsonBenchmark, 0, len(bs))
	for _, b := range bs {
		out = append(out, jsonBenchmark(b))
	}
	return out
}

// ReadJSON reads what [JSON] wrote, now or in version 2. It is an error if the version
// is another one, if a verdict is unknown, or if something follows the report.
func ReadJSON(rd io.Reader) (Document, error) {
	var in jsonReport
	d := json.NewDecoder(rd)
	if err := d.Decode(&in); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return Document{}, fmt.Errorf("report in JSON: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Document{}, errors.New("report in JSON: something follows it")
	}
	switch in.Version {
	case JSONVersion:
	case 2: // has a noise instead of a spread
		for i := range in.All {
			in.All[i].Spread, in.All[i].Within = wording.JSONNumber(math.NaN()), wording.JSONNumber(math.NaN())
		}
	default:
		return Document{}, fmt.Errorf("report in JSON: schema_version %d, want 2 or %d", in.Version, JSONVersion)
	}
	r := &gate.Report{
		Base: in.Base, Head: in.Head, Rounds: in.Rounds, Took: time.Duration(in.Took),
		Rules: gate.Rules{Margin: float64(in.Rules.Margin), FDR: float64(in.Rules.FDR), Confidence: float64(in.Rules.Confidence),
			MinRounds: in.Rules.MinRounds, Budget: time.Duration(in.Rules.Budget), Units: in.Rules.Units},
		OnlyBase: benchmarksIn(in.OnlyBase), OnlyHead: benchmarksIn(in.OnlyHead), New: benchmarksIn(in.New),
		NotJudged: in.NotJudged, Warnings: in.Warnings, Problems: in.Problems, Interrupted: in.Interrupted,
	}
	if err := r.Verdict.UnmarshalText([]byte(in.Verdict)); err != nil {
		return Document{}, fmt.Errorf("report in JSON: %w", err)
	}
	for _, u := range in.Unchanged {
		r.Unchanged = append(r.Unchanged, gate.Unchanged(u))
	}
	for i, res := range in.All {
		out := gate.Result{
			Benchmark: gate.Benchmark(res.jsonBenchmark), Unit: res.Unit, Distance: results.Distance(res.Distance),
			Why: res.Why, Output: res.Output, N: res.N, Rounds: res.Rounds,
			Old: float64(res.Old), New: float64(res.Median), Change: float64(res.Change), Lo: float64(res.Lo), Hi: float64(res.Hi),
			Spread: float64(res.Spread), Within: float64(res.Within), Margin: float64(res.Margin), Drift: float64(res.Drift), Evidence: float64(res.Evidence),
			Exact: res.Exact, Signed: res.Signed, Unpaired: res.Unpaired, Confirmed: res.Confirmed, Minor: res.Minor,
		}
		if err := out.Verdict.UnmarshalText([]byte(res.Verdict)); err != nil {
			return Document{}, fmt.Errorf("report in JSON: result %d: %w", i+1, err)
		}
		better, ok := results.ParseDirection(res.Better)
		if out.Better = better; !ok && res.Better != "" {
			return Document{}, fmt.Errorf("report in JSON: result %d: better %q, want higher, lower or nothing", i+1, res.Better)
		}
		r.Results = append(r.Results, out)
	}
	var shapes []shape.Finding
	for i, s := range in.Shapes {
		var verdict gate.Verdict
		if err := verdict.UnmarshalText([]byte(s.Verdict)); err != nil {
			return Document{}, fmt.Errorf("report in JSON: shape %d: %w", i+1, err)
		}
		shapes = append(shapes, shape.Finding{
			Shape: s.Shape, Place: s.Place, Kind: s.Kind, Demand: s.Demand, Lock: s.Lock, Where: s.Where, Verdict: verdict, Why: s.Why,
			Value: float64(s.Value), Lo: float64(s.Lo), Hi: float64(s.Hi), Unit: s.Unit,
			N: s.N, Points: s.Points, Left: s.Left, Minor: s.Minor,
		})
	}
	return Document{r, shapes}, nil
}

func benchmarksIn(bs []jsonBenchmark) (out []gate.Benchmark) {
	for _, b := range bs {
		out = append(out, gate.Benchmark(b))
	}
	return out
}
