package sweeping

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/lockbench/lockbench/internal/atomicfile"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/plots"
	"github.com/lockbench/lockbench/results"
)

// A Drawing says how to draw.
type Drawing struct {
	All bool `help:"Draw every share of reads, and not only the lowest and the highest."`

	Formats []string        `kong:"-"` // svg, png
	Beside  []*results.File `kong:"-"` // of other machines
}

// pictureLines is how many lines Draw prints at most if it is not asked for the others:
// three for each picture at the top, and those of page.
const pictureLines = 3*3 + 4

// Draw draws the pictures of file into dir, and writes the whole table and a page with
// all of them there. It lists the pictures that answer the first questions, and all
// others if others is set: for each a path, and below it its title.
func (d Drawing) Draw(con commandline.Console, dir string, file *results.File, others bool) error {
	o := plots.Options{Facts: file.Facts, Everything: d.All, Formats: d.Formats, Waits: results.Distributions(file.Samples)}
	for _, other := range d.Beside {
		o.Others = append(o.Others, plots.Other{Facts: other.Facts, Summaries: results.Summarize(other.Samples)})
	}
	files, skipped, err := plots.Write(dir, results.Summarize(file.Samples), o)
	lead, rest := plots.Lead(files)
	for _, a := range lead {
		fmt.Fprintf(con.Out, "%s\n\t%s\n\t%s\n", a.Path, a.Question, plain(a.Title))
	}
	if others {
		for _, f := range rest {
			fmt.Fprintf(con.Out, "%s\n\t%s\n", f.Path, plain(f.Title))
		}
	}
	if len(files) > 0 {
		err = errors.Join(err, d.page(con, dir, file, files, o))
	}
	if len(skipped) > 0 {
		con.Sayf("not drawn: %s", inOneLine(skipped))
	}
	con.Sayf("%s in %s", wording.Count(len(files), "picture"), dir)
	return err
}

// plain returns text with spaces where lines must not break.
func plain(text string) string { return strings.ReplaceAll(text, "\u00a0", " ") }

// page writes the whole table and the page, and says where they are.
func (d Drawing) page(con commandline.Console, dir string, file *results.File, files []plots.File, o plots.Options) error {
	var digest, table strings.Builder
	if err := (results.Digest{Unranked: unranked(), Lines: 1000}).Write(&digest, file.Samples); err != nil {
		return err
	}
	if err := wholeTable(&table, 0, file); err != nil {
		table.Reset() // no cell has ns/op
	}
	for _, other := range d.Beside {
		fmt.Fprintf(&table, "\n%s:\n\n", other.Machine)
		if err := wholeTable(&table, 0, other); err != nil {
			fmt.Fprintf(&table, "no table: %v\n", err)
		}
	}
	path, err := plots.WritePage(dir, files, o, digest.String(), table.String())
	if err != nil {
		return err
	}
	text := filepath.Join(dir, "table.txt")
	if err := atomicfile.Write(text, func(w io.Writer) error { _, err := io.WriteString(w, table.String()); return err }); err != nil {
		return err
	}
	fmt.Fprintf(con.Out, "%s\n\tall pictures on one page\n%s\n\tevery cell\n", path, text)
	return nil
}

// inOneLine joins what was not drawn; figures with the same reason are counted.
func inOneLine(skipped []plots.Skipped) string {
	var reasons []string
	by := make(map[string][]plots.Skipped)
	for _, s := range skipped {
		if by[s.Why] == nil {
			reasons = append(reasons, s.Why)
		}
		by[s.Why] = append(by[s.Why], s)
	}
	for i, why := range reasons {
		if same := by[why]; len(same) == 1 {
			reasons[i] = plain(same[0].String())
		} else {
			reasons[i] = wording.Count(len(same), "figure") + ": " + plain(why)
		}
	}
	return strings.Join(reasons, "; ")
}
