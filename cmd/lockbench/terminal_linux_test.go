package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/results"
)

// terminal returns the two sides of a new pseudo-terminal: that to which programs write,
// and that from which their output can be read.
func terminal(t *testing.T) (tty, screen *os.File) {
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
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip(err)
	}
	t.Cleanup(func() { tty.Close() })
	return tty, ptmx
}

// On a terminal the meter of a sweep is a bar in one line, which a message removes.
func TestMeterOnTerminal(t *testing.T) {
	tty, screen := terminal(t)
	t.Setenv("TERM", "xterm")
	synctest.Test(t, func(t *testing.T) {
		m := sweeping.NewMeter(commandline.Console{Err: tty, Name: "lockbench"}, 4)
		for done := 1; done <= 2; done++ {
			m.Begin(results.Cell{Lock: "tas", CPUs: 1, Workers: 1}, "")
			time.Sleep(time.Second) // in the bubble's time
			m.Show(done, float64(done)/4)
		}
		m.Say("a message")
		m.End()
	})
	fmt.Fprintln(tty, "the end")
	text := ""
	for read := bufio.NewReader(screen); !strings.HasSuffix(text, "the end\r\n"); {
		line, err := read.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		text += line
	}
	lines := strings.Split(text, "\r\x1b[K")
	for i, want := range []string{"", "3s left  25% |", "2s left  50% |", "lockbench: a message\r\nthe end\r\n"} {
		if i >= len(lines) || !strings.Contains(lines[i], want) || want == "" && lines[i] != "" {
			t.Fatalf("line %d of %q: want %q", i, lines, want)
		}
	}
	if len(lines) != 4 {
		t.Errorf("%d lines, want 4: %q", len(lines), lines)
	}
}

func TestTerminal(t *testing.T) {
	tty, _ := terminal(t)
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
