package sweeping

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// An Output is the flags that say what becomes of the samples of a sweep.
type Output struct {
	Out    string `complete:"files" placeholder:"FILE" default:"results.txt" help:"File for the results, in the Go benchmark format (${default})."`
	Resume bool   `help:"Add what is missing to FILE, with the same flags."`
	Extend bool   `help:"Add what is missing to FILE, also with other flags: more locks, CPUs, samples."`
	Force  bool   `help:"Replace FILE."`

	Table  bool   `help:"Print every cell, and not only the fastest in each situation."`
	Plots  string `complete:"dirs" placeholder:"DIR" default:"plots-out" empty:"true" help:"Directory for the pictures (${default}); empty, as --plots=, for none."`
	Format string `complete:"csv|json|svg|png" placeholder:"FORMAT,..." default:"svg,png" help:"Format of the pictures: svg, png or both (${default}); csv or json: print every sample in that format, and nothing else."`
	Drawing

	as string // how to print every sample; "" to print a summary
}

// Check checks the files to be written. A file with other samples of the sweep must have
// the same settings: see [Settings].
func (o *Output) Check(bad *commandline.Problems, sweep harness.Sweep, settings string) {
	o.checkFormat(bad)
	if o.Plots != "" {
		bad.Writable("--plots", o.Plots)
	}
	if (o.Resume || o.Extend) && o.Force || o.Resume && o.Extend {
		bad.Addf("--resume --extend --force: want one of them")
	}
	switch info, err := os.Stat(o.Out); {
	case errors.Is(err, fs.ErrNotExist):
		bad.Writable("--out", filepath.Dir(o.Out))
	case err != nil:
		bad.Addf("--out: %w", err)
	case info.IsDir():
		bad.Addf("--out %s: is a directory", o.Out)
	case !info.Mode().IsRegular() && info.Mode()&os.ModeCharDevice == 0: // a pipe cannot be resumed, and may have no reader
		bad.Addf("--out %s: want a file", o.Out)
	case o.Resume || o.Extend:
		o.resumable(bad, sweep, settings)
	case !o.Force:
		bad.Addf("--out %s: exists: want --resume to add what is missing, --extend to add to it with other flags, --force to replace it, or another name", o.Out)
	}
}

// checkFormat separates formats of pictures from those of samples.
func (o *Output) checkFormat(bad *commandline.Problems) {
	for f := range strings.SplitSeq(o.Format, ",") {
		switch {
		case IsData(f) && (o.as == "" || o.as == f):
			o.as = f
		case IsData(f):
			bad.Addf("--format %s: want csv or json, not both", o.Format)
		case f == "svg" || f == "png":
			o.Formats = append(o.Formats, f)
		default:
			bad.Addf("--format %s: want svg, png, csv or json, have %q", o.Format, f)
		}
	}
	if o.as != "" && o.Table {
		bad.Addf("--table --format %s: want one of them", o.Format)
	}
	if len(o.Formats) == 0 {
		o.Formats = []string{"svg", "png"}
	}
}

// Open opens the results file, and returns its contents. resume opens one that there is:
// it is [results.Resume] or [results.Continue]. It is an error of the command line if the
// file cannot be resumed or another run has it.
func (o *Output) Open(facts results.Facts, resume func(string, results.Facts) (*results.Writer, *results.File, error)) (*results.Writer, *results.File, error) {
	if err := os.MkdirAll(filepath.Dir(o.Out), 0o777); err != nil {
		return nil, nil, err
	}
	if o.Resume || o.Extend {
		w, file, err := resume(o.Out, facts)
		if err != nil {
			return nil, nil, commandline.Problems{err}
		}
		return w, file, nil
	}
	create := results.Create
	if o.Force {
		create = results.Overwrite
	}
	w, err := create(o.Out, facts)
	if errors.Is(err, results.ErrInUse) || errors.Is(err, fs.ErrExist) {
		err = commandline.Problems{err}
	}
	return w, &results.File{Name: o.Out, Facts: facts}, err
}

// Keep writes a sample, and adds it to file. It is not lost either if w has lost its file:
// see [Output.End].
func Keep(w *results.Writer, file *results.File, s results.Sample) error {
	err := w.Write(s)
	if err == nil || errors.As(err, new(*results.LostError)) {
		file.Samples = append(file.Samples, s)
	}
	return err
}

// save writes all contents of a lost file to a new file in the same directory or, if
// that fails, in that for temporary files.
func (o *Output) save(con commandline.Console, file *results.File, now results.Facts) error {
	if len(file.Samples) == 0 {
		return nil
	}
	facts := file.Facts
	if o.Resume || o.Extend {
		facts.Notes = slices.Concat(facts.Notes, now.Notes)
	}
	var errs []error
	for _, dir := range []string{filepath.Dir(o.Out), os.TempDir()} {
		name, err := saveIn(dir, filepath.Base(o.Out), facts, file.Samples)
		if err == nil {
			con.Sayf("%s saved in %s", wording.Count(len(file.Samples), "sample"), name)
			return nil
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// saveIn writes samples to a new file in dir, with a name like that of another.
func saveIn(dir, like string, facts results.Facts, samples []results.Sample) (name string, err error) {
	ext := filepath.Ext(like)
	var w *results.Writer
	for n := 1; w == nil; n++ {
		name = filepath.Join(dir, fmt.Sprintf("%s-saved-%d%s", strings.TrimSuffix(like, ext), n, ext))
		w, err = results.Create(name, facts)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
	for _, s := range samples {
		if err := w.Write(s); err != nil {
			return "", errors.Join(err, w.Close())
		}
	}
	return name, w.Close()
}

// goOn says how to measure what is missing after an interruption, or if the file could
// not be written, as on a full disk.
func (o *Output) goOn(file *results.File, err error) string {
	const again = "; to go on: the same command"
	switch {
	case len(file.Samples) == 0 || !errors.Is(err, ErrInterrupted) && !errors.As(err, new(*fs.PathError)):
		return ""
	case o.Resume || o.Extend:
		return again
	case o.Force:
		return again + " with --resume in place of --force"
	}
	return again + " with --resume"
}

// End says how many samples there are, and shows them: after an interruption, too, but not
// after another error. It saves them if their file is lost.
func (o *Output) End(con commandline.Console, file *results.File, facts results.Facts, err error) error {
	if errors.As(err, new(*results.LostError)) {
		return errors.Join(err, o.save(con, file, facts))
	}
	con.Sayf("%s in %s%s", wording.Count(len(file.Samples), "sample"), o.Out, o.goOn(file, err))
	if err != nil && !errors.Is(err, ErrInterrupted) || len(file.Samples) == 0 {
		return err
	}
	return errors.Join(err, o.Show(con, file))
}
