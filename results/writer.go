package results

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/lockbench/lockbench/internal/filelock"
)

// A Writer writes samples as Go benchmark lines.
//
// Each sample is written in one Write call of complete lines that say everything about
// it. So if the program is killed, the file is valid and has all samples, except
// perhaps the one being written; and lines that another program writes in between do
// not change a sample. A Writer must not be used by several goroutines at once.
//
// A file has one Writer at a time, even in different processes, if the system and the
// file system can lock files; see [ErrInUse]. A Writer notices if the file is no longer
// there, or is not as it left it; see [LostError].
type Writer struct {
	w    io.Writer
	file *os.File // w, if the Writer opened it
	path string   // absolute path of file; "" if it is not a regular file
	size int64    // of file, up to the last complete Write
	err  error    // of the first failed Write
}

// ErrInUse says that another [Writer] has the file.
var ErrInUse = errors.New("in use")

// A LostError says that a file is not as its [Writer] left it.
type LostError struct {
	File string // its name
	Why  string // such as "removed or renamed"
}

// Error names the file, and says what happened to it.
func (e *LostError) Error() string {
	return fmt.Sprintf("%s: %s while this run wrote to it", e.File, e.Why)
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

// Create makes a new file and writes its header. If there is a file with that name, it
// does not change it and returns an error that is [io/fs.ErrExist].
func Create(name string, facts Facts) (*Writer, error) {
	return create(name, os.O_EXCL, facts)
}

// Overwrite is [Create] that discards the contents of a file with that name. If another
// Writer has that file, it does not change it and returns an error that is [ErrInUse].
func Overwrite(name string, facts Facts) (*Writer, error) {
	return create(name, 0, facts)
}

func create(name string, flag int, facts Facts) (*Writer, error) {
	if err := facts.Validate(); err != nil {
		return nil, err // before a file is made
	}
	w, err := open(name, flag)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(w.cut(), w.write(header(facts))); err != nil {
		return nil, errors.Join(err, w.file.Close())
	}
	return w, nil
}

// open opens a file for writing and locks it. It does not change its contents.
func open(name string, flag int) (*Writer, error) {
	path, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	for {
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND|flag, 0o666)
		if err != nil {
			return nil, err
		}
		w := &Writer{w: f, file: f}
		info, err := f.Stat()
		if err != nil {
			return nil, errors.Join(err, f.Close())
		}
		if !info.Mode().IsRegular() {
			return w, nil // such as /dev/null: any number may write to it
		}
		w.path = path
		switch err := filelock.TryLock(f); {
		case errors.Is(err, filelock.ErrLocked):
			return nil, errors.Join(fmt.Errorf("%s: %w%s: want one run at a time to write to a file", name, ErrInUse, holder(f)), f.Close())
		case err != nil && !errors.Is(err, errors.ErrUnsupported):
			return nil, errors.Join(err, f.Close())
		}
		// Between the two calls the file may have been replaced.
		if there, err := os.Stat(path); err == nil && os.SameFile(info, there) {
			return w, nil
		}
		f.Close()
	}
}

// holder says which process has the file, if the file says so.
func holder(r io.Reader) string {
	file, _ := newReader(r, "").all()
	var process, date string
	for _, n := range file.Notes {
		switch n.Key {
		case "process":
			process = n.Text
		case "date":
			date = n.Text
		}
	}
	if process == "" {
		return ""
	}
	return fmt.Sprintf(": process %s has been writing to it since %s", process, date)
}

// Resume opens a file to append to it, and returns its contents.
//
// A last line that was cut off is removed from the file, and returned in [File.Torn];
// the rest of the file does not change. A Writer must have begun the file, it must have
// no errors, and it must agree with facts except for the notes; otherwise, and if
// another Writer has it, Resume does not change it and returns an error. The notes of
// this run are added. If the file does not exist or is empty, Resume begins it.
func Resume(name string, facts Facts) (*Writer, *File, error) {
	return resume(name, facts, true)
}

// Continue is [Resume] of a run whose samples do not depend on the time, or on the process
// that takes them. It adds no notes, and removes all of a sample that was cut off, so that
// the file becomes as if the run had not been interrupted.
func Continue(name string, facts Facts) (*Writer, *File, error) {
	return resume(name, facts, false)
}

func resume(name string, facts Facts, note bool) (*Writer, *File, error) {
	if err := facts.Validate(); err != nil {
		return nil, nil, err
	}
	w, err := open(name, 0)
	if err != nil {
		return nil, nil, err
	}
	held, err := w.resume(name, facts, note)
	if err != nil {
		return nil, nil, errors.Join(err, w.file.Close())
	}
	return w, held, nil
}

