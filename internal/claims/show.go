package claims

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/lockbench/lockbench/internal/svg"
	"github.com/lockbench/lockbench/internal/wording"
)

// A Result is a claim with what became of it.
type Result struct {
	Name      string `json:"name"`
	Says      string `json:"says"`
	Simulated bool   `json:"simulated"`
	Outcome
}

// Run tries claims one after the other, and calls begin before each.
func Run(ctx context.Context, of []Claim, begin func(Claim)) (all []Result, err error) {
	for _, c := range of {
		if ctx.Err() != nil {
			return all, context.Cause(ctx)
		}
		begin(c)
		o, err := c.Try(ctx)
		if err != nil {
			return all, fmt.Errorf("claim %s: %w", c.Name, err)
		}
		all = append(all, Result{c.Name, c.Says, c.Simulated, o})
	}
	return all, nil
}

// WriteJSON writes results for [ReadJSON].
func WriteJSON(w io.Writer, all []Result) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

// ReadJSON reads what [WriteJSON] wrote.
func ReadJSON(r io.Reader) (all []Result, err error) {
	err = json.NewDecoder(r).Decode(&all)
	if err == nil && len(all) == 0 {
		err = errors.New("no claims")
	}
	return all, err
}

// WriteText writes results for a terminal of 80 columns.
func WriteText(w io.Writer, all []Result) error {
	const indent = "               "
	var b strings.Builder
	for _, r := range all {
		wording.Wrap(&b, fmt.Sprintf("%-15s%s (%s)", r.Verdict, r.Says, r.Name), indent, 80)
		wording.Wrap(&b, indent+r.Saw, indent, 80)
		wording.Wrap(&b, indent+"Wanted: "+r.Asked+". On "+r.On+".", indent, 80)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMarkdown writes results as a page. picture returns the name of the figure of a
// claim, as the page refers to it.
func WriteMarkdown(w io.Writer, all []Result, command string, picture func(name string) string) error {
	var b strings.Builder
	b.WriteString("# What textbooks say\n\n")
	wording.Wrap(&b, fmt.Sprintf("Written by `%s`, which tries each again. A claim about many CPUs is tried in the [simulator](simulator.md): there nothing varies, so the verdict is exact. With `--quick` what is measured is left out; with `--exit-code` the exit code is 1 if a claim does not hold, and 3 if that cannot be told.", command), "", 100)
	b.WriteByte('\n')
	b.WriteString("| | claim | verdict |\n|---|---|---|\n")
	for _, r := range all {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s |\n", r.Name, r.Name, r.Says, r.Verdict)
	}
	for _, r := range all {
		fmt.Fprintf(&b, "\n## %s\n\n", r.Name)
		wording.Wrap(&b, fmt.Sprintf("**%s** *%s.*", r.Says, upper(string(r.Verdict))), "", 100)
		b.WriteByte('\n')
		wording.Wrap(&b, r.Saw+" Wanted: "+r.Asked+". On "+r.On+".", "", 100)
		if len(r.Bars) > 0 {
			fmt.Fprintf(&b, "\n![%s](%s)\n", r.Unit, picture(r.Name))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// upper returns text with a capital first letter.
func upper(text string) string { return strings.ToUpper(text[:1]) + text[1:] }

// Figure draws the values of a result, with their intervals, as an SVG picture.
func (r Result) Figure() []byte {
	const left, right, row, top = 230, 610, 26, 34
	height := float64(top + row*len(r.Bars) + 10)
	p := svg.New(720, height, `font-family="Liberation Sans, Arial, sans-serif" font-size="13"`, r.Says)
	p.Add(`<style>text{fill:#222}.faint{fill:#555}rect{fill:#0072b2}line{stroke:#222}@media(prefers-color-scheme:dark){text{fill:#e6e6e6}.faint{fill:#aaa}rect{fill:#56b4e9}line{stroke:#e6e6e6}}</style>`)
	p.Add(`<text x="%d" y="20" class="faint">%s</text>`, left, r.Unit)
	most := 0.0
	for _, b := range r.Bars {
		most = max(most, b.Value, b.Hi)
	}
	x := func(v float64) float64 {
		if most == 0 {
			return left
		}
		return left + (right-left)*math.Max(0, v)/most
	}
	for i, b := range r.Bars {
		y := float64(top + row*i)
		p.Add(`<text x="%d" y="%.0f" text-anchor="end">%s</text>`, left-10, y+15, b.Name)
		p.Add(`<rect x="%d" y="%.0f" width="%.1f" height="%d" rx="2"/>`, left, y+3, math.Max(1, x(b.Value)-left), row-9)
		end := x(b.Value)
		if b.Lo != b.Hi {
			p.Add(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke-width="2"/>`, x(b.Lo), x(b.Hi), y+11.5, y+11.5)
			end = math.Max(end, x(b.Hi))
		}
		p.Add(`<text x="%.1f" y="%.0f">%s</text>`, end+8, y+15, written(b))
	}
	return p.Bytes()
}
