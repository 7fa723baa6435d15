// Package config reads the gate's configuration file: settings for all benchmarks,
// exceptions for some, and the shapes that sweeps must have.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/shape"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A File is what a configuration says.
//
//	margin     = '3%'     # a share is '3%' or 0.03
//	fdr        = '1%'
//	confidence = '99%'
//	min_rounds = 10
//	budget     = '10m'
//	units      = ['ns/op', 'allocs/op']
//
//	skip    = ['^BenchmarkDial$', 'Parse/huge'] # never run, as for go test -skip
//	new     = ['^example\.org/p\.Sum/'] # only the head may have these; or 'pass', or 'fail'
//	removed = ['\.Old$']                # only the base may have these
//
//	packages   = ['./a', './b/...'] # and all that lockbench gate has a flag of that name for
//	cpus       = [1, 4]
//	builds     = 30
//	exact      = true
//
//	sim        = true # a file for runs in the simulator
//	machine    = ['milan-2s']
//	locks      = ['ticket', 'mcs*']
//	tolerance  = '2%'
//
//	[[rule]]
//	bench  = '^example\.org/net\.' # matches package, dot, name without Benchmark
//	unit   = 'ns/op'
//	margin = '10%'
//
//	[[rule]]
//	bench  = 'Dial'
//	ignore = true
//	reason = 'waits for a name server'
//
// A benchmark that is ignored for all units is not run. Of the rules that match, the
// last decides. A margin for all units does not apply to allocs/op and B/op, where
// any increase is a regression; these need a rule that names them.
//
// A nil File is an empty one.
type File struct {
	Name string // as it was opened

	// What the file sets; zero if it does not. The first three are shares, such as 0.03.
	Margin, FDR, Confidence float64
	MinRounds               int
	Budget                  time.Duration
	Units                   []string
	Skip                    []string

	// Flags are the other settings of the file, by the name of the flag of lockbench
	// gate that sets the same. The command checks whether the values make sense.
	Flags map[string]Flag

	Shapes []shape.Spec // each a table [[shape]]

	rules        []*rule
	anyNew       bool // benchmarks that only the head has pass
	new, removed []*pattern
}

// A Flag is a setting of a file that is a flag as well.
type Flag struct {
	Values []string // as on the command line
	Line   int      // in the file, from 1
}

// flags are the keys that only mean a flag of the same name.
var flags = []string{"packages", "bench", "cpus", "tags", "with", "exact", "timeout", "cannot_tell", "slice", "builds", "pin", "seed", "history", "drift", "sim", "machine", "locks", "tolerance"}

// A pattern matches benchmarks, and remembers whether it did.
type pattern struct {
	*regexp.Regexp
	line int
	used bool
}

// match reports whether p matches b.
func (p *pattern) match(b gate.Benchmark) bool {
	m := p.MatchString(b.String())
	p.used = p.used || m
	return m
}

// A rule is an exception for the benchmarks that it matches.
type rule struct {
	pattern
	unit   string // "" is all
	margin float64
	ignore bool
	reason string

	ignored []string // benchmarks and units, so far
}

// match reports whether the rule is about unit of b.
func (r *rule) match(b gate.Benchmark, unit string) bool {
	if r.unit != "" {
		return r.unit == unit && r.pattern.match(b)
	}
	return r.pattern.match(b) && (r.ignore || !results.Counted(unit))
}

// Rules returns the rules that the file sets. The file notes which of those for single
// benchmarks are used: see [File.Unused].
func (c *File) Rules() gate.Rules {
	if c == nil {
		return gate.Rules{}
	}
	return gate.Rules{
		Margin:     c.Margin,
		FDR:        c.FDR,
		Confidence: c.Confidence,
		MinRounds:  c.MinRounds,
		Budget:     c.Budget,
		Units:      c.Units,
		For:        c.exception,
		Declared:   c.declared,
	}
}

// exception is [gate.Rules].For. The last rule that matches holds.
func (c *File) exception(b gate.Benchmark, unit string) (gate.Exception, bool) {
	var last *rule
	for _, r := range c.rules { // all of them, to know which match
		if r.match(b, unit) {
			last = r
		}
	}
	if last == nil {
		return gate.Exception{}, false
	}
	if what := b.String() + " " + unit; last.ignore && !slices.Contains(last.ignored, what) {
		last.ignored = append(last.ignored, what)
	}
	return gate.Exception{Margin: last.margin, Ignore: last.ignore}, true
}

