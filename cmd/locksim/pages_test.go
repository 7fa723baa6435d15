package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/commandline/script"
	"github.com/lockbench/lockbench/internal/engine"
)

// Every command of locksim on the pages makes sense: with one error added, locksim
// complains about that error only. (The build that cannot check says so before it
// parses the arguments.)
func TestPageCommands(t *testing.T) {
	blocks, _ := script.Pages(t, "../..")
	tried := 0
	for _, b := range blocks {
		for _, line := range b.Commands {
			for _, words := range script.Simple(line) {
				_, args, found := strings.Cut(strings.Join(words, " "), "./cmd/locksim ")
				if words[0] == "locksim" {
					args, found = strings.Join(words[1:], " "), true
				}
				if !found {
					continue
				}
				tried++
				if says := complaint(strings.Fields(args)); says != "" {
					t.Errorf("%s:%d: %s: %s", b.Page, b.Line, line, says)
				}
			}
		}
	}
	if tried < 2 {
		t.Errorf("%d commands of locksim on the pages, want all", tried)
	}
	if complaint([]string{"check", "--lokcs", "ticket"}) == "" {
		t.Error("an unknown flag is not noticed")
	}
}

// complaint returns the error of a command line, or "".
func complaint(args []string) string {
	wrong := []string{"--workers", "0"}
	if args[0] == "calibrate" {
		wrong = []string{"--budget", "0"}
	}
	want := "locksim: " + strings.Join(wrong, " ") + ": "
	if !engine.Virtual {
		want = "locksim: this build runs locks on the host alone"
	}
	var out, errs bytes.Buffer
	code := program.Run(append(args, wrong...), &out, &errs)
	if code == commandline.Usage && strings.HasPrefix(errs.String(), want) && strings.Count(errs.String(), "\n") == 1 {
		return ""
	}
	return errs.String()
}
