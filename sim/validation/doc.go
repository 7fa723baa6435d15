// Package validation compares what package sim says with what was published: its tests
// print both, and fail if they are farther apart than is said in docs/simulator.md.
//
// What a machine's description was made from is another source than what it is compared
// with, except for the residency of a line, which was chosen by the fetch-add series of
// the Xeon 8176. The published numbers are in testdata, each with its source.
//
//	go test -tags virtual -v ./sim/validation
package validation
