package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/lockbench/lockbench/internal/commandline"
)

// openerEnds is how long a program that opens a page has to say that it cannot. The
// browser itself may run for as long as its user reads.
const openerEnds = 3 * time.Second

// openPage shows a page in the user's browser, or says why it does not and what to do.
func openPage(con commandline.Console, page string) {
	if err := startBrowser(page); err != nil {
		con.Sayf("not opened: %v: open %s yourself, or copy it to a machine with a browser; it needs no other file", err, page)
	}
}

// startBrowser has the program of this system for that open a page.
func startBrowser(page string) error {
	path, err := filepath.Abs(page)
	if err != nil {
		return err
	}
	command := opener(runtime.GOOS)
	if command == nil {
		return errors.New("no screen here, for neither DISPLAY, WAYLAND_DISPLAY nor BROWSER is set")
	}
	cmd := exec.Command(command[0], append(command[1:], path)...)
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Errorf("%s: %w", command[0], err)
		}
	case <-time.After(openerEnds): // it is the browser
	}
	return nil
}

// opener returns the program, and its arguments, that opens files for the user of a
// system, or nothing if there is no screen.
func opener(system string) []string {
	switch system {
	case "darwin":
		return []string{"open"}
	case "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	}
	for _, name := range []string{"DISPLAY", "WAYLAND_DISPLAY", "BROWSER"} {
		if os.Getenv(name) != "" {
			return []string{"xdg-open"}
		}
	}
	return nil
}
