package report

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/internal/wording"
)

// GitHubOptions say how [GitHub] writes.
type GitHubOptions struct {
	Command string // see [MarkdownOptions]
	Summary string // file to append the Markdown to: $GITHUB_STEP_SUMMARY; "" is none

	// Lines are the places of benchmarks, as far as they are known: remarks on a
	// benchmark are shown there.
	Lines map[gate.Benchmark]Line
}

// A Line is a place in a file.
type Line struct {
	File string // below the root of the repository, with slashes
	Line int    // from 1
}

// mostAnnotations is how many of a kind GitHub shows for a step. It drops the others
// silently.
const mostAnnotations = 10

// GitHub writes commands that GitHub's runner turns into annotations: an error for a
// benchmark that regressed, has no verdict or is on one side only, a warning for cannot
// tell, and a notice with the summary. An annotation of a benchmark is at its line, if
// that is known. It appends the report to the summary of the step.
func GitHub(w io.Writer, d Document, o GitHubOptions) error {
	var b strings.Builder
	names := d.Names()
	var errs, warnings, notices []string
	at := func(b gate.Benchmark, annotation string) string { return o.Lines[b].annotate(annotation) }
	for i := range d.Results {
		res := row{&d.Results[i]}
		if res.Minor || res.Verdict == gate.Pass {
			continue
		}
		name := strings.TrimSpace(res.label(names) + " " + wording.Clean(res.Unit))
		message := res.sentence() + ": " + wording.Clean(res.Why)
		title := res.Verdict.String() + ": " + name
		switch res.Verdict {
		case gate.Regressed:
			errs = append(errs, at(res.Benchmark, annotation("error", title, message)))
		case gate.NoVerdict:
			errs = append(errs, at(res.Benchmark, annotation("error", title, wording.Clean(res.Why)+printedBelow(res.Output))))
		default:
			warnings = append(warnings, at(res.Benchmark, annotation("warning", title, message)))
		}
	}
	for _, s := range d.Shapes {
		f := finding{s}
		title := s.Verdict.String() + ": " + wording.Clean(s.Shape+" "+s.Lock+" "+s.Where)
		message := fmt.Sprintf("%s, have %s %s: %s", wording.Clean(s.Demand), f.found(), f.interval(), wording.Clean(s.Why))
		switch {
		case s.Minor || s.Verdict == gate.Pass:
		case s.Verdict == gate.Regressed:
			errs = append(errs, annotation("error", title, message))
		default:
			warnings = append(warnings, annotation("warning", title, message))
		}
	}
	for _, p := range d.Problems {
		errs = append(errs, annotation("error", "no verdict", wording.Elide(wording.Lines(p), 4000)))
	}
	for _, side := range []struct {
		title, message string
		of             []gate.Benchmark
	}{
		{"vanished", "only the base has it; if that is right, declare it with --removed RE or in the configuration", d.OnlyBase},
		{"new", "only the head has it; if that is right, declare it with --new RE or in the configuration", d.OnlyHead},
	} {
		for _, b := range side.of {
			errs = append(errs, at(b, annotation("error", side.title+": "+names[b], side.message)))
		}
	}
	for _, b := range d.New {
		notices = append(notices, at(b, annotation("notice", "new: "+names[b], "nothing to compare it to yet")))
	}
	for _, s := range d.same(20) {
		notices = append(notices, annotation("notice", "benchmarks", s))
	}
	for _, s := range d.Warnings {
		warnings = append(warnings, annotation("warning", "benchmarks", wording.Clean(s)))
	}
	if s := d.notJudged(); s != "" {
		warnings = append(warnings, annotation("warning", "benchmarks", s))
	}
	writeAnnotations(&b, "error", errs)
	writeAnnotations(&b, "warning", warnings)
	writeAnnotations(&b, "notice", notices)
	b.WriteString(annotation("notice", "benchmarks", fmt.Sprintf("%s: %s; %s", d.Outcome(), d.summary(), d.cost())))

	_, err := io.WriteString(w, b.String())
	if o.Summary != "" {
		err = errors.Join(err, d.appendSummary(o))
	}
	return err
}

// printedBelow returns the end of a message that shows a benchmark's output.
func printedBelow(output string) string {
	if output == "" {
		return ""
	}
	return "\n" + wording.Elide(wording.Lines(output), 4000)
}

// writeAnnotations writes the annotations that GitHub shows; the last one says how many
// more there are.
func writeAnnotations(b *strings.Builder, kind string, all []string) {
	if n := len(all); n > mostAnnotations {
		all = append(all[:mostAnnotations-1:mostAnnotations-1],
			annotation(kind, "benchmarks", fmt.Sprintf("%s more like these: see the summary of the job", wording.Thousands(n-mostAnnotations+1))))
	}
	for _, s := range all {
		b.WriteString(s)
	}
}

// appendSummary appends the report to the summary of a step.
func (d Document) appendSummary(o GitHubOptions) (err error) {
	f, err := os.OpenFile(o.Summary, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return Markdown(f, d, MarkdownOptions{Command: o.Command})
}

// sentence says what changed, and how certain that is.
func (r row) sentence() string {
	if r.N == 0 {
		return "no change known"
	}
	s := fmt.Sprintf("from %s to %s %s", r.value(r.Old), r.value(r.Becomes()), wording.Clean(r.Unit))
	if !math.IsInf(r.Change, 0) {
		s = r.change() + ", " + s
	}
	switch i := r.interval(); i {
	case "exact":
		return s + ", exactly"
	case "-":
		s += ", interval unknown"
	default:
		s += ", interval " + i
	}
	if n := r.apart(); n != "-" {
		s += ", spread " + n
	}
	kind, side := "pair", ""
	if r.Unpaired {
		kind, side = "sample", " a side"
	}
	s += ", " + wording.Plural(r.N, kind) + side + ", margin " + wording.Share(r.Margin)
	if r.Drift > 0 {
		s += " and " + wording.Share(r.Drift) + " for drift"
	}
	return s
}

// annotation returns a command of GitHub's runner, a line.
func annotation(kind, title, message string) string {
	return fmt.Sprintf("::%s title=%s::%s\n", kind, githubProperty.Replace(title), githubData.Replace(message))
}

// annotate adds the line to an annotation, if there is one.
func (l Line) annotate(annotation string) string {
	if l.Line == 0 {
		return annotation
	}
	kind, rest, _ := strings.Cut(annotation, " ")
	return fmt.Sprintf("%s file=%s,line=%d,%s", kind, githubProperty.Replace(l.File), l.Line, rest)
}

// How GitHub's runner expects text to be escaped, see actions/toolkit,
// packages/core/src/command.ts.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
