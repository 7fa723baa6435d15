package main

import (
	"slices"
	"strings"
)

// A trace is a figure of docs/simulator.md that locksim draws, for light and dark pages.
type trace struct{ name, flags string }

// traces are these figures. The page has the same commands, and a test of cmd/locksim draws
// them.
var traces = []trace{
	{"fig-trace-ticket", "--lock ticket --cpus 12 --ops 3 --from 4us --to 6us"},
	{"fig-trace-mcs", "--lock mcs --cpus 12 --ops 3 --from 4us --to 6us"},
	{"fig-trace-qspinlock", "--lock qspinlock --cpus 2 --ops 8"},
	{"fig-trace-rcu", "--lock rcu-domain-sync --readers 7 --writers 1 --ops 2 --hold 20us --think 10us --seed 2 --to 62us"},
}

// tracesName is their name as a dataset.
const tracesName = "traces"

// file returns where a figure is in a checkout.
func (t trace) file(dark bool) string {
	if dark {
		return "docs/" + t.name + "-dark.svg"
	}
	return "docs/" + t.name + ".svg"
}

// traceCommands returns the commands that draw them.
func traceCommands() (all [][]string) {
	for _, t := range traces {
		command := append([]string{"go", "run", "-tags", "virtual", "./cmd/locksim", "trace"}, strings.Fields(t.flags)...)
		all = append(all, append(slices.Clone(command), "--out", t.file(false)), append(command, "--out", t.file(true), "--dark"))
	}
	return all
}
