//go:build !linux

package abrun

import (
	"math"
	"time"
)

func (f *Fitness) look() {}

func condition() conditions {
	nan := math.NaN()
	return conditions{at: time.Now(), steal: nan, total: nan, pressure: nan, throttle: nan}
}
