package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A config is a configuration that is read far more often than it is replaced.
// Readers consult a few settings, as a request does; a writer replaces all.
//
// All settings must be of one version, which never goes back and in the end is
// the number of writes.
type config struct {
	_        pad
	version  primitives.Cell[uint64]
	settings [numSettings]primitives.Cell[uint64]
	_        pad
	seats    seats
}

const (
	numSettings = 31 // with the version, four cache lines
	consulted   = 4
)

func newConfig(workers int, seed uint64) Data {
	c := &config{seats: newSeats(workers, seed)}
	for i := range c.settings {
		c.settings[i].Set(setting(0, i))
	}
	return c
}

// setting returns what setting i is in a version.
func setting(version uint64, i int) uint64 { return version*numSettings + uint64(i) }

// Write replaces the configuration.
func (c *config) Write(worker int) {
	version := c.version.Get()
	c.seats.sawVersion(worker, version)
	version++
	c.version.Set(version)
	for i := range c.settings {
		c.settings[i].Set(setting(version, i))
	}
	c.seats.replaced(worker, version)
}

// Read consults the configuration.
func (c *config) Read(worker int) {
	version := c.version.Get()
	c.seats.sawVersion(worker, version)
	for range consulted {
		i := int(c.seats[worker].draw(numSettings))
		c.seats.sawSetting(worker, version, i, c.settings[i].Get())
	}
}

func (c *config) Verify() error {
	return c.seats.verifyConfig(c.version.Get(), func(i int) uint64 { return c.settings[i].Get() })
}

// An openConfig is a config that can be consulted while it is replaced.
type openConfig struct {
	_        pad
	version  primitives.Uint64
	settings [numSettings]primitives.Uint64
	_        pad
	seats    seats
	excerpts []excerpt
}

// An excerpt is what a worker saw of a configuration.
type excerpt struct {
	_       pad
	version uint64
	i       [consulted]int // which settings
	setting [consulted]uint64
	_       pad
}

func newOpenConfig(workers int, seed uint64) OpenData {
	c := &openConfig{seats: newSeats(workers, seed), excerpts: make([]excerpt, workers)}
	for i := range c.settings {
		c.settings[i].Store(setting(0, i))
	}
	return c
}

// Write replaces the configuration.
func (c *openConfig) Write(worker int) {
	version := c.version.Load()
	c.seats.sawVersion(worker, version)
	version++
	c.version.StoreRelease(version)
	for i := range c.settings {
		c.settings[i].StoreRelease(setting(version, i))
	}
	c.seats.replaced(worker, version)
}

// Look consults the configuration.
func (c *openConfig) Look(worker int) {
	e := &c.excerpts[worker]
	e.version = c.version.Load()
	for k := range consulted {
		i := int(c.seats[worker].draw(numSettings))
		e.i[k], e.setting[k] = i, c.settings[i].Load()
	}
}

// Check checks what was consulted.
func (c *openConfig) Check(worker int) {
	e := &c.excerpts[worker]
	c.seats.sawVersion(worker, e.version)
	for k, i := range e.i {
		c.seats.sawSetting(worker, e.version, i, e.setting[k])
	}
}

func (c *openConfig) Verify() error {
	return c.seats.verifyConfig(c.version.Load(), func(i int) uint64 { return c.settings[i].Load() })
}

// A copyConfig is a config of which a new version is published.
type copyConfig struct {
	_       pad
	current primitives.Pointer[version[paddedConfig]]
	_       pad
	seats   seats
	stock[paddedConfig]
}

// A paddedConfig shares no cache line.
type paddedConfig struct {
	_        primitives.CacheLine
	version  primitives.Cell[uint64]
	settings [numSettings]primitives.Cell[uint64]
	_        primitives.CacheLine
}

func (p *paddedConfig) set(version uint64) {
	p.version.Set(version)
	for i := range p.settings {
		p.settings[i].Set(setting(version, i))
	}
}

// spoil leaves the number of a version as it is: its settings are of none.
func (p *paddedConfig) spoil() {
	for i := range p.settings {
		p.settings[i].Set(spoilt)
	}
}

func newCopyConfig(workers int, seed uint64, reclaim Reclaim) CopyData {
	c := &copyConfig{seats: newSeats(workers, seed)}
	c.setUp(reclaim, (*paddedConfig).spoil)
	v := c.take()
	v.value.set(0)
	c.current.Store(v)
	return c
}

// Update publishes a new version.
func (c *copyConfig) Update(worker int) (reclaim func()) {
	old := c.current.Load()
	version := old.value.version.Get()
	c.seats.sawVersion(worker, version)
	v := c.take()
	v.value.set(version + 1)
	c.current.StoreRelease(v) // publishes it; readers follow a pointer to it
	c.seats.replaced(worker, version+1)
	return old.reclaim
}

// Read consults the configuration.
func (c *copyConfig) Read(worker int) {
	now := &c.current.Load().value
	version := now.version.Get()
	c.seats.sawVersion(worker, version)
	for range consulted {
		i := int(c.seats[worker].draw(numSettings))
		c.seats.sawSetting(worker, version, i, now.settings[i].Get())
	}
}

func (c *copyConfig) Verify() error {
	now := &c.current.Load().value
	if err := c.seats.verifyConfig(now.version.Get(), func(i int) uint64 { return now.settings[i].Get() }); err != nil {
		return err
	}
	return c.stock.verify("workload config", 1)
}

// replaced notes that a worker replaced the configuration.
func (s seats) replaced(worker int, version uint64) {
	s[worker].seen = version
	s[worker].writes++
}

// sawVersion accuses the lock if the version that a worker saw is older than
// another that it has seen.
func (s seats) sawVersion(worker int, version uint64) {
	seat := &s[worker]
	if before := seat.seen; !seat.sees(version) {
		seat.accuse(fmt.Sprintf("workload config, as worker %d looks again", worker),
			fmt.Sprintf("version %d or later", before), fmt.Sprint(version))
	}
}

// sawSetting accuses the lock if a setting that a worker saw is not of the
// version that it saw.
func (s seats) sawSetting(worker int, version uint64, i int, have uint64) {
	if have == setting(version, i) {
		return
	}
	of := fmt.Sprintf("one of version %d", have/numSettings)
	if have == spoilt {
		of = tooEarly
	}
	s[worker].accuse(fmt.Sprintf("workload config, as worker %d consults version %d", worker, version),
		"settings of that version", of)
}

// verifyConfig reports what is wrong with the configuration in the end.
func (s seats) verifyConfig(version uint64, have func(i int) uint64) error {
	writes, err := s.verify()
	if err != nil {
		return err
	}
	if version != writes {
		return lost("config", "version", writes, writes, version)
	}
	for i := range numSettings {
		if have := have(i); have != setting(writes, i) {
			return lost("config", "all settings of version", writes, writes, have/numSettings)
		}
	}
	return nil
}
