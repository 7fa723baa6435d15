//go:build !virtual

package primitives

import "github.com/lockbench/lockbench/internal/sched"

// engine returns nil: in the native build nothing runs the caller but the
// host, and the compiler drops what is for engines.
func engine() sched.Engine { return nil }
