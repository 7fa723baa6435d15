package results

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"iter"

	"golang.org/x/perf/benchfmt"
)

// A SyntaxError is something wrong in one line of a file.
type SyntaxError struct {
	File string
	Line int // from 1
	Msg  string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Msg)
}

// Read yields the samples in r in file order; name is for diagnostics only.
//
// A line it cannot parse yields a [*SyntaxError] and does not end the
// sequence. An error from r does. The sequence can be ranged over once.
func Read(r io.Reader, name string) iter.Seq2[Sample, error] {
	return newReader(r, name).samples
}

type reader struct {
	r     io.Reader
	name  string
	facts Facts
	size  int64
}

func newReader(r io.Reader, name string) *reader {
	return &reader{r: bufio.NewReader(r), name: name}
}

func (r *reader) samples(yield func(Sample, error) bool) {
	b := benchfmt.NewReader(r.r, r.name)
	for b.Scan() {
		res, ok := b.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		r.size++
		cell, err := ParseCell(res.Name.String())
		s := Sample{Cell: cell, Distance: Distance(res.GetConfig("distance")), Oversubscribed: res.GetConfig("oversubscribed") == "true", Ops: res.Iters}
		for _, v := range res.Values {
			if v.OrigUnit != "" {
				v.Value, v.Unit = v.OrigValue, v.OrigUnit
			}
			s.Values = append(s.Values, Value{v.Unit, v.Value})
		}
		if !yield(s, err) {
			return
		}
	}
	if err := b.Err(); err != nil {
		yield(Sample{}, err)
	}
}

// A File is what a results file holds.
type File struct {
	Name string
	Facts
	Samples []Sample // in file order

	// Torn is a last line without an end, cut off by whatever killed the run.
	Torn string
}

// Done counts the samples of each cell.
func (f *File) Done() map[Cell]int {
	done := make(map[Cell]int)
	for _, s := range f.Samples {
		done[s.Cell]++
	}
	return done
}

// ReadFile reads a whole file. The error joins all that is wrong with it;
// the File then holds what was right.
func ReadFile(name string) (*File, error) {
	return nil, errors.ErrUnsupported
}
