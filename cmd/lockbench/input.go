package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Problems is all that is wrong with a command line. Flags are read as plain
// strings and parsed here, not by kong, which would stop at the first.
type problems []error

func (p problems) Error() string   { return errors.Join(p...).Error() }
func (p problems) Unwrap() []error { return p }

func (p *problems) add(err error) {
	if err != nil {
		*p = append(*p, eachOf(err)...)
	}
}

func (p *problems) addf(format string, args ...any) { p.add(fmt.Errorf(format, args...)) }

// list parses values with commas between them, each from low to high, and
// returns them in the order given, each once. If none is left it returns low,
// so that what depends on it can be checked all the same.
func list[T cmp.Ordered](p *problems, flag, text string, parse func(string) (T, error), want string, low, high T) []T {
	var values []T
	for s := range strings.SplitSeq(text, ",") {
		v, err := parse(strings.TrimSpace(s))
		switch {
		case err != nil:
			p.addf("%s %s: want %s, have %q", flag, text, want, s)
		case v < low:
			p.addf("%s %v: must be at least %v", flag, s, low)
		case v > high:
			p.addf("%s %v: must be at most %v", flag, s, high)
		case !slices.Contains(values, v):
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return []T{low}
	}
	return values
}

func (p *problems) ints(flag, text string, low, high int) []int {
	return list(p, flag, text, strconv.Atoi, "whole numbers such as 1,2", low, high)
}

func (p *problems) durations(flag, text string, low, high time.Duration) []time.Duration {
	return list(p, flag, text, time.ParseDuration, "durations such as 0s,100ns", low, high)
}

// one returns the value that a flag has if it can have only one.
func one[T any](p *problems, flag, text string, values []T) T {
	if len(values) > 1 {
		p.addf("%s %s: want one value", flag, text)
	}
	return values[0]
}

// writable checks that files can be created in dir, which will be made if it
// is not there. It leaves nothing behind.
func (p *problems) writable(flag, dir string) {
	info, err := os.Stat(dir)
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		info, err = os.Stat(dir)
	}
	switch {
	case err != nil:
		p.addf("%s: %w", flag, err)
	case !info.IsDir():
		p.addf("%s: %s is no directory", flag, dir)
	default:
		f, err := os.CreateTemp(dir, ".lockbench")
		if err != nil {
			p.addf("%s: cannot write in %s: %w", flag, dir, errors.Unwrap(err))
			return
		}
		f.Close()
		p.add(os.Remove(f.Name()))
	}
}

// eachOf returns the errors that err joins, or err itself.
func eachOf(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var errs []error
	for _, err := range joined.Unwrap() {
		errs = append(errs, eachOf(err)...)
	}
	return errs
}

// help is the --help flag. Unlike kong's own it does not end the process.
type help bool

var errHelp = errors.New("help")

func (help) BeforeReset(ctx *kong.Context) error {
	return cmp.Or(ctx.PrintUsage(false), errHelp)
}
