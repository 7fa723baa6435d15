package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

// A Writer writes samples as Go benchmark lines.
//
// Each sample reaches the file in one Write call that is made of whole lines,
// so whatever kills the program leaves a valid file with all samples but, at
// most, the one in flight. A Writer must not be used by several goroutines at
// once.
type Writer struct {
	w    io.Writer
	file *os.File // w, if it is the Writer's own
	size int64    // of file, up to the last complete Write
	err  error    // of the first failed Write

	// What the lines written so far say of the sample to come.
	round          int
	distance       Distance
	oversubscribed bool
}

// NewWriter writes the header of a file to w, in one Write call, and returns
// a Writer for its samples.
func NewWriter(w io.Writer, facts Facts) (*Writer, error) {
	if err := facts.Validate(); err != nil {
		return nil, err
	}
	wr := &Writer{w: w}
	if err := wr.write(header(facts)); err != nil {
		return nil, err
	}
	return wr, nil
}

// Create makes a new file and writes its header. If there is a file of that
// name, it leaves it alone and returns an error that is [io/fs.ErrExist].
func Create(name string, facts Facts) (*Writer, error) {
	return create(name, os.O_EXCL, facts)
}

// Overwrite is [Create] that drops what a file of that name holds.
func Overwrite(name string, facts Facts) (*Writer, error) {
	return create(name, os.O_TRUNC, facts)
}

func create(name string, flag int, facts Facts) (*Writer, error) {
	if err := facts.Validate(); err != nil {
		return nil, err // before there is a file
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND|flag, 0o666)
	if err != nil {
		return nil, err
	}
	w := &Writer{w: f, file: f}
	if err := w.write(header(facts)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

// Resume opens a file to append to it, and returns what it holds.
//
// A last line that was cut off is dropped, and kept in [File.Torn]; all else
// in the file stays as it is. The file must be one that a Writer began, must
// have nothing wrong in it, and must agree with facts save for the notes;
// otherwise Resume leaves it alone and returns an error. The notes of this run
// are added. A file that does not exist, or is empty, is begun.
func Resume(name string, facts Facts) (*Writer, *File, error) {
	if err := facts.Validate(); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, nil, err
	}
	w, held, err := resume(f, name, facts)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return w, held, nil
}

func resume(f *os.File, name string, facts Facts) (*Writer, *File, error) {
	r := newReader(f, name)
	held, err := r.all()
	if err != nil {
		return nil, nil, err
	}
	if err := r.lines.err; err != nil {
		return nil, nil, r.end(ourLine)
	}
	w := &Writer{
		w:              f,
		file:           f,
		size:           r.lines.size,
		round:          r.round,
		distance:       r.distance,
		oversubscribed: r.oversubscribed,
	}
	if r.lines.n == 0 && held.Torn == "" {
		held.Facts = facts
		return w, held, w.write(header(facts))
	}
	if err := sameMachine(held, facts); err != nil {
		return nil, nil, err
	}
	if held.Torn != "" {
		if err := w.cut(); err != nil {
			return nil, nil, err
		}
	}
	resumed := Note{"resumed", fmt.Sprintf("after %d samples", len(held.Samples))}
	return w, held, w.write(notes(append([]Note{resumed}, facts.Notes...)))
}

// sameMachine returns an error unless facts are those of the file, but for notes.
func sameMachine(held *File, facts Facts) error {
	if held.Machine == "" {
		return &SyntaxError{held.Name, 1, `not a file to append to: want one that lockbench began, with a line "machine: ..."`}
	}
	var errs []error
	want := facts.config()
	for i, have := range held.Facts.config() {
		if have != want[i] {
			errs = append(errs, fmt.Errorf("%s: results are of %s %q, want this one's, %q", held.Name, have.Key, have.Value, want[i].Value))
		}
	}
	return errors.Join(errs...)
}

// Write writes one sample. If it fails, so do all that follow.
func (w *Writer) Write(s Sample) error {
	if w.err != nil {
		return w.err
	}
	if err := s.Validate(); err != nil {
		return fmt.Errorf("sample of %v: %w", s.Cell, err)
	}
	var b bytes.Buffer
	if s.Round != w.round {
		fmt.Fprintf(&b, "# round: %d\n", s.Round)
	}
	if s.Distance != w.distance {
		fmt.Fprintln(&b, config{"distance", string(s.Distance)})
	}
	if s.Oversubscribed != w.oversubscribed {
		// Deleting the key, not setting it to false, makes the sample
		// comparable with those of a file that never has it.
		value := ""
		if s.Oversubscribed {
			value = "true"
		}
		fmt.Fprintln(&b, config{"oversubscribed", value})
	}
	fmt.Fprintln(&b, s)
	if err := w.write(b.Bytes()); err != nil {
		return err
	}
	w.round, w.distance, w.oversubscribed = s.Round, s.Distance, s.Oversubscribed
	return nil
}

// Close closes the file. It does nothing if the Writer comes from [NewWriter].
func (w *Writer) Close() error {
	if w.file == nil {
		return nil
	}
	return w.file.Close()
}

// write writes whole lines in one call. If only a part arrives, it takes the
// part back where it can.
func (w *Writer) write(lines []byte) error {
	n, err := w.w.Write(lines)
	if err == nil {
		w.size += int64(n)
		return nil
	}
	if w.file != nil && n > 0 {
		err = errors.Join(err, w.cut())
	}
	w.err = err
	return err
}

// cut cuts off what follows the last complete Write.
func (w *Writer) cut() error {
	// By name, because a handle for appending cannot truncate on Windows.
	return os.Truncate(w.file.Name(), w.size)
}

// header returns the lines that a file begins with.
func header(facts Facts) []byte {
	var b bytes.Buffer
	for _, c := range facts.config() {
		if c.Value != "" {
			fmt.Fprintln(&b, c)
		}
	}
	b.Write(notes(facts.Notes))
	for _, u := range units {
		fmt.Fprintf(&b, "Unit %s assume=nothing", u.Name)
		switch u.Better {
		case +1:
			b.WriteString(" better=higher")
		case -1:
			b.WriteString(" better=lower")
		}
		b.WriteByte('\n')
	}
	return b.Bytes()
}

func notes(notes []Note) []byte {
	var b bytes.Buffer
	for _, n := range notes {
		fmt.Fprintf(&b, "# %s: %s\n", n.Key, n.Text)
	}
	return b.Bytes()
}
