package main

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/lockbench/lockbench/gate/config"
	"github.com/lockbench/lockbench/internal/commandline"
)

// A saying is where a setting comes from, for error messages: the flag, or the line of
// the configuration.
type saying map[string]string

// of returns the place of a flag's setting.
func (s saying) of(flag string) string { return cmp.Or(s[flag], "--"+flag) }

// settle reads the configuration, and sets what no flag sets: from the configuration,
// or else to the default.
func (c *gateCmd) settle(bad *commandline.Problems) (*config.File, saying) {
	says := make(saying)
	var file *config.File
	if c.Config != "" {
		var err error
		file, err = config.Read(c.Config)
		bad.Add(err)
	}
	c.decide(bad, says, file, "sim", &c.Sim)
	cpus, machine, tolerance := "", "", ""
	if c.Sim {
		cpus, machine, tolerance = "1,8,64", "milan-2s,xeon-8176-8s", "2%"
	}
	for _, s := range []struct {
		flag  string
		to    *string
		usual string
	}{
		{"bench", &c.Bench, "."},
		{"cpus", &c.CPUs, cpus},
		{"machine", &c.Machine, machine},
		{"locks", &c.Locks, ""},
		{"tolerance", &c.Tolerance, tolerance},
		{"tags", &c.Tags, ""},
		{"timeout", &c.Timeout, "1m"},
		{"cannot-tell", &c.CannotTell, ""},
		{"slice", &c.Slice, "3ms"},
		{"builds", &c.Builds, "12"},
		{"pin", &c.Pin, ""},
		{"seed", &c.Seed, "1"},
		{"history", &c.History, ""},
		{"drift", &c.Drift, ""},
	} {
		if s.flag == "history" && (c.Files || c.Sim || c.SelfTest) || s.flag == "drift" && !c.Files {
			continue // the configuration is for other runs, too, in which the key has a meaning
		}
		if *s.to == "" && file != nil {
			*s.to = strings.Join(says.from(file, s.flag), ",")
		}
		*s.to = cmp.Or(*s.to, s.usual)
	}
	if file != nil && c.Packages == nil {
		c.Packages = says.from(file, "packages")
	}
	if file != nil && c.With == nil {
		c.With = says.from(file, "with")
	}
	if c.Unit == "" && !c.Sim {
		c.decide(bad, says, file, "exact", &c.Exact)
	}
	return file, says
}

// decide sets a flag that is not set, and takes no value, as the configuration says.
func (c *gateCmd) decide(bad *commandline.Problems, says saying, file *config.File, flag string, to *bool) {
	if file == nil || *to {
		return
	}
	switch text := strings.Join(says.from(file, flag), ","); text {
	case "", "false":
	case "true":
		*to = true
	default:
		bad.Addf("%s %s: want true or false", says.of(flag), text)
	}
}

// from returns the file's values for a flag, and notes that they are from the file.
func (s saying) from(file *config.File, flag string) []string {
	f, ok := file.Flags[flag]
	if ok {
		s[flag] = fmt.Sprintf("%s:%d: %s", file.Name, f.Line, strings.ReplaceAll(flag, "-", "_"))
	}
	return f.Values
}
