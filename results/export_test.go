package results

import (
	"io"
	"strings"
)

// BreakAfter makes the next Write to w's file end after n bytes.
func (w *Writer) BreakAfter(n int) {
	w.w = shortWriter{w.w, n}
}

// Mend undoes BreakAfter.
func (w *Writer) Mend() {
	w.w = w.file
}

type shortWriter struct {
	w io.Writer
	n int
}

func (s shortWriter) Write(p []byte) (int, error) {
	n, err := s.w.Write(p[:s.n])
	if err != nil {
		return n, err
	}
	return n, io.ErrShortWrite
}

// ReadFileOf is ReadFile of a file that has the contents text() each time it is read.
func ReadFileOf(text func() string) (*File, error) {
	return readFile(func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text())), nil }, "file")
}
