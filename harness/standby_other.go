//go:build !linux

package harness

import "time"

// canStandBy is false where a thread cannot sleep without giving up its CPU.
const canStandBy = false

type standby struct{}

func (standby) end()               {}
func (standby) wait(time.Duration) {}
