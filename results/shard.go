package results

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/wording"
)

// A Shard is a part of a sweep that one process of several measures.
type Shard struct {
	Index, Of  int // from 1 to Of
	Cells, All int // of this shard, and of the whole sweep
}

// shardKey is the key of the note that says which shard of a sweep a file is.
const shardKey = "shard"

// Note returns the note that a file of the shard has.
func (s Shard) Note() Note {
	return Note{shardKey, fmt.Sprintf("%d/%d with %d of %d cells", s.Index, s.Of, s.Cells, s.All)}
}

// shard returns which shard of a sweep f is, and whether it is one.
func (f *File) shard() (s Shard, err error) {
	text := f.Noted(shardKey)
	if text == "" {
		return s, fmt.Errorf("%s: is no shard of a sweep: want a file that was begun with --shard", f.Name)
	}
	_, err = fmt.Sscanf(text, "%d/%d with %d of %d cells", &s.Index, &s.Of, &s.Cells, &s.All)
	if err != nil || s.Index < 1 || s.Index > s.Of || s.Cells < 0 || s.Cells > s.All {
		return s, fmt.Errorf("%s: shard %q: want such as 2/4 with 12 of 48 cells", f.Name, text)
	}
	return s, nil
}

// sweepKeys are the notes that all shards of a sweep have in common, except for which
// shard it is: what was measured, by which program, and on how many CPUs.
var sweepKeys = []string{"sweep", "settings", "seed", "go", "commit", "cpus", "gomaxprocs", "governor"}

// common returns a note without which shard it is.
func (f *File) common(key string) string {
	return strings.Join(slices.DeleteFunc(strings.Fields(f.Noted(key)), func(s string) bool { return strings.HasPrefix(s, "shard=") }), " ")
}

// Merge puts the files of all shards of a sweep together, in the order of the shards. It
// is an error, which says all that is wrong, if they are not of one sweep, one program and
// one kind of machine, if a shard is missing or there twice, or if a cell is missing, has fewer
// samples than others of its shard, or is in two shards.
//
// Samples of different shards were measured at different times and perhaps on different
// machines, so only cells of one shard are to be compared: a shard has all locks of a
// situation.
func Merge(files []*File) (*File, error) {
	if len(files) == 0 {
		return nil, errors.New("no files to merge")
	}
	first := files[0]
	whole, err := first.shard()
	wrong := []error{err}
	if err != nil {
		return nil, err
	}
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Errorf(format, args...)) }
	by := make([]*File, whole.Of)
	in := make(map[Cell]*File)
	cells := 0
	for _, f := range files {
		s, err := f.shard()
		switch {
		case err != nil:
			wrong = append(wrong, err)
			continue
		case s.Of != whole.Of || s.All != whole.All:
			bad("%s: is shard %d of %d, with %d cells in all, want one of %d, with %d, as %s", f.Name, s.Index, s.Of, s.All, whole.Of, whole.All, first.Name)
			continue
		case by[s.Index-1] != nil:
			bad("%s: is shard %d of %d, as %s is", f.Name, s.Index, s.Of, by[s.Index-1].Name)
			continue
		}
		by[s.Index-1] = f
		for _, key := range sweepKeys {
			if have, want := f.common(key), first.common(key); have != want {
				bad("%s: %s is %q, want %q, as in %s", f.Name, key, have, want, first.Name)
			}
		}
		for _, c := range []struct{ key, have, want string }{
			{"goos", f.GOOS, first.GOOS}, {"goarch", f.GOARCH, first.GOARCH}, {"cpu", f.CPU, first.CPU}, {"machine", f.Machine, first.Machine},
		} {
			if c.have != c.want {
				bad("%s: %s is %q, want %q, as in %s", f.Name, c.key, c.have, c.want, first.Name)
			}
		}
		done := f.Done()
		least := 0
		for cell, n := range done {
			if in[cell] != nil {
				bad("%s: %v is in %s as well", f.Name, cell, in[cell].Name)
			}
			in[cell] = f
			if least == 0 || n < least {
				least = n
			}
		}
		if n := len(done); n != s.Cells {
			bad("%s: has %s, want %d: complete it with --resume", f.Name, wording.Count(n, "cell"), s.Cells)
		} else if f.fewest() > least {
			bad("%s: a cell has %s, want at least %d: complete it with --resume", f.Name, wording.Count(least, "sample"), f.fewest())
		}
		cells += s.Cells
	}
	var missing []string
	for i, f := range by {
		if f == nil {
			missing = append(missing, fmt.Sprint(i+1))
		}
	}
	switch {
	case len(missing) > 0:
		bad("missing of %d: %s %s", whole.Of, wording.Noun(len(missing), "shard"), strings.Join(missing, ", "))
	case cells != whole.All:
		bad("the shards have %s in all, want %d", wording.Count(cells, "cell"), whole.All)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	merged := &File{Name: first.Name, Facts: first.Facts}
	merged.Notes = slices.DeleteFunc(slices.Clone(first.Notes), func(n Note) bool { return n.Key == shardKey || n.Key == "process" })
	for i, n := range merged.Notes {
		if n.Key == "sweep" {
			merged.Notes[i].Text = first.common("sweep") // so that it can be resumed
		}
	}
	var kernels []string
	for _, f := range by {
		merged.Samples = append(merged.Samples, f.Samples...)
		for _, n := range f.Notes {
			if n.Key == "kernel" && !slices.Contains(kernels, n.Text) {
				kernels = append(kernels, n.Text)
			}
		}
	}
	merged.Notes = slices.DeleteFunc(merged.Notes, func(n Note) bool { return n.Key == "kernel" })
	merged.Facts.Note("kernel", strings.Join(kernels, ", "))
	merged.Notes = append(merged.Notes, Note{"merged", wording.Count(whole.Of, "shard")})
	return merged, nil
}

// fewest returns how many samples of each cell the sweep wants at least, as its note
// says; 0 if it does not.
func (f *File) fewest() (n int) {
	for field := range strings.FieldsSeq(f.Noted("sweep")) {
		if text, ok := strings.CutPrefix(field, "count="); ok {
			fmt.Sscan(text, &n)
		}
	}
	return n
}
