//go:build !virtual

package primitives

import "github.com/lockbench/lockbench/internal/sched"

// engine returns nil: in the native build only the host runs the caller, and the
// compiler drops the code for engines.
func engine() sched.Engine { return nil }