// Ignores reports whether b is not judged in any unit, so that it need not be run. If
// all is set, it reports that for b and everything below it, on any number of CPUs.
func (c *File) Ignores(b gate.Benchmark, all bool) bool {
	ends := []string{""}
	if all {
		ends = []string{"/\u2603", "-2", ""} // what may follow the name
	}
	var by *rule
	for _, end := range ends {
		if by = c.ignores(b.String() + end); by == nil {
			return false
		}
	}
	by.used = true
	if what := b.String(); !slices.Contains(by.ignored, what) {
		by.ignored = append(by.ignored, what)
	}
	return true
}

// ignores returns the rule that ignores a benchmark in all units, if there is one and
// no later rule is for one of its units.
func (c *File) ignores(name string) (by *rule) {
	for _, r := range c.rules {
		switch {
		case !r.MatchString(name):
		case !r.ignore:
			by = nil
		case r.unit == "":
			by = r
		}
	}
	return by
}

// declared is [gate.Rules].Declared.
func (c *File) declared(b gate.Benchmark, only gate.Side) (ok bool) {
	of := c.removed
	if only == gate.Head {
		of, ok = c.new, c.anyNew
	}
	for _, p := range of {
		ok = p.match(b) || ok
	}
	return ok
}

// Ignored returns a warning for each rule that ignored something in the comparison that
// [File.Rules] were for: what, and why.
func (c *File) Ignored() (warnings []string) {
	if c == nil {
		return nil
	}
	for _, r := range c.rules {
		if len(r.ignored) > 0 {
			warnings = append(warnings, fmt.Sprintf("%s:%d: not judged: %s: %s", c.Name, r.line, wording.Elide(strings.Join(r.ignored, ", "), 300), wording.Clean(r.reason)))
		}
	}
	return warnings
}

// Unused returns a warning for each rule that matched nothing in the comparison that
// [File.Rules] were for. With a regular expression that matches nothing, a gate would
// silently check nothing.
func (c *File) Unused() (warnings []string) {
	if c == nil {
		return nil
	}
	warn := func(key string, p *pattern) {
		if p.used {
			return
		}
		hint := ""
		if strings.Contains(p.String(), "Benchmark") {
			hint = " (names are without the word Benchmark)"
		}
		warnings = append(warnings, fmt.Sprintf("%s:%d: %s '%v' matched no benchmark%s", c.Name, p.line, key, p, hint))
	}
	for _, p := range c.new {
		warn("new", p)
	}
	for _, p := range c.removed {
		warn("removed", p)
	}
	for _, r := range c.rules {
		key := "rule"
		if r.unit != "" {
			key += " for " + r.unit + ","
		}
		warn(key, &r.pattern)
	}
	return warnings
}

// Read reads a file. The error joins all that is wrong with it, each a
// [*results.SyntaxError]: unknown keys, and values that are not allowed.
func Read(name string) (*File, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return parse(name, data)
}

// parse is [Read] of data; name is for diagnostics.
func parse(name string, data []byte) (*File, error) {
	p := &parser{name: name}
	tables, err := p.tables(string(data))
	if err != nil {
		return nil, err
	}
	c := &File{Name: name}
	for _, t := range tables {
		p.rename(t)
		switch t.name {
		case "":
			p.top(c, t)
		case "rule":
			p.rule(c, t)
		case "shape":
			p.shape(c, t)
		}
	}
	return c, p.err()
}

// A parser parses a file and collects what is wrong with it.
type parser struct {
	name string
	bad  []*results.SyntaxError
}

func (p *parser) errorf(line int, format string, args ...any) {
	p.bad = append(p.bad, &results.SyntaxError{File: p.name, Line: line, Msg: fmt.Sprintf(format, args...)})
}

func (p *parser) err() error {
	slices.SortStableFunc(p.bad, func(a, b *results.SyntaxError) int { return cmp.Compare(a.Line, b.Line) })
	errs := make([]error, len(p.bad))
	for i, e := range p.bad {
		errs[i] = e
	}
	return errors.Join(errs...)
}

