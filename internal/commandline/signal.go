package commandline

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// UntilSignal returns a context that the first interrupt, or the first request to end,
// cancels. Then, and after a call of restore, signals are handled by default again, so
// that a second one ends the process.
func UntilSignal() (ctx context.Context, restore context.CancelFunc) {
	ctx, restore = signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, restore)
	return ctx, restore
}
