package commandline

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Terminal returns the width of w if it is a terminal.
func Terminal(w io.Writer) (width int, ok bool) {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	return width, err == nil
}
