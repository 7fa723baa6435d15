package config

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/results"
)

// shape reads a [[shape]].
func (p *parser) shape(c *File, t *table) {
	before := len(p.bad)
	s := shape.Spec{File: p.name, Line: t.line}
	s.Name = p.word(t, "name")
	kinds := []string{shape.Scaling, shape.Crossover, shape.Ratio, shape.Floor, shape.Ceiling}
	s.Kind = p.word(t, "kind")
	if !slices.Contains(kinds, s.Kind) {
		_, line := t.take("kind")
		p.errorf(line, "kind: want %s, have %q", strings.Join(kinds, ", "), s.Kind)
		return // the other keys depend on it
	}
	s.Filter = p.filter(t, s.Kind)
	if s.Kind == shape.Crossover {
		s.Lock = p.need(t, "lock")
		s.Than = p.need(t, "than")
		s.Along = p.oneOf(t, "along", "reads", "workers", "cpus")
		if s.Lock != "" && s.Lock == s.Than {
			p.errorf(t.line, "lock and than: want two, have %q twice", s.Lock)
		}
		for _, key := range []string{"reads", "workers", "cpus"} {
			if _, line := t.take(key); key == s.Along && t.has(key) {
				p.errorf(line, "%s: a crossover along it cannot be for one value of it", key)
			}
		}
	} else if re := p.pattern(t, "lock"); re != nil {
		s.Lock = re.String()
	} else if !t.has("lock") {
		p.errorf(t.line, "%s without lock: want lock = 'regular expression', or '.' for all", s.Kind)
	}

	switch s.Kind {
	case shape.Scaling:
		s.MaxSigma = p.limit(t, "max_sigma")
		s.MaxKappa = p.limit(t, "max_kappa")
		s.MinPeakCPUs = p.limit(t, "min_peak_cpus")
		if e := p.share(t, "min_efficiency", shareWithOne); e != 0 {
			s.MinEfficiency = &e
		}
		s.AtCPUs = p.count(t, "at_cpus", 2)
		s.Margin = p.share(t, "margin", shareBelowOne)
		if t.has("min_efficiency") != t.has("at_cpus") {
			p.errorf(t.line, "min_efficiency and at_cpus: want both or neither")
		}
		p.some(t, "max_sigma", "max_kappa", "min_peak_cpus", "min_efficiency", "margin")
	case shape.Crossover:
		s.Unit = p.direction(t)
		s.Min, s.Max = p.limit(t, "min"), p.limit(t, "max")
		p.some(t, "min", "max")
		if s.Min != nil && s.Max != nil && *s.Min > *s.Max {
			p.errorf(t.line, "min %v is above max %v", *s.Min, *s.Max)
		}
	case shape.Ratio:
		s.Than = p.need(t, "than")
		s.Unit = cmp.Or(p.word(t, "unit"), "ns/op")
		s.Min, s.Max = p.limit(t, "at_least"), p.limit(t, "at_most")
		p.some(t, "at_most", "at_least")
		if s.Min != nil && s.Max != nil && *s.Min > *s.Max {
			p.errorf(t.line, "at_least %v is above at_most %v", *s.Min, *s.Max)
		}
		if s.Lock != "" && s.Lock == s.Than {
			p.errorf(t.line, "lock and than: want two, have %q twice", s.Lock)
		}
	case shape.Floor:
		s.Unit = p.need(t, "unit")
		s.Min = p.limit(t, "min")
		p.some(t, "min")
	case shape.Ceiling:
		s.Unit = p.need(t, "unit")
		s.Max = p.limit(t, "max")
		p.some(t, "max")
	}
	p.known(t)
	for _, other := range c.Shapes {
		if s.Name != "" && other.Name == s.Name {
			p.errorf(t.line, "name %q is that of the shape in line %d, too", s.Name, other.Line)
		}
	}
	if len(p.bad) == before {
		c.Shapes = append(c.Shapes, s)
	}
}

// filter reads what selects cells.
func (p *parser) filter(t *table, kind string) (f shape.Filter) {
	for key, to := range map[string]**int{"reads": &f.Reads, "workers": &f.Workers, "cpus": &f.CPUs, "readers": &f.Readers, "writers": &f.Writers} {
		low := 1
		if key == "reads" || key == "readers" || key == "writers" {
			low = 0
		}
		if key == "cpus" && kind == shape.Scaling {
			continue // it is the axis
		}
		if n := p.count(t, key, low); t.has(key) {
			*to = &n
		}
	}
	for key, to := range map[string]**time.Duration{"hold": &f.Hold, "think": &f.Think} {
		if d := p.duration(t, key, true); t.has(key) {
			*to = &d
		}
	}
	for key, to := range map[string]**string{"workload": &f.Workload, "mode": &f.Mode, "load": &f.Load} {
		value, line := t.take(key)
		if value == nil {
			continue
		}
		s, ok := value.(string) // may be empty, which is the default
		if !ok {
			p.wrong(line, key, value, "a string")
		}
		*to = &s
	}
	if t.take("distance"); t.has("distance") {
		d := results.Distance(p.oneOf(t, "distance", "near", "far", "local"))
		f.Distance = &d
	}
	return f
}

// need reads a word that must be there.
func (p *parser) need(t *table, key string) string {
	s := p.word(t, key)
	if !t.has(key) {
		p.errorf(t.line, "shape without %s: want %s = '...'", key, key)
	}
	return s
}

// oneOf reads a word that must be there and be one of words.
func (p *parser) oneOf(t *table, key string, words ...string) string {
	value, line := t.take(key)
	s, _ := value.(string)
	if !slices.Contains(words, s) {
		if value == nil {
			value = "nothing"
		}
		p.wrong(line, key, value, strings.Join(words, ", "))
	}
	return s
}

// direction reads a unit that has a known direction; ns/op if there is none.
func (p *parser) direction(t *table) string {
	unit := p.word(t, "unit")
	if !t.has("unit") {
		return "ns/op"
	}
	if _, line := t.take("unit"); unit != "" && results.Better(unit) == 0 {
		p.errorf(line, "unit %s: not known whether more is better", unit)
	}
	return unit
}

// limit reads a number that is not negative, nil if there is none.
func (p *parser) limit(t *table, key string) *float64 {
	f, ok := p.number(t, key, 0)
	if !ok {
		return nil
	}
	return &f
}

// some reports that none of keys is there.
func (p *parser) some(t *table, keys ...string) {
	if !slices.ContainsFunc(keys, t.has) {
		p.errorf(t.line, "shape that demands nothing: want %s", strings.Join(keys, ", "))
	}
}
