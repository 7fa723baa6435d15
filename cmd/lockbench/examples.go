package main

import (
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/sweeping"
)

// The examples in the help of each command. Each line is a command that works in a
// directory with its files.

// Help is kong's.
func (runCmd) Help() string {
	return commandline.Examples(
		"lockbench run --quick",
		"lockbench run --locks 'ticket,sync.*' --cpus 1,2 --reads 0,90 --latency",
		"lockbench run --locks ./mypkg.MyLock,sync.Mutex,ticket",
		"lockbench run --hold 500ns --think 2us --workers 8 --out mine.txt --resume",
		"lockbench run --locks ticket,mcs --cpus 2 --trace waits.trace --out mine.txt",
	)
}

// Help is kong's.
func (plotCmd) Help() string {
	return commandline.Examples(
		"lockbench plot results.txt",
		"lockbench plot --format svg --all --plots pictures results.txt",
	)
}

// Help is kong's.
func (reportCmd) Help() string {
	return commandline.Examples(
		"lockbench report --open results.txt",
		"lockbench report --out locks.html mine.txt results.txt",
	)
}

// Help is kong's.
func (claimsCmd) Help() string {
	return commandline.Examples(
		"lockbench claims",
		"lockbench claims unfair burns",
		"lockbench claims --out claims.md",
	)
}

// Help is kong's.
func (mergeCmd) Help() string {
	return commandline.Examples(
		"lockbench merge --out all.txt shard-1.txt shard-2.txt",
		"lockbench merge --force shard-*.txt",
	)
}

// Help is kong's.
func (exportCmd) Help() string {
	return commandline.Examples(
		"lockbench export results.txt > results.csv",
		"lockbench export --format json --out results.json --force results.txt",
		"lockbench export --format json results.txt | jq .samples",
		"lockbench export --perfetto --out waits.json waits.trace",
		"lockbench export --perfetto --cell lock=mcs/ --out mcs.svg --to 10us waits.trace",
	)
}

// Help is kong's.
func (gateCmd) Help() string {
	return commandline.Examples(
		"lockbench gate --base origin/main --packages ./... --margin 3%",
		"lockbench gate --files old.txt new.txt",
		"lockbench gate --sim --base origin/main --machine milan-2s --cpus 1,64 --locks 'ticket,mcs*'",
		"lockbench gate --self-test --packages ./ticket",
	)
}

// Help is kong's.
func (compareCmd) Help() string {
	return commandline.Examples(
		"lockbench compare old.txt new.txt",
		"lockbench compare --unit ns/op --bench 'Sum' --format markdown old.txt new.txt",
	)
}

// Help is kong's.
func (historyCmd) Help() string {
	return commandline.Examples(
		"lockbench history",
		"lockbench history --unit ns/op --plots pictures --fail results/history",
	)
}

// Help is kong's.
func (tortureCmd) Help() string {
	return commandline.Examples(
		"lockbench torture --duration 10m",
		"lockbench torture --locks 'ticket*,rcu-qsbr' --duration 10s --seed 7",
		"lockbench torture --locks ./mypkg.MyLock --duration 10s",
	)
}

// Help is kong's.
func (initCmd) Help() string {
	return commandline.Examples(
		"lockbench init",
		"lockbench init mypkg",
	)
}

// Help is kong's.
func (listCmd) Help() string {
	return commandline.Examples(
		"lockbench list",
		"lockbench list 'ticket*' '!*-pinned'",
		"lockbench list --workloads --json",
	)
}

// Help is kong's.
func (decodeCmd) Help() string {
	return commandline.Examples(
		"lockbench decode qspinlock 0x00100101",
		"lockbench decode rwsem 0x302 0x1",
	)
}

// The names that completion offers.

func lockNames() (names []string) {
	for _, e := range catalog.All() {
		names = append(names, e.Name)
	}
	return names
}

func torturedNames() (names []string) {
	for _, e := range catalog.Locks() {
		names = append(names, e.Name)
	}
	for _, f := range catalog.RCU() {
		names = append(names, f.Name)
	}
	return names
}

func workloadNames() (names []string) {
	for _, w := range sweeping.Workloads() {
		names = append(names, w.Name)
	}
	return names
}
