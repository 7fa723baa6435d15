package results

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// maxLine is the length of the longest line, its newline included. A sample
// takes less than a thousand bytes.
const maxLine = 32 << 10

var errTooLong = fmt.Errorf("line is longer than %d bytes, which is not a benchmark", maxLine)

// Each Read of lines returns one plain line, or a part of one: what go test wrote,
// without additions of other software (see [dress]).
//
// A scanner that reads from it works on one line before it asks for the next, so when
// the scanner returns a record, text is its line, and seen has been called for no later
// line.
type lines struct {
	r     *bufio.Reader
	seen  func(line []byte) []byte // is called with each line, and returns what Read returns for it
	dress dress

	n     int         // number of the current line, from 1
	text  []byte      // the current line, without its newline
	buf   []byte      // what Read returns for it
	rest  []byte      // the part of buf that has not been read
	queue []plainLine // read from the file, but not returned

	read  int    // lines read
	size  int64  // bytes in them
	long  int    // lines that are too long, and certainly no benchmarks
	torn  string // a last line without a newline, which is not returned
	err   error  // the error that ended the text, if any
	ended bool
}

func newLines(r io.Reader, seen func([]byte) []byte) *lines {
	return &lines{r: bufio.NewReaderSize(r, maxLine), seen: seen}
}

func (l *lines) Read(p []byte) (int, error) {
	for len(l.rest) == 0 {
		if len(l.queue) == 0 {
			if l.ended {
				return 0, l.end()
			}
			l.fill()
			continue
		}
		l.n, l.text = l.queue[0].n, l.queue[0].text
		l.queue = l.queue[1:]
		l.buf = append(append(l.buf[:0], l.seen(l.text)...), '\n')
		l.rest = l.buf
	}
	n := copy(p, l.rest)
	l.rest = l.rest[n:]
	return n, nil
}

func (l *lines) end() error {
	if l.err != nil {
		return l.err
	}
	return io.EOF
}

// fill reads one line of the file.
func (l *lines) fill() {
	line, err := l.r.ReadSlice('\n')
	whole := int64(len(line))
	if err == bufio.ErrBufferFull {
		binary := isBinary(line)
		for err == bufio.ErrBufferFull && !binary {
			line, err = l.r.ReadSlice('\n')
			whole += int64(len(line))
			binary = isBinary(line)
		}
		if binary || err == io.EOF {
			l.finish(errTooLong)
			return
		}
		if err == nil { // a log line
			l.read++
			l.size += whole
			l.long++
			return
		}
	}
	switch err {
	case nil:
		l.read++
		l.size += whole
		l.queue = l.dress.takeOff(l.read, line[:len(line)-1])
	case io.EOF:
		l.torn = string(line)
		l.finish(nil)
	default:
		l.finish(err)
	}
}

// finish notes that the file has ended.
func (l *lines) finish(err error) {
	l.err, l.ended = err, true
	l.queue = l.dress.end(l.read)
}

// isBinary reports whether a part of a line that is too long may belong to a benchmark,
// or is not text.
func isBinary(part []byte) bool {
	return bytes.Contains(part, []byte("Benchmark")) || bytes.IndexByte(part, 0) >= 0
}
