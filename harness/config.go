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
	version := c.look(worker) + 1
	c.version.Set(version)
	for i := range c.settings {
		c.settings[i].Set(setting(version, i))
	}
	c.seats[worker].seen = version
	c.seats[worker].writes++
}

// Read consults the configuration.
func (c *config) Read(worker int) {
	version, s := c.look(worker), &c.seats[worker]
	for range consulted {
		i := int(s.draw(numSettings))
		if have := c.settings[i].Get(); have != setting(version, i) {
			s.accuse(fmt.Sprintf("workload config, as worker %d consults version %d", worker, version),
				"settings of that version", fmt.Sprintf("one of version %d", have/numSettings))
		}
	}
}

func (c *config) look(worker int) uint64 {
	version, s := c.version.Get(), &c.seats[worker]
	if before := s.seen; !s.sees(version) {
		s.accuse(fmt.Sprintf("workload config, as worker %d looks again", worker),
			fmt.Sprintf("version %d or later", before), fmt.Sprint(version))
	}
	return version
}

func (c *config) Verify() error {
	writes, err := c.seats.verify()
	if err != nil {
		return err
	}
	if version := c.version.Get(); version != writes {
		return lost("config", "version", writes, writes, version)
	}
	for i := range c.settings {
		if have := c.settings[i].Get(); have != setting(writes, i) {
			return lost("config", "all settings of version", writes, writes, have/numSettings)
		}
	}
	return nil
}
