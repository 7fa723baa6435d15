// Package validation compares what package sim says with what was published: its tests
// print both, and fail if they are farther apart than is said in docs/simulator.md, and also
// if they come closer than is said there.
//
// What a machine's description was made from is another source than what it is compared
// with, except for the residency of a line, which was chosen by the fetch-add series of
// the Xeon 8176. The published numbers are in testdata, each with its source. Where nothing
// was published in nanoseconds for a machine that is described, the shape of curves is
// compared, and the tests say with which numbers.
//
//	go test -tags virtual -v ./sim/validation
//
// All points go to docs/data/sim.csv, from which the figures and tables of
// docs/simulator.md are made:
//
//	go test -tags virtual ./sim/validation -run TestRecorded -record
//	go run ./tools/figures
package validation
