package sweeping

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/lockbench/lockbench/harness"
)

// ErrInterrupted says that a signal ended the sweep. Its file has what was measured.
var ErrInterrupted = errors.New("interrupted")

// Interruption returns ErrInterrupted for an error that is only the end of ctx, and any
// other, such as that of a stuck lock, unchanged.
func Interruption(ctx context.Context, err error) error {
	if err != nil && errors.Is(err, context.Cause(ctx)) {
		return ErrInterrupted
	}
	return err
}

// Stacks writes the stacks of a lock that is broken or stuck, and reports whether
// it is.
func Stacks(w io.Writer, err error) (found bool) {
	var broken *harness.BrokenError
	if errors.As(err, &broken) && broken.Stack != "" {
		fmt.Fprintln(w, broken.Stack)
	}
	var stuck *harness.StuckError
	if errors.As(err, &stuck) && stuck.Stacks != "" {
		fmt.Fprintln(w, stuck.Stacks)
	}
	return broken != nil || stuck != nil
}
