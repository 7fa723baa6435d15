package main

import (
	"encoding/json"
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"
)

// A share is how many of so many had something.
type share struct {
	N  int `json:"n"`
	Of int `json:"of"`
}

func (s *share) add(had bool) {
	s.Of++
	if had {
		s.N++
	}
}

// interval returns the 95 % interval of Clopper and Pearson (1934), which holds for
// whatever the true share is: all shares for which neither so few nor so many would be
// rarer than 2.5 %.
func (s share) interval() (lo, hi float64) {
	const tail = 0.025
	n, of := float64(s.N), float64(s.Of)
	lo, hi = 0, 1
	if s.N > 0 {
		lo = distuv.Beta{Alpha: n, Beta: of - n + 1}.Quantile(tail)
	}
	if s.N < s.Of {
		hi = distuv.Beta{Alpha: n + 1, Beta: of - n}.Quantile(1 - tail)
	}
	return lo, hi
}

// MarshalJSON adds the interval, for figures. It is shown as a share of 1.
func (s share) MarshalJSON() ([]byte, error) {
	lo, hi := s.interval()
	if s.Of == 0 {
		lo, hi = 0, 1
	}
	return json.Marshal(struct {
		N  int     `json:"n"`
		Of int     `json:"of"`
		Lo float64 `json:"lo"`
		Hi float64 `json:"hi"`
	}{s.N, s.Of, lo, hi})
}

// String is for a cell of a table.
func (s share) String() string {
	if s.Of == 0 {
		return "–"
	}
	lo, hi := s.interval()
	return fmt.Sprintf("%d of %d: %.3g %% (%.3g to %.3g)", s.N, s.Of, 100*float64(s.N)/float64(s.Of), 100*lo, 100*hi)
}
