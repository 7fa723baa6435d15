// Package inline reads a Value of two words; see TestLoadInlines.
package inline

import "github.com/lockbench/lockbench/seqlock"

func Load(v *seqlock.Value[[2]uint64]) (lo, hi uint64) {
	val := v.Load()
	return val[0], val[1]
}
