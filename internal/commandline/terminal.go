package commandline

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Terminal returns the width of w if it is a terminal, 0 if it is none, and whether it
// understands ANSI escape sequences: TERM=dumb says that it does not.
func Terminal(w io.Writer) (width int, ok bool) {
	if o, is := w.(*output); is {
		w = o.to
	}
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil && os.Getenv("TERM") != "dumb"
}

// Color reports whether output to w should have colours: w is a terminal that supports
// them, and NO_COLOR (see no-color.org) is not set.
func Color(w io.Writer) bool {
	_, ok := Terminal(w)
	return ok && os.Getenv("NO_COLOR") == ""
}
