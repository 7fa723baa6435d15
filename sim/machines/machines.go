// Package machines has descriptions of machines for package sim, and reads others.
//
// A description is a TOML file. Each cost has its source, or the range that it was assumed
// from, since park, switch and invalidation costs of most machines are published nowhere:
//
//	name = "mine"
//	about = "what it is, for reports"
//
//	[cpus]                # a machine is halves of sockets of clusters of cores of threads
//	threads = 2           # of a core
//	cores = 8             # of a cluster: they share the last-level cache
//	clusters = 6          # of a socket
//	sockets = 2           # of a half
//	halves = 1
//
//	[cost.modify]         # see the fields of sim.Machine
//	ns = 7.0
//	source = "perfbook, table 3.2"
//
//	[cost.park]
//	ns = 100
//	assumed = [50, 500]
//
//	[share.nearest]
//	of_1 = 0.9
//	assumed = [0.5, 1]
//
//	[hop.cluster]         # sibling, cluster, socket, remote, far: those that the machine has
//	ns = 23
//	source = "measured here"
//
//	[upgrade.cluster]
//	ns = 26
//	assumed = [20, 60]
package machines

import (
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/lockbench/lockbench/sim"
)

//go:embed *.toml
var presets embed.FS

// Names returns the names of the machines that are described here, in order.
func Names() []string {
	entries, err := presets.ReadDir(".")
	if err != nil {
		panic(err) // it is embedded
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".toml"))
	}
	slices.Sort(names)
	return names
}

// A Description is a machine, and where what is said of it comes from.
type Description struct {
	About   string      // in words
	Sum     string      // SHA-256 of the file, in hexadecimal
	Machine sim.Machine // ready to run
	Values  []Value     // costs, shares, hops and upgrades, each by their keys
}

// A Value is one cost or share.
type Value struct {
	Key     string     // such as "cost.park"
	Value   float64    // in nanoseconds, or a share
	Source  string     // "" if it is assumed
	Assumed [2]float64 // the range within which it may be, if it is assumed
}

// Find returns the machine that is described here under that name, or in the file of that
// name. The error names all that is wrong, with keys.
func Find(nameOrFile string) (*Description, error) {
	if data, err := presets.ReadFile(nameOrFile + ".toml"); err == nil {
		return Parse(nameOrFile+".toml", string(data))
	}
	if nameOrFile == "" {
		return nil, errors.New("no machine")
	}
	data, err := os.ReadFile(nameOrFile)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("machine %s: there is neither a file of that name nor one of %s", nameOrFile, strings.Join(Names(), ", "))
	}
	if err != nil {
		return nil, err
	}
	return Parse(nameOrFile, string(data))
}

// A value is a table of the file.
type value struct {
	NS      *float64  `toml:"ns"`
	Of1     *float64  `toml:"of_1"`
	Source  string    `toml:"source"`
	Assumed []float64 `toml:"assumed"`
}

type file struct {
	Name    string           `toml:"name"`
	About   string           `toml:"about"`
	CPUs    map[string]int   `toml:"cpus"`
	Cost    map[string]value `toml:"cost"`
	Share   map[string]value `toml:"share"`
	Hop     map[string]value `toml:"hop"`
	Upgrade map[string]value `toml:"upgrade"`
}

