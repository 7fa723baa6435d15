package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	file *os.File // w, if the Writer opened it itself
	size int64    // of file, up to the last complete Write
	err  error    // of the first failed Write; the state below is void then

	// What the lines written so far say of the sample to come.
	round          int
	distance       Distance
	oversubscribed bool
}

// NewWriter writes the header of a file to w, in one Write call, and returns
// a Writer for its samples.
func NewWriter(w io.Writer, facts Facts) (*Writer, error) {
	wr := &Writer{w: w}
	if err := wr.writeHeader(facts); err != nil {
		return nil, err
	}
	return wr, nil
}

// Create makes a new file and writes its header. If there is a file of that
// name, it leaves it alone and returns an error that is [fs.ErrExist].
func Create(name string, facts Facts) (*Writer, error) {
	return open(name, os.O_EXCL, facts)
}

// Overwrite is [Create] that drops what a file of that name holds.
func Overwrite(name string, facts Facts) (*Writer, error) {
	return open(name, os.O_TRUNC, facts)
}

func open(name string, flag int, facts Facts) (*Writer, error) {
	if err := facts.Validate(); err != nil {
		return nil, err // before a file is made or truncated
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND|flag, 0o666)
	if err != nil {
		return nil, err
	}
	w := &Writer{w: f, file: f}
	if err := w.writeHeader(facts); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return w, nil
}

// Resume opens a file to append to it, and returns what it holds.
//
// A last line that was cut off is dropped, and reported in [File.Torn]; all
// else in the file stays as it is. The file must be one that a Writer began,
// must have no errors, and must come from a machine with the same facts, save
// for notes; the notes of this run are added. A file that does not exist or is
// empty is begun.
func Resume(name string, facts Facts) (*Writer, *File, error) {
	if err := facts.Validate(); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, nil, err
	}
	w := &Writer{w: f, file: f}
	held, err := w.resume(f, name, facts)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return w, held, nil
}

// resume brings w to the state at the end of r, the text of w's file.
func (w *Writer) resume(r io.Reader, name string, facts Facts) (*File, error) {
	rd := newReader(r, name)
	held := &File{Name: name}
	var errs []error
	for s, err := range rd.samples {
		if err != nil {
			errs = append(errs, err)
			continue
		}
		held.Samples = append(held.Samples, s)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if rd.size == 0 {
		held.Facts = facts
		return held, w.writeHeader(facts)
	}
	held.Facts = rd.facts
	return held, nil
}

// Write writes one sample.
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
		writeConfig(&b, "distance", string(s.Distance))
	}
	if s.Oversubscribed != w.oversubscribed {
		value := "" // deletes the key, so that a file without any reads like one from before
		if s.Oversubscribed {
			value = "true"
		}
		writeConfig(&b, "oversubscribed", value)
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

func (w *Writer) writeHeader(facts Facts) error {
	if err := facts.Validate(); err != nil {
		return err
	}
	var b bytes.Buffer
	for _, c := range facts.config() {
		if c.Value != "" {
			writeConfig(&b, c.Key, c.Value)
		}
	}
	writeNotes(&b, facts.Notes)
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
	return w.write(b.Bytes())
}

func writeConfig(b *bytes.Buffer, key, value string) {
	if value == "" {
		fmt.Fprintf(b, "%s:\n", key)
		return
	}
	fmt.Fprintf(b, "%s: %s\n", key, value)
}

func writeNotes(b *bytes.Buffer, notes []Note) {
	for _, n := range notes {
		fmt.Fprintf(b, "# %s: %s\n", n.Key, n.Text)
	}
}

// write writes whole lines. If that fails half-way, it takes the half back,
// where it can, and refuses to go on.
func (w *Writer) write(lines []byte) error {
	n, err := w.w.Write(lines)
	if err == nil {
		w.size += int64(n)
		return nil
	}
	if w.file != nil && n > 0 {
		err = errors.Join(err, w.file.Truncate(w.size))
	}
	w.err = err
	return err
}

var _ = fs.ErrExist // for the doc comment of Create
