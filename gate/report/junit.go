package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/wording"
)

// JUnitOptions say how [JUnit] writes.
type JUnitOptions struct {
	// CannotTellPasses makes cannot tell a skipped test. Without it, it is an error: a
	// test that could not be run.
	CannotTellPasses bool
}

// JUnit writes the report in JUnit's XML, which most systems for continuous integration
// read: a suite for each package, a test for each unit of a benchmark, and a suite for
// each shape. A regression is a failed test. Cannot tell is an error, and so is no
// verdict: a benchmark that failed or that only one side has, or another problem. A
// test's time is its share of the time of the comparison, by rounds.
func JUnit(w io.Writer, d Document, o JUnitOptions) error {
	doc := d.junit(o)
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "\t")
	if err := e.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitSuites struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	junitCounts
	Time   string        `xml:"time,attr"`
	Suites []*junitSuite `xml:"testsuite"`
}

type junitCounts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
}

func (c *junitCounts) add(d junitCounts) {
	c.Tests += d.Tests
	c.Failures += d.Failures
	c.Errors += d.Errors
	c.Skipped += d.Skipped
}

type junitSuite struct {
	Name string `xml:"name,attr"`
	junitCounts
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Log        string          `xml:"system-err,omitempty"`

	took time.Duration
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Time    string        `xml:"time,attr"`
	Skipped *junitOutcome `xml:"skipped"`
	Error   *junitOutcome `xml:"error"`
	Failure *junitOutcome `xml:"failure"`
	Out     string        `xml:"system-out,omitempty"`
}

type junitOutcome struct {
	Type    string `xml:"type,attr,omitempty"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// judge makes c failed, an error or skipped, as its verdict says.
func (c *junitCase) judge(v gate.Verdict, skip bool) {
	outcome := &junitOutcome{Type: v.String(), Message: c.Out}
	switch {
	case v == gate.Pass:
	case v == gate.Regressed:
		outcome.Text, c.Out, c.Failure = c.Out, "", outcome
	case skip && v == gate.CannotTell:
		c.Out, c.Skipped = "", outcome
	default:
		outcome.Text, c.Out, c.Error = c.Out, "", outcome
	}
}

func (d Document) junit(o JUnitOptions) *junitSuites {
	doc := &junitSuites{Name: "lockbench gate", Time: seconds(d.Took)}
	suites := make(map[string]*junitSuite)
	suite := func(pkg string) *junitSuite {
		name := cmp.Or(wording.Clean(pkg), "benchmarks")
		s := suites[name]
		if s == nil {
			s = &junitSuite{Name: name, Properties: d.properties()}
			suites[name] = s
			doc.Suites = append(doc.Suites, s)
		}
		return s
	}
	rounds := 0
	for i := range d.Results {
		rounds += d.Results[i].Rounds
	}
	for i := range d.Results {
		res := row{&d.Results[i]}
		var took time.Duration
		if rounds > 0 {
			took = time.Duration(float64(d.Took) * float64(res.Rounds) / float64(rounds))
		}
		name := strings.TrimSpace(res.label(map[gate.Benchmark]string{res.Benchmark: wording.Clean(res.Name)}) + " " + wording.Clean(res.Unit))
		c := junitCase{Name: name, Time: seconds(took), Out: res.sentence() + ": " + wording.Clean(res.Why)}
		if res.Verdict == gate.NoVerdict {
			c.Name, c.Out = cmp.Or(c.Name, "all"), wording.Clean(res.Why)
		}
		c.judge(res.Verdict, res.Minor || o.CannotTellPasses)
		if c.Error != nil {
			c.Error.Text += printedBelow(res.Output)
		}
		suite(res.Pkg).add(c, took)
	}
	for _, res := range d.Shapes {
		f := finding{res}
		c := junitCase{Name: wording.Clean(res.Lock + " " + res.Where + ", " + res.Demand), Time: "0",
			Out: fmt.Sprintf("%s %s, n = %d: %s", f.found(), f.interval(), res.N, wording.Clean(res.Why))}
		c.judge(res.Verdict, res.Minor || o.CannotTellPasses)
		suite("shape "+res.Shape).add(c, 0)
	}
	for _, side := range []struct {
		what, message string
		of            []gate.Benchmark
	}{
		{"vanished", "only the base has it; if that is right, declare it with --removed RE or in the configuration", d.OnlyBase},
		{"new", "only the head has it; if that is right, declare it with --new RE or in the configuration", d.OnlyHead},
	} {
		for _, b := range side.of {
			suite(b.Pkg).add(junitCase{Name: wording.Clean(b.Name), Time: "0", Error: &junitOutcome{Type: side.what, Message: side.message}}, 0)
		}
	}
	for _, b := range d.New {
		suite(b.Pkg).add(junitCase{Name: wording.Clean(b.Name), Time: "0", Out: "new: nothing to compare it to yet"}, 0)
	}
	for _, u := range d.Unchanged {
		suite(u.Pkg).add(junitCase{Name: "all", Time: "0", Out: "not measured: " + wording.Clean(u.Why)}, 0)
	}
	for _, p := range d.Problems {
		suite("").add(junitCase{Name: "gate", Time: "0", Error: &junitOutcome{Type: gate.NoVerdict.String(), Message: wording.FirstLine(p), Text: wording.Lines(p)}}, 0)
	}
	if len(doc.Suites) == 0 {
		suite("").add(junitCase{Name: "gate", Time: "0", Error: &junitOutcome{Type: "nothing", Message: gate.ErrNothing.Error()}}, 0)
	}
	log := make([]string, 0, len(d.Warnings)+1)
	for _, s := range d.Warnings {
		log = append(log, "warning: "+wording.Clean(s))
	}
	if s := d.notJudged(); s != "" {
		log = append(log, s)
	}
	doc.Suites[0].Log = strings.Join(log, "\n")
	for _, s := range doc.Suites {
		s.Time = seconds(s.took)
		doc.junitCounts.add(s.junitCounts)
	}
	return doc
}

func (s *junitSuite) add(c junitCase, took time.Duration) {
	c.Class = s.Name
	s.Cases = append(s.Cases, c)
	s.took += took
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
}

// properties returns the settings for all results.
func (d Document) properties() []junitProperty {
	rules := d.Rules.WithDefaults()
	properties := []junitProperty{
		{"base", wording.Clean(d.Base)},
		{"head", wording.Clean(d.Head)},
		{"verdict", d.Outcome().String()},
		{"rounds", strconv.Itoa(d.Rounds)},
		{"margin", wording.Share(rules.Margin)},
		{"fdr", wording.Share(rules.FDR)},
		{"confidence", d.confidence()},
	}
	if len(d.NotJudged) > 0 {
		properties = append(properties, junitProperty{"not judged", wording.Clean(strings.Join(d.NotJudged, ", "))})
	}
	return properties
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
