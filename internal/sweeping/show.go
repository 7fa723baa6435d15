package sweeping

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/results"
)

// screen is how many lines Show writes at most, unless it is asked for everything.
const screen = 50

// Show writes a summary, or everything, and draws the pictures.
func (o *Output) Show(con commandline.Console, file *results.File) error {
	if o.as != "" {
		err := Export(con.Out, o.as, file)
		if err == nil && o.Plots != "" {
			aside := con
			aside.Out = con.Err
			err = o.Draw(aside, o.Plots, file, false)
		}
		return err
	}
	width, _ := commandline.Terminal(con.Out)
	var err error
	if o.Table {
		err = wholeTable(con.Out, width, file)
	} else {
		lines := screen
		if o.Plots != "" {
			lines -= 1 + pictureLines
		}
		err = results.Digest{Unranked: unranked(), Width: width, Lines: lines}.Write(con.Out, file.Samples)
	}
	if err != nil || o.Plots == "" {
		return err
	}
	fmt.Fprintln(con.Out)
	return o.Draw(con, o.Plots, file, false)
}

// wholeTable writes every cell of file: by its ns/op, for each role separately if
// workers have roles, or, if its loop is open, by the time that its workers waited.
func wholeTable(w io.Writer, width int, file *results.File) error {
	units := make(map[string][]results.Sample)
	for _, s := range file.Samples {
		of := []string{"ns/op"}
		switch {
		case s.Open():
			of = []string{"write-p50-ns", "write-p99-ns", "read-p50-ns", "read-p99-ns", "saturated"}
		case s.Roles():
			of = []string{"read-ns/op", "write-ns/op"}
		}
		for _, unit := range of {
			if _, ok := s.Value(unit); ok {
				units[unit] = append(units[unit], s)
			}
		}
	}
	if len(units) == 0 {
		units["ns/op"] = file.Samples // Write returns the error
	}
	var errs []error
	_, exact := file.Simulated()
	for _, unit := range []string{"ns/op", "read-ns/op", "write-ns/op", "write-p50-ns", "write-p99-ns", "read-p50-ns", "read-p99-ns", "saturated"} {
		if samples, ok := units[unit]; ok {
			if len(errs) > 0 {
				fmt.Fprintln(w)
			}
			errs = append(errs, results.Table{Unit: unit, Unranked: unranked(), Width: width, Exact: exact}.Write(w, samples))
		}
	}
	if slices.ContainsFunc(file.Samples, func(s results.Sample) bool { return s.Fork > 0 }) {
		fmt.Fprintln(w)
		errs = append(errs, results.WriteForks(w, file.Samples))
	}
	return errors.Join(errs...)
}

// unranked returns the names of subjects that are no locks, and so cannot be the
// fastest.
func unranked() (names []string) {
	for _, e := range catalog.All() {
		if e.Control {
			names = append(names, e.Name)
		}
	}
	return names
}

// IsData reports whether a format is for samples, and not for pictures.
func IsData(format string) bool { return format == "csv" || format == "json" }

// Export writes all samples of a file, or nothing if one of them cannot be exported.
func Export(w io.Writer, format string, file *results.File) error {
	var b bytes.Buffer
	write := file.WriteCSV
	if format == "json" {
		write = file.WriteJSON
	}
	if err := write(&b); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}
