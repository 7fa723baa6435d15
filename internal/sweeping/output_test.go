package sweeping

import (
	"bytes"
	"errors"
	"io/fs"
	"testing"

	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/results"
)

// A sweep that ended early, and that can go on, says how.
func TestEnd(t *testing.T) {
	full := &fs.PathError{Op: "write", Path: "results.txt", Err: errors.New("no space left on device")}
	for _, test := range []struct {
		out  Output
		err  error
		want string
	}{
		{Output{}, ErrInterrupted, "prog: 0 samples in r.txt\n"}, // nothing to keep
		{Output{}, full, "prog: 1 sample in r.txt; to go on: the same command with --resume\n"},
		{Output{Resume: true}, full, "prog: 1 sample in r.txt; to go on: the same command\n"},
		{Output{Extend: true}, full, "prog: 1 sample in r.txt; to go on: the same command\n"},
		{Output{Force: true}, full, "prog: 1 sample in r.txt; to go on: the same command with --resume in place of --force\n"},
		{Output{}, errors.New("a broken lock"), "prog: 1 sample in r.txt\n"},
	} {
		file := new(results.File)
		if test.err != ErrInterrupted {
			file.Samples = make([]results.Sample, 1)
		}
		test.out.Out = "r.txt"
		var errs bytes.Buffer
		err := test.out.End(commandline.Console{Err: &errs, Name: "prog"}, file, results.Facts{}, test.err)
		if got := errs.String(); !errors.Is(err, test.err) || got != test.want {
			t.Errorf("%+v, %v: got %v and %q, want %q", test.out, test.err, err, got, test.want)
		}
	}
}
