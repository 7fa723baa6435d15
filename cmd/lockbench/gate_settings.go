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
	for _, s := range []struct {
		flag  string
		to    *string
		usual string
	}{
		{"bench", &c.Bench, "."},
		{"cpus", &c.CPUs, ""},
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
		if s.flag == "history" && (c.Files || c.SelfTest) || s.flag == "drift" && !c.Files {
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
	if file != nil && !c.Exact && c.Unit == "" {
		exact := says.from(file, "exact")
		switch text := strings.Join(exact, ","); text {
		case "", "false":
		case "true":
			c.Exact = true
		default:
			bad.Addf("%s %s: want true or false", says.of("exact"), text)
		}
	}
	return file, says
}

// from returns the file's values for a flag, and notes that they are from the file.
func (s saying) from(file *config.File, flag string) []string {
	f, ok := file.Flags[flag]
	if ok {
		s[flag] = fmt.Sprintf("%s:%d: %s", file.Name, f.Line, strings.ReplaceAll(flag, "-", "_"))
	}
	return f.Values
}
