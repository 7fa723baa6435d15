package plots

import (
	"bytes"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"github.com/lockbench/lockbench/internal/atomicfile"
	"github.com/lockbench/lockbench/results"
)

// Formats are the file formats that figures can have.
var formats = []string{"svg", "png"}

// A File is a figure in a file.
type File struct {
	Path string // with the directory that was given
	*Figure
}

// Write draws the figures that All returns into files in dir, which it makes if needed.
// It returns the files, figure by figure, and the kinds of figures that it could not
// draw, with the reasons; that is no error.
//
// A file is written completely or not at all, and replaces one with the same name. The
// returned files are those that were written, even if err is not nil.
func Write(dir string, sums []results.Summary, o Options) (files []File, skipped []Skipped, err error) {
	if err := o.checkFormats(); err != nil {
		return nil, nil, err
	}
	figures, skipped := All(sums, o)
	files, err = writeFigures(dir, figures, o)
	return files, skipped, err
}

// checkFormats reports unknown formats.
func (o Options) checkFormats() error {
	for _, format := range o.formats() {
		if !slices.Contains(formats, format) {
			return fmt.Errorf("unknown figure format %q (known: %s)", format, strings.Join(formats, ", "))
		}
	}
	return nil
}

// writeFigures writes each figure in each format, and returns the files that it wrote.
func writeFigures(dir string, figures []*Figure, o Options) (files []File, err error) {
	if err := o.checkFormats(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	var errs []error
	for _, f := range figures {
		for _, format := range o.formats() {
			path := filepath.Join(dir, f.Name+"."+format)
			if err := f.WriteFile(path); err != nil {
				errs = append(errs, err)
				continue
			}
			files = append(files, File{path, f})
		}
	}
	return files, errors.Join(errs...)
}

// All draws the figures for which the summaries have the data, in the order in which to
// look at them, and says which kinds it could not draw and why.
func All(sums []results.Summary, o Options) ([]*Figure, []Skipped) {
	all, skipped := partsOf(sums, o).draw(o)
	for _, f := range all {
		if f.blind {
			f.Title = "CPUs at an unknown distance: " + f.Title
		}
	}

	// Names that differ only in characters that a file name cannot have are equal.
	seen := make(map[string]int)
	for _, f := range all {
		seen[f.Name]++
		if n := seen[f.Name]; n > 1 {
			f.Name += fmt.Sprintf("_%d", n)
		}
	}
	return all, skipped
}

// WriteFile draws f into a file whose name ends in .svg or .png. The file is written
// completely or not at all.
func (f *Figure) WriteFile(path string) error {
	data, err := f.Encode(strings.TrimPrefix(filepath.Ext(path), "."))
	if err != nil {
		return err
	}
	return atomicfile.Write(path, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// resolution is the resolution of a PNG file, in dots per inch: twice that of screens
// without a scale factor, so that text is sharp.
const resolution = 144

// Encode returns f in a format, "svg" or "png".
func (f *Figure) Encode(format string) ([]byte, error) {
	var b bytes.Buffer
	w, h := f.Size()
	var canvas interface {
		vg.CanvasSizer
		io.WriterTo
	}
	switch format {
	case "svg":
		canvas = vgsvg.New(w, h)
	case "png":
		canvas = vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(w, h), vgimg.UseDPI(resolution))}
	default:
		return nil, fmt.Errorf("unknown figure format %q (known: %s)", format, strings.Join(formats, ", "))
	}
	f.Draw(draw.New(canvas))
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, err
	}
	if format == "svg" {
		return f.portable(b.Bytes()), nil
	}
	return b.Bytes(), nil
}

// svgText matches a line of text as vgsvg writes it.
var svgText = regexp.MustCompile(`<text (x="[^"]*" y="[^"]*" transform="[^"]*")\s+style="font-family:Liberation Sans;font-variant:normal;font-weight:(normal|bold);font-style:normal;font-size:([0-9.]+)px(;fill:#[0-9A-F]+)?">([^<]*)</text>`)

// portable makes an SVG file look the same where Liberation Sans is not installed: it
// names fonts of the same metrics, and how wide each line of text is, so that even in
// another font none runs into its neighbour. It adds the text for screen readers.
func (f *Figure) portable(svg []byte) []byte {
	svg = svgText.ReplaceAllFunc(svg, func(text []byte) []byte {
		m := svgText.FindSubmatch(text)
		at, weight, size, fill, content := m[1], string(m[2]), m[3], m[4], m[5]
		points, err := strconv.ParseFloat(string(size), 64)
		if err != nil {
			return text // cannot happen: the expression matches numbers only
		}
		font, bold := sans(vg.Length(points)), ""
		if weight == "bold" {
			font, bold = sansBold(vg.Length(points)), ";font-weight:bold"
		}
		width := font.Width(html.UnescapeString(string(content)))
		return fmt.Appendf(nil, `<text %s textLength="%.1f" lengthAdjust="spacingAndGlyphs" style="font-size:%spx%s%s">%s</text>`,
			at, width.Points(), size, bold, fill, content)
	})
	return bytes.Replace(svg, []byte("\n\txmlns:xlink=\"http://www.w3.org/1999/xlink\">"), fmt.Appendf(nil,
		` role="img" font-family="Liberation Sans, Arimo, Arial, Helvetica, sans-serif">
<title>%s</title>
<desc>%s</desc>`, html.EscapeString(f.Title), html.EscapeString(strings.Join(f.Subtitle, " "))), 1)
}
