// Package report writes what was measured as one page of HTML that needs nothing else:
// no network, no other file. It begins with a sentence that says which lock is the best, and
// has a map of the best lock over CPU counts and shares of reads, heat maps of each lock,
// curves over CPUs with intervals, waits, fairness, CPU time, memory, the machine, and the
// numbers behind every figure. A reader chooses locks, shares, CPU counts and units;
// simulated curves are beside measured ones.
//
//	file, err := results.ReadFile("results.txt")
//	err = report.Page{Sources: []report.Source{{File: file}}}.Write(w)
//
// The page never mixes samples of near CPUs with samples of far ones. A lock is called
// the best for sure where its interval ends before those of all others begin, and tied
// with those that it does not. One without an interval is not ranked against those that have
// one; what is simulated with one seed is exact.
//
// # The files, in the order of the data
//
// data.go gathers samples into what the page draws; report.go puts it into page.html;
// page.css is its look, and page.js draws.
package report
