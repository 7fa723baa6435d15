package gate

import "slices"

// What tests of unpaired readings must see.
var (
	Kth          = kth
	CriticalU    = uCritical
	Yekutieli    = yekutieli
	LogUCDF      = logUCDF
	LogNormalCDF = logNormalCDF
)

// ShiftInterval bounds by how much y is above x.
func ShiftInterval(x, y []float64, alpha float64) (lo, hi float64) {
	t := shift{x: slices.Sorted(slices.Values(x)), y: slices.Sorted(slices.Values(y)), base: x, head: y}
	_, lo, hi = t.interval(alpha)
	return lo, hi
}
