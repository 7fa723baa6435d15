package results

// A Ratio compares two locks in one scenario at one distance, by the samples
// of each that were taken in the same round.
type Ratio struct {
	Cell             // the scenario, and the lock that is compared
	Reference string // the lock that it is compared to
	Distance  Distance
	Unit      string

	N      int     // pairs
	Median float64 // of the ratios of the pairs, lock over reference

	// Lo and Hi bound the median with the Confidence, as in [Summary].
	Lo, Hi, Confidence float64

	// Warnings is what a reader of the numbers should know.
	Warnings []error
}

// Ratios returns, for each scenario, each distance and each lock other than
// reference, how many times the reference's value in unit the lock has.
//
// Only samples of one round and one distance are paired, because a machine
// drifts: the ratio of two samples taken side by side has a spread many times
// smaller than the samples themselves.
func Ratios(samples []Sample, reference, unit string) []Ratio {
	type key struct {
		Cell
		distance Distance
		round    int
	}
	refs := make(map[key]float64)
	for _, s := range samples {
		if v, ok := s.Value(unit); ok && s.Lock == reference {
			refs[key{s.Scenario(), s.Distance, s.Round}] = v
		}
	}
	_ = refs
	return nil
}