func (w *Writer) resume(name string, facts Facts, note bool) (*File, error) {
	r := newReader(w.file, name)
	held, err := r.all()
	if err != nil {
		return nil, err
	}
	if err := r.lines.err; err != nil {
		return nil, r.end(ourLine)
	}
	if !r.lines.dress.bareText() {
		return nil, &SyntaxError{name, 1, "not a file to append to: want one as lockbench wrote it, have the log of something: " + strings.Join(r.lines.dress.warnings(), ", ")}
	}
	if r.lines.read == 0 && held.Torn == "" {
		held.Facts = facts
		return held, w.write(header(facts))
	}
	if err := sameMachine(held, facts); err != nil {
		return nil, err
	}
	w.size = r.lines.size
	if held.Torn != "" {
		if err := w.cut(); err != nil {
			return nil, err
		}
	}
	if !note {
		text, err := io.ReadAll(io.NewSectionReader(w.file, 0, w.size))
		if err != nil {
			return nil, err
		}
		w.size = endOfSamples(text)
		return held, w.cut()
	}
	resumed := Note{"resumed", fmt.Sprintf("after %d samples", len(held.Samples))}
	return held, w.write(notes(append([]Note{resumed}, facts.Notes...)))
}

// endOfSamples returns where the last sample of a file ends, or its header: what follows is
// of a sample that was cut off.
func endOfSamples(text []byte) (end int64) {
	at := int64(0)
	for line := range bytes.Lines(text) {
		at += int64(len(line))
		if bytes.HasPrefix(line, []byte("Benchmark")) || bytes.HasPrefix(line, []byte("Unit ")) {
			end = at
		}
	}
	return end
}

// sameMachine returns an error unless facts are those of the file, except for notes.
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
	// An empty value deletes a key: without it the sample is comparable with
	// those of a file that never has the key.
	oversubscribed := ""
	if s.Oversubscribed {
		oversubscribed = "true"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# round: %d\n", s.Round)
	if s.Fork != 0 { // a round begins without a fork
		fmt.Fprintf(&b, "# fork: %d\n", s.Fork)
	}
	fmt.Fprintln(&b, config{"distance", string(s.Distance)})
	fmt.Fprintln(&b, config{"oversubscribed", oversubscribed})
	for _, w := range s.Waits {
		fmt.Fprintf(&b, "# waits: %v\n", w)
	}
	fmt.Fprintln(&b, s)
	return w.write(b.Bytes())
}

// Note adds a fact that was not known before.
func (w *Writer) Note(n Note) error {
	if w.err != nil {
		return w.err
	}
	if err := (Facts{Machine: "host", Notes: []Note{n}}).Validate(); err != nil {
		return err
	}
	return w.write(notes([]Note{n}))
}

// Close closes the file. It returns a [*LostError] if the file is not as the Writer
// left it, unless a Write has returned that error. It does nothing if the Writer comes
// from [NewWriter].
func (w *Writer) Close() error {
	if w.file == nil {
		return nil
	}
	var lost error
	if w.err == nil {
		lost = w.lost()
	}
	return errors.Join(lost, w.file.Close())
}

// write writes complete lines in one call. If only a part is written, it removes that
// part if it can.
func (w *Writer) write(lines []byte) error {
	if w.err = w.lost(); w.err != nil {
		return w.err
	}
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

// lost returns a [*LostError] unless the file is where it was, and as the Writer
// left it.
func (w *Writer) lost() error {
	if w.path == "" {
		return nil
	}
	ours, err := w.file.Stat()
	if err != nil {
		return err
	}
	there, err := os.Stat(w.path)
	why := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		why = "removed or renamed"
	case err != nil:
		return err
	case !os.SameFile(ours, there):
		why = "replaced by another file"
	case ours.Size() < w.size:
		why = "cut short by another process"
	case ours.Size() > w.size:
		why = "written to by another process"
	default:
		return nil
	}
	return &LostError{w.file.Name(), why}
}

// cut cuts off what follows the last complete Write.
func (w *Writer) cut() error {
	switch {
	case w.path == "":
		return nil
	case runtime.GOOS == "windows":
		// On Windows a handle for appending cannot truncate. The name is still that of
		// this file, since an open file cannot be replaced.
		return os.Truncate(w.path, w.size)
	}
	return w.file.Truncate(w.size)
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
		b.WriteString(Declare(u.Name, u.Better))
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
