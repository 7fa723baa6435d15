package harness

import (
	"fmt"

	"github.com/lockbench/lockbench/primitives"
)

// A config is a configuration that is read far more often than it is replaced. A reader
// looks up a few settings, as a request does; a writer replaces all of them.
//
// All settings must be of one version, which never goes back; at the end it is the
// number of writes.
type config struct {
	_        pad
	version  primitives.Cell[uint64]
	settings [numSettings]primitives.Cell[uint64]
	_        pad
	slots    slots
}

const (
	numSettings = 31 // with the version, four cache lines
	consulted   = 4
)

func newConfig(workers int, seed uint64) Data {
	c := &config{slots: newSlots(workers, seed)}
	for i := range c.settings {
		c.settings[i].Set(setting(0, i))
	}
	return c
}

// setting returns the value of setting i in a version.
func setting(version uint64, i int) uint64 { return version*numSettings + uint64(i) }

// Write replaces the configuration.
func (c *config) Write(worker int) {
	version := c.version.Get()
	c.slots.sawVersion(worker, version)
	version++
	c.version.Set(version)
	for i := range c.settings {
		c.settings[i].Set(setting(version, i))
	}
	c.slots.replaced(worker, version)
}

// Read consults the configuration.
func (c *config) Read(worker int) {
	version := c.version.Get()
	c.slots.sawVersion(worker, version)
	for range consulted {
		i := int(c.slots[worker].draw(numSettings))
		c.slots.sawSetting(worker, version, i, c.settings[i].Get())
	}
}

func (c *config) Verify() error {
	return c.slots.verifyConfig(c.version.Get(), func(i int) uint64 { return c.settings[i].Get() })
}

// An openConfig is a config that can be consulted while it is replaced.
type openConfig struct {
	_        pad
	version  primitives.Uint64
	settings [numSettings]primitives.Uint64
	_        pad
	slots    slots
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
	c := &openConfig{slots: newSlots(workers, seed), excerpts: make([]excerpt, workers)}
	for i := range c.settings {
		c.settings[i].Store(setting(0, i))
	}
	return c
}

// Write replaces the configuration.
func (c *openConfig) Write(worker int) {
	version := c.version.Load()
	c.slots.sawVersion(worker, version)
	version++
	c.version.StoreRelease(version)
	for i := range c.settings {
		c.settings[i].StoreRelease(setting(version, i))
	}
	c.slots.replaced(worker, version)
}

// Look consults the configuration.
func (c *openConfig) Look(worker int) {
	e := &c.excerpts[worker]
	e.version = c.version.Load()
	for k := range consulted {
		i := int(c.slots[worker].draw(numSettings))
		e.i[k], e.setting[k] = i, c.settings[i].Load()
	}
}

// Check checks what was consulted.
func (c *openConfig) Check(worker int) {
	e := &c.excerpts[worker]
	c.slots.sawVersion(worker, e.version)
	for k, i := range e.i {
		c.slots.sawSetting(worker, e.version, i, e.setting[k])
	}
}

func (c *openConfig) Verify() error {
	return c.slots.verifyConfig(c.version.Load(), func(i int) uint64 { return c.settings[i].Load() })
}

// A copyConfig is a config of which a new version is published.
type copyConfig struct {
	_       pad
	current primitives.Pointer[version[paddedConfig]]
	_       pad
	slots   slots
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

// spoil leaves the number of the version as it is, and gives it settings that no
// version has.
func (p *paddedConfig) spoil() {
	for i := range p.settings {
		p.settings[i].Set(spoilt)
	}
}

func newCopyConfig(workers int, seed uint64, reclaim Reclaim) CopyData {
	c := &copyConfig{slots: newSlots(workers, seed)}
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
	c.slots.sawVersion(worker, version)
	v := c.take()
	v.value.set(version + 1)
	c.current.StoreRelease(v) // publishes it; readers follow a pointer to it
	c.slots.replaced(worker, version+1)
	return old.reclaim
}

// Read consults the configuration.
func (c *copyConfig) Read(worker int) {
	now := &c.current.Load().value
	version := now.version.Get()
	c.slots.sawVersion(worker, version)
	for range consulted {
		i := int(c.slots[worker].draw(numSettings))
		c.slots.sawSetting(worker, version, i, now.settings[i].Get())
	}
}

func (c *copyConfig) Verify() error {
	now := &c.current.Load().value
	if err := c.slots.verifyConfig(now.version.Get(), func(i int) uint64 { return now.settings[i].Get() }); err != nil {
		return err
	}
	return c.stock.verify("workload config", 1)
}

// replaced notes that a worker replaced the configuration.
func (s slots) replaced(worker int, version uint64) {
	s[worker].seen = version
	s[worker].writes++
}

// sawVersion reports the lock as broken if the version that a worker saw is older than
// one that it has seen before.
func (s slots) sawVersion(worker int, version uint64) {
	slot := &s[worker]
	if before := slot.seen; !slot.sees(version) {
		slot.fail(fmt.Sprintf("workload config, as worker %d looks again", worker),
			fmt.Sprintf("version %d or later", before), fmt.Sprint(version))
	}
}

// sawSetting reports the lock as broken if a setting that a worker saw is not of the
// version that it saw.
func (s slots) sawSetting(worker int, version uint64, i int, have uint64) {
	if have == setting(version, i) {
		return
	}
	of := fmt.Sprintf("one of version %d", have/numSettings)
	if have == spoilt {
		of = tooEarly
	}
	s[worker].fail(fmt.Sprintf("workload config, as worker %d consults version %d", worker, version),
		"settings of that version", of)
}

// verifyConfig reports what is wrong with the configuration at the end.
func (s slots) verifyConfig(version uint64, have func(i int) uint64) error {
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
