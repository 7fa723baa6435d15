package commandline_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/commandline"
)

var errLate = errors.New("late")

var program = commandline.Program{Name: "prog", Codes: map[error]int{errLate: 3}}

// Each exit code means one thing: a fault that was found is 1, even if it could not be
// reported, and any error that keeps a command from its work is 2.
func TestReport(t *testing.T) {
	full := &os.PathError{Op: "write", Path: "/x", Err: errors.New("no space left")}
	slow := commandline.Found(errors.New("slower"))
	for _, test := range []struct {
		err  error
		code int
	}{
		{nil, commandline.OK},
		{slow, commandline.Failed},
		{fmt.Errorf("%w, which is to fail", slow), commandline.Failed},
		{full, commandline.Usage},
		{commandline.Problems{full, full}, commandline.Usage},
		{errLate, 3},
		{fmt.Errorf("%w: 1 of 2", errLate), 3},
		{errors.Join(full, slow), commandline.Failed},
		{errors.Join(slow, full), commandline.Failed},
		{errors.Join(errLate, full), commandline.Usage},
		{errors.Join(full, errLate), commandline.Usage},
		{commandline.Problems{slow, full}, commandline.Failed},
	} {
		var errs bytes.Buffer
		if code := program.Report(&errs, test.err); code != test.code {
			t.Errorf("%v: exit status %d, want %d", test.err, code, test.code)
		}
		if test.err != nil {
			for line := range strings.SplitSeq(test.err.Error(), "\n") {
				if !strings.Contains(errs.String(), "prog: "+line+"\n") {
					t.Errorf("%v: says %q, want %q in it", test.err, errs.String(), line)
				}
			}
		}
	}
}
