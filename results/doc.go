// Package results keeps what a benchmark run produced: files in the Go
// benchmark format, which benchstat reads as well, and their statistics.
package results
