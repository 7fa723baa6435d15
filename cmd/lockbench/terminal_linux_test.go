package main

import (
	"fmt"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/internal/commandline"
)

// terminal returns the side of a new pseudo-terminal to which programs write.
func terminal(t *testing.T) *os.File {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { ptmx.Close() })
	n, err := unix.IoctlGetInt(int(ptmx.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(ptmx.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(ptmx.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 91})
	}
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { tty.Close() })
	return tty
}

func TestTerminal(t *testing.T) {
	tty := terminal(t)
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	for _, test := range []struct {
		out           io.Writer
		term, noColor string
		width         int
		ok, color     bool
	}{
		{tty, "xterm", "", 91, true, true},
		{tty, "xterm", "1", 91, true, false},
		{tty, "dumb", "", 91, false, false},
		{null, "xterm", "", 0, false, false},
		{io.Discard, "xterm", "", 0, false, false},
	} {
		t.Setenv("TERM", test.term)
		t.Setenv("NO_COLOR", test.noColor)
		width, ok := commandline.Terminal(test.out)
		if color := commandline.Color(test.out); width != test.width || ok != test.ok || color != test.color {
			t.Errorf("%T, TERM=%s, NO_COLOR=%s: width %d, escapes %t, colours %t; want %d, %t, %t",
				test.out, test.term, test.noColor, width, ok, color, test.width, test.ok, test.color)
		}
	}
}
