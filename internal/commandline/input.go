package commandline

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Problems are all errors of a command line. Flags are read as plain strings and parsed
// here, not by kong, which would stop at the first error.
type Problems []error

// Error returns them, one per line.
func (p Problems) Error() string { return errors.Join(p...).Error() }

// Unwrap returns them.
func (p Problems) Unwrap() []error { return p }

// Add adds err, or the errors that it joins, unless it is nil.
func (p *Problems) Add(err error) {
	if err != nil {
		*p = append(*p, eachOf(err)...)
	}
}

// Addf adds an error, as [fmt.Errorf] makes it.
func (p *Problems) Addf(format string, args ...any) { p.Add(fmt.Errorf(format, args...)) }

// List parses values with commas between them, each from low to high, and returns them
// in the order given, each once. If none is valid it returns low, so that values that
// depend on it can still be checked.
func List[T cmp.Ordered](p *Problems, flag, text string, parse func(string) (T, error), want string, low, high T) []T {
	var values []T
	for s := range strings.SplitSeq(text, ",") {
		v, err := parse(strings.TrimSpace(s))
		switch {
		case err != nil:
			p.Addf("%s %s: want %s, have %q", flag, text, want, s)
		case v < low:
			p.Addf("%s %v: must be at least %v", flag, s, low)
		case v > high:
			p.Addf("%s %v: must be at most %v", flag, s, high)
		case !slices.Contains(values, v):
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return []T{low}
	}
	return values
}

// Ints is [List] of whole numbers.
func (p *Problems) Ints(flag, text string, low, high int) []int {
	return List(p, flag, text, strconv.Atoi, "whole numbers such as 1,2", low, high)
}

// Durations is [List] of durations.
func (p *Problems) Durations(flag, text string, low, high time.Duration) []time.Duration {
	return List(p, flag, text, time.ParseDuration, "durations such as 0s,100ns", low, high)
}

// Seed returns the seed in text: a whole number, decimal.
func (p *Problems) Seed(flag, text string) uint64 {
	parse := func(s string) (uint64, error) { return strconv.ParseUint(s, 10, 64) }
	return One(p, flag, text, List(p, flag, text, parse, "a whole number", 0, math.MaxUint64))
}

// One returns the value of a flag that can have only one.
func One[T any](p *Problems, flag, text string, values []T) T {
	if len(values) > 1 {
		p.Addf("%s %s: want one value", flag, text)
	}
	return values[0]
}

// Writable checks that files can be created in dir, which will be made if it does not
// exist. It leaves no files behind.
func (p *Problems) Writable(flag, dir string) {
	info, err := os.Stat(dir)
	for errors.Is(err, fs.ErrNotExist) && dir != filepath.Dir(dir) {
		dir = filepath.Dir(dir)
		info, err = os.Stat(dir)
	}
	switch {
	case err != nil:
		p.Addf("%s: %w", flag, err)
	case !info.IsDir():
		p.Addf("%s: %s is no directory", flag, dir)
	default:
		f, err := os.CreateTemp(dir, ".lockbench")
		if err != nil {
			p.Addf("%s: cannot write in %s: %w", flag, dir, errors.Unwrap(err))
			return
		}
		f.Close()
		p.Add(os.Remove(f.Name()))
	}
}

// eachOf returns the errors that err joins, or err itself, or nothing.
func eachOf(err error) []error {
	if err == nil {
		return nil
	}
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

// textMapper reads the flags and arguments that are text, byte for byte: kong's own
// passes them through JSON, which cannot have a file's name that is not UTF-8.
//
// None of them may be empty, as an unset variable of a shell would make them: that adds
// a problem to empty. For a flag with the tag empty:"true", the empty value has a
// meaning.
func textMapper(empty *Problems) kong.MapperFunc {
	return func(ctx *kong.DecodeContext, target reflect.Value) error {
		token, err := ctx.Scan.PopValue("string")
		if err != nil {
			return err
		}
		text := fmt.Sprint(token.Value)
		if text == "" && !ctx.Value.Tag.Has("empty") {
			if f := ctx.Value.Flag; f != nil {
				empty.Addf("--%s: is empty: want %s, or no --%s at all", f.Name, f.FormatPlaceHolder(), f.Name)
			} else {
				empty.Addf("<%s>: is empty", ctx.Value.Name)
			}
		}
		target.SetString(text)
		return nil
	}
}

var errHelp = errors.New("help") // the help or the version was shown
