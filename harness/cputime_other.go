//go:build !linux && !darwin

package harness

import "time"

// cpuTime is not known here.
func cpuTime() (t time.Duration, ok bool) { return 0, false }