// A table is the keys below a header, or those above the first header.
type table struct {
	name   string
	line   int // of the header
	values []keyed
	taken  map[string]bool
}

// A keyed is a key with its value, as package toml has it.
type keyed struct {
	key   string
	value any
	line  int
}

// tables splits a file. Package toml says where a syntax error is, but not where a
// value was, so each statement is parsed separately: a statement is as few lines as are
// valid together.
func (p *parser) tables(text string) ([]*table, error) {
	if _, err := toml.Decode(text, &map[string]any{}); err != nil {
		var syntax toml.ParseError
		if !errors.As(err, &syntax) {
			return nil, fmt.Errorf("%s: %w", p.name, err)
		}
		return nil, &results.SyntaxError{File: p.name, Line: syntax.Position.Line, Msg: syntax.Message}
	}

	text = strings.TrimPrefix(text, "\ufeff")
	tables := []*table{{taken: make(map[string]bool)}}
	t := tables[0]
	lines := strings.SplitAfter(text, "\n")
	for i := 0; i < len(lines); {
		statement := make(map[string]any)
		meta, err := toml.Decode(lines[i], &statement)
		first := i
		for all := lines[i]; err != nil && i < len(lines)-1; {
			i++
			all += lines[i]
			statement = make(map[string]any)
			meta, err = toml.Decode(all, &statement)
		}
		i++
		if err != nil { // cannot happen: the whole is valid
			return nil, fmt.Errorf("%s:%d: %w", p.name, first+1, err)
		}
		keys := meta.Keys()
		if len(keys) == 0 {
			continue
		}
		key := keys[0].String()
		if head := strings.TrimSpace(lines[first]); head[0] == '[' {
			t = &table{name: key, line: first + 1, taken: make(map[string]bool)}
			switch many := strings.HasPrefix(head, "[["); {
			case key != "rule" && key != "shape":
				p.errorf(t.line, "unknown table %q: want [[rule]] or [[shape]]", key)
			case !many:
				p.errorf(t.line, "[%s]: want [[%s]], since there may be several", key, key)
			}
			tables = append(tables, t)
			continue
		}
		if len(keys[0]) == 1 {
			t.values = append(t.values, keyed{key, statement[keys[0][0]], first + 1})
		} else {
			t.values = append(t.values, keyed{key, nil, first + 1}) // dotted: no such key is known
		}
	}
	return tables, nil
}

// oldKeys are names that keys had, and that are read still, with those that they have
// now: for each table, by its name.
var oldKeys = map[string]map[string]string{
	"":     {"metrics": "units", "cpu": "cpus"},
	"rule": {"metric": "unit"},
}

// rename gives keys with old names those that they have now. Both are not allowed, not
// even with one value.
func (p *parser) rename(t *table) {
	for i, v := range t.values {
		now, old := oldKeys[t.name][v.key]
		switch {
		case !old:
		case t.has(now):
			p.errorf(v.line, "%s and %s: want %s alone, of which %s is the old name", now, v.key, now, v.key)
			t.taken[v.key] = true // not unknown
		default:
			t.values[i].key = now
		}
	}
}

// take returns the value of a key of t, and its line; or nil and t's own.
func (t *table) take(key string) (value any, line int) {
	t.taken[key] = true
	for _, v := range t.values {
		if v.key == key {
			return v.value, v.line
		}
	}
	return nil, t.line
}

// has reports whether t has the key.
func (t *table) has(key string) bool {
	return slices.ContainsFunc(t.values, func(v keyed) bool { return v.key == key })
}

// known reports the keys that the parser did not use.
func (p *parser) known(t *table) {
	where := ""
	if t.name != "" {
		where = " in [[" + t.name + "]]"
	}
	var known []string
	for key := range t.taken {
		known = append(known, key)
	}
	slices.Sort(known)
	for _, v := range t.values {
		switch {
		case t.taken[v.key]:
		case v.key == "rule" || v.key == "shape":
			p.errorf(v.line, "%s: want a table [[%s]]", v.key, v.key)
		default:
			p.errorf(v.line, "unknown key %q%s (known: %s)", v.key, where, strings.Join(known, ", "))
		}
	}
}

