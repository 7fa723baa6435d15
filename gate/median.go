package gate

// Median returns the median of values, which it leaves as they are: NaN of none.
func Median(values []float64) float64 { return medianOf(values) }
