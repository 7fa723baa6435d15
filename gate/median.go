package gate

// Median returns the median of values, without changing them: NaN if there are none.
func Median(values []float64) float64 { return medianOf(values) }
