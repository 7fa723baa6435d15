package results

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxLine is the length of the longest line, its newline included. A sample
// takes less than a thousand bytes.
const maxLine = 32 << 10

// lines hands a text on by one whole line, or a part of one, in each Read.
//
// A scanner that reads from it works on line n before it asks for n+1, so
// that the two are in step: whoever gets a record from the scanner finds its
// line in text, and seen has been told of no line behind it.
type lines struct {
	r    *bufio.Reader
	seen func(line []byte) // is told each line, without its newline

	n    int    // number of the current line, from 1
	text []byte // the current line, without its newline
	rest []byte // what has not been read of the current line
	size int64  // bytes in all lines up to the current one

	torn string // a last line without a newline: it is not handed on
	err  error  // what ended the text, if not its end
}

func newLines(r io.Reader, seen func([]byte)) *lines {
	return &lines{r: bufio.NewReaderSize(r, maxLine), seen: seen}
}

func (l *lines) Read(p []byte) (int, error) {
	if len(l.rest) == 0 {
		line, err := l.r.ReadSlice('\n')
		if err == io.EOF {
			l.torn = string(line)
			return 0, io.EOF
		}
		if err != nil {
			l.err = err
			return 0, err
		}
		l.n++
		l.size += int64(len(line))
		l.rest = line
		l.text = bytes.TrimSuffix(line[:len(line)-1], []byte("\r"))
		l.seen(l.text)
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

// tooLong reports whether the text ended at a line longer than maxLine.
func (l *lines) tooLong() bool {
	return errors.Is(l.err, bufio.ErrBufferFull)
}