// top reads what is above all tables.
func (p *parser) top(c *File, t *table) {
	c.Margin = p.share(t, "margin", shareWithOne)
	c.FDR = p.share(t, "fdr", shareBelowOne)
	c.Confidence = p.share(t, "confidence", shareBelowOne)
	c.MinRounds = p.count(t, "min_rounds", 1)
	c.Budget = p.duration(t, "budget", false)
	c.Units, _ = p.words(t, "units")
	c.Skip = p.skips(t)
	p.declareNew(c, t)
	c.removed = p.patterns(t, "removed")
	c.Flags = make(map[string]Flag)
	for _, key := range flags {
		p.flag(c, t, key)
	}
	if exact, ok := c.Flags["exact"]; ok && exact.Values[0] == "true" && t.has("units") {
		p.errorf(exact.Line, "exact and units: want one of them")
	}
	p.known(t)
}

// declareNew reads which benchmarks only the head may have: any unless the file says
// otherwise.
func (p *parser) declareNew(c *File, t *table) {
	value, line := t.take("new")
	switch word, ok := value.(string); {
	case value == nil, word == "pass":
		c.anyNew = true
	case word == "fail":
	case ok:
		p.wrong(line, "new", value, "'pass', 'fail', or a list of regular expressions")
	default:
		c.new = p.patterns(t, "new")
	}
}

// flag reads a key that is a flag as well.
func (p *parser) flag(c *File, t *table, key string) {
	value, line := t.take(key)
	if value == nil {
		return
	}
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	name := strings.ReplaceAll(key, "_", "-")
	var values []string
	for _, v := range list {
		switch v := v.(type) {
		case bool, int64:
			values = append(values, fmt.Sprint(v))
			continue
		case string:
			if v != "" {
				values = append(values, v)
				continue
			}
		}
		p.wrong(line, key, v, "what --"+name+" takes")
		return
	}
	if len(values) == 0 {
		p.wrong(line, key, value, "what --"+name+" takes")
		return
	}
	c.Flags[name] = Flag{values, line}
}

// rule reads a [[rule]].
func (p *parser) rule(c *File, t *table) {
	r := &rule{unit: p.word(t, "unit")}
	r.margin = p.share(t, "margin", shareWithOne)
	r.ignore = p.boolean(t, "ignore")
	r.reason = p.word(t, "reason")
	re := p.pattern(t, "bench")
	p.known(t)

	if re == nil {
		if !t.has("bench") {
			p.errorf(t.line, "rule without bench: want bench = 'regular expression', or '.' for all")
		}
	} else {
		r.pattern = *re
		for _, other := range c.rules {
			if other.String() == r.String() && other.unit == r.unit {
				p.errorf(t.line, "rule for the same bench and unit as that in line %d", other.line)
			}
		}
		r.line = t.line
	}
	switch {
	case r.ignore && t.has("margin"):
		p.errorf(t.line, "rule with both ignore and margin: want one of them")
	case r.ignore && strings.TrimSpace(r.reason) == "":
		p.errorf(t.line, "rule that ignores: want reason = 'why'")
	case !t.has("margin") && !r.ignore:
		p.errorf(t.line, "rule without an effect: want margin = '5%%', or ignore = true and a reason")
	}
	if re != nil {
		c.rules = append(c.rules, r)
	}
}

// wrong reports a value that is not what it should be.
func (p *parser) wrong(line int, key string, value any, want string) {
	p.errorf(line, "%s: want %s, have %s", key, want, show(value))
}