// Parse reads a description; name is that of the file, for errors.
func Parse(name, text string) (*Description, error) {
	var f file
	meta, err := toml.Decode(text, &f)
	if err != nil {
		var bad toml.ParseError
		if errors.As(err, &bad) {
			return nil, fmt.Errorf("%s:%d: %s", name, bad.Position.Line, bad.Message)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p := &parser{name: name, text: text, d: &Description{About: f.About, Sum: fmt.Sprintf("%x", sha256.Sum256([]byte(text)))}}
	for _, key := range meta.Undecoded() {
		p.bad(key.String(), "unknown key")
	}
	m := &p.d.Machine
	if m.Name = f.Name; m.Name == "" || strings.ContainsAny(m.Name, " \t\n:") {
		p.bad("name", "%q: want a word", f.Name)
	}
	counts := map[string]*int{"threads": &m.Threads, "cores": &m.Cores, "clusters": &m.Clusters, "sockets": &m.Sockets, "halves": &m.Halves}
	for _, key := range slices.Sorted(maps.Keys(f.CPUs)) {
		if counts[key] == nil {
			p.bad("cpus."+key, "unknown key (known: %s)", known(counts))
			continue
		}
		*counts[key] = f.CPUs[key]
	}
	p.values("cost", f.Cost, costs(m), false)
	p.values("share", f.Share, map[string]*float64{"read_share": &m.ReadShare, "nearest": &m.Nearest}, true)
	p.values("hop", f.Hop, distances(&m.Hop), false)
	p.values("upgrade", f.Upgrade, distances(&m.Upgrade), false)
	if len(p.wrong) == 0 {
		if err := m.Validate(); err != nil {
			for _, line := range strings.Split(err.Error(), "\n") {
				p.wrong = append(p.wrong, fmt.Errorf("%s: %s", name, line))
			}
		}
	}
	if len(p.wrong) > 0 {
		return nil, errors.Join(p.wrong...)
	}
	return p.d, nil
}

// costs returns the fields of m that are costs, except hops and upgrades, by their keys.
func costs(m *sim.Machine) map[string]*float64 {
	all := make(map[string]*float64)
	v := reflect.ValueOf(m).Elem()
	for i := range v.NumField() {
		if f, ok := v.Field(i).Addr().Interface().(*float64); ok {
			all[strings.ToLower(v.Type().Field(i).Name)] = f
		}
	}
	for _, share := range []string{"readshare", "nearest"} {
		delete(all, share)
	}
	return all
}

func distances(of *[sim.Distances]float64) map[string]*float64 {
	all := make(map[string]*float64)
	for d := sim.Sibling; int(d) < sim.Distances; d++ {
		all[d.String()] = &of[d]
	}
	return all
}

func known[V any](m map[string]V) string { return strings.Join(slices.Sorted(maps.Keys(m)), ", ") }

// A parser collects what is wrong.
type parser struct {
	name, text string
	d          *Description
	wrong      []error
}

// bad notes what is wrong with a key, at the line of its table if there is one.
func (p *parser) bad(key, format string, args ...any) {
	table, _, _ := strings.Cut(key, " ")
	where := p.name
	for i, line := range strings.Split(p.text, "\n") {
		line = strings.TrimSpace(line)
		if line == "["+table+"]" || strings.HasPrefix(line, table+" ") || strings.HasPrefix(line, table+"=") {
			where = fmt.Sprintf("%s:%d", p.name, i+1)
			break
		}
	}
	p.wrong = append(p.wrong, fmt.Errorf("%s: %s: %s", where, key, fmt.Sprintf(format, args...)))
}

// values sets fields to values. All costs and shares must be there; the machine knows which
// hops and upgrades it needs.
func (p *parser) values(table string, have map[string]value, fields map[string]*float64, share bool) {
	if table == "cost" || table == "share" {
		for _, key := range slices.Sorted(maps.Keys(fields)) {
			if _, ok := have[key]; !ok {
				p.bad(table+"."+key, "is missing")
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(have)) {
		v, name := have[key], table+"."+key
		field := fields[key]
		if field == nil {
			p.bad(name, "unknown key (known: %s)", known(fields))
			continue
		}
		x, other, unit := v.NS, v.Of1, "ns"
		if share {
			x, other, unit = v.Of1, v.NS, "of_1"
		}
		switch {
		case x == nil || other != nil:
			p.bad(name, "want %s", unit)
			continue
		case (v.Source == "") == (v.Assumed == nil):
			p.bad(name, "want a source, or the range that it is assumed from: assumed = [least, most]")
			continue
		case v.Assumed != nil && (len(v.Assumed) != 2 || !(v.Assumed[0] <= *x && *x <= v.Assumed[1])):
			p.bad(name, "assumed %v: want the least and the most that it may be, with %v between them", v.Assumed, *x)
			continue
		}
		*field = *x
		of := Value{Key: name, Value: *x, Source: v.Source}
		if v.Assumed != nil {
			of.Assumed = [2]float64(v.Assumed)
		}
		p.d.Values = append(p.d.Values, of)
	}
}