// show writes a value as the file does, in short.
func show(value any) string {
	switch v := value.(type) {
	case string:
		return strconv.Quote(v)
	case []any, []map[string]any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return fmt.Sprint(value)
}

const (
	shareWithOne  = "a share above 0 and up to 1, such as '3%' or 0.03"
	shareBelowOne = "a share between 0 and 1, such as '3%' or 0.03"
)

// share reads a share; want says what is allowed.
func (p *parser) share(t *table, key, want string) float64 {
	value, line := t.take(key)
	if value == nil {
		return 0
	}
	share, ok := ParseShare(value)
	if !ok || !(share > 0) || share > 1 || share == 1 && want == shareBelowOne {
		p.wrong(line, key, value, want)
		return 0
	}
	return share
}

// ParseShare parses a share: a string such as "3%" or "0.03", or a number.
func ParseShare(value any) (share float64, ok bool) {
	switch v := value.(type) {
	case float64:
		return v, true
	case int64:
		return float64(v), true
	case string:
		number, percent := strings.CutSuffix(strings.TrimSpace(v), "%")
		f, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if percent {
			f /= 100
		}
		return f, err == nil
	}
	return 0, false
}

// number reads a number from low up; ok is false if there is none.
func (p *parser) number(t *table, key string, low float64) (f float64, ok bool) {
	value, line := t.take(key)
	switch v := value.(type) {
	case nil:
		return 0, false
	case float64:
		f = v
	case int64:
		f = float64(v)
	default:
		p.wrong(line, key, value, fmt.Sprintf("a number of at least %v", low))
		return 0, false
	}
	if !(f >= low) || f > 1e18 {
		p.wrong(line, key, value, fmt.Sprintf("a number of at least %v", low))
		return 0, false
	}
	return f, true
}

// count reads a whole number from low up, 0 if there is none.
func (p *parser) count(t *table, key string, low int) int {
	value, line := t.take(key)
	if value == nil {
		return 0
	}
	n, ok := value.(int64)
	if !ok || n < int64(low) || n > 1<<30 {
		p.wrong(line, key, value, fmt.Sprintf("a whole number of at least %d", low))
		return 0
	}
	return int(n)
}

// duration reads a duration, 0 if there is none.
func (p *parser) duration(t *table, key string, zero bool) time.Duration {
	value, line := t.take(key)
	if value == nil {
		return 0
	}
	text, ok := value.(string)
	d, err := time.ParseDuration(text)
	if !ok || err != nil || d < 0 || d == 0 && !zero {
		p.wrong(line, key, value, "a duration such as '10m'")
		return 0
	}
	return d
}

func (p *parser) boolean(t *table, key string) bool {
	value, line := t.take(key)
	if value == nil {
		return false
	}
	b, ok := value.(bool)
	if !ok {
		p.wrong(line, key, value, "true or false")
	}
	return b
}

// word reads a string that is not empty, "" if there is none.
func (p *parser) word(t *table, key string) string {
	value, line := t.take(key)
	if value == nil {
		return ""
	}
	s, ok := value.(string)
	if !ok || s == "" {
		p.wrong(line, key, value, "a string that is not empty")
	}
	return s
}

// words reads a list of strings, each once.
func (p *parser) words(t *table, key string) (words []string, line int) {
	value, line := t.take(key)
	if value == nil {
		return nil, line
	}
	list, ok := value.([]any)
	if !ok {
		p.wrong(line, key, value, "a list of strings, such as ['a', 'b']")
		return nil, line
	}
	for _, v := range list {
		s, ok := v.(string)
		switch {
		case !ok || s == "":
			p.wrong(line, key, v, "strings that are not empty")
		case slices.Contains(words, s):
			p.errorf(line, "%s: %q twice", key, s)
		default:
			words = append(words, s)
		}
	}
	return words, line
}

// pattern reads a regular expression, nil if there is none.
func (p *parser) pattern(t *table, key string) *pattern {
	value, line := t.take(key)
	if value == nil {
		return nil
	}
	s, ok := value.(string)
	if !ok || s == "" {
		p.wrong(line, key, value, "a regular expression ('.' is all)")
		return nil
	}
	return p.compile(line, key, s)
}

func (p *parser) patterns(t *table, key string) (patterns []*pattern) {
	words, line := p.words(t, key)
	for _, s := range words {
		if re := p.compile(line, key, s); re != nil {
			patterns = append(patterns, re)
		}
	}
	return patterns
}

// skips reads the benchmarks that are never run.
func (p *parser) skips(t *table) (skip []string) {
	words, line := p.words(t, "skip")
	for _, s := range words {
		if p.compile(line, "skip", s) != nil {
			skip = append(skip, s)
		}
	}
	return skip
}

func (p *parser) compile(line int, key, s string) *pattern {
	re, err := regexp.Compile(s)
	if err != nil {
		p.errorf(line, "%s: want a regular expression: %s", key, strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		return nil
	}
	return &pattern{Regexp: re, line: line}
}
