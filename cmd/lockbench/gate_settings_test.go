package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/gate/config"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/results"
)

// Each flag of the gate that is a setting is in the configuration and in the action.
func TestEverySettingEverywhere(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"gate", "--help"}, &out, &errs); code != exitOK {
		t.Fatalf("exit status %d: %s", code, errs.String())
	}
	flags := regexp.MustCompile(`(?m)^ +(?:-., +)?--([a-z-]+)`).FindAllStringSubmatch(out.String(), -1)
	if len(flags) < 20 {
		t.Fatalf("%d flags in the help, want them all:\n%s", len(flags), out.String())
	}
	file := filepath.Join(t.TempDir(), "gate.toml")
	if err := os.WriteFile(file, []byte("unknown = 1\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := config.Read(file)
	_, known, _ := strings.Cut(err.Error(), "(known: ")
	keys := strings.Split(strings.TrimSuffix(known, ")"), ", ")
	action := newAction(t)

	// Flags for one run only, which are no settings.
	ofOneRun := strings.Fields("help version files base head dir config format out verbose self-test slowdown")
	// The action measures and compares no files, so it needs no drift.
	inAction := strings.Fields("base head config")
	set, passed := []string{"BASE=main", "EXACT=true", "SIM=true"}, []string{"--exact", "--sim"}
	for _, match := range flags {
		flag := match[1]
		key := strings.ReplaceAll(flag, "-", "_")
		if key == "unit" {
			key = "units"
		}
		if setting := !slices.Contains(ofOneRun, flag); setting != slices.Contains(keys, key) {
			t.Errorf("--%s: a setting %t, but in the configuration %t (%s)", flag, setting, !setting, known)
		}
		variable := strings.ToUpper(strings.ReplaceAll(flag, "-", "_")) + "="
		if want := (!slices.Contains(ofOneRun, flag) || slices.Contains(inAction, flag)) && flag != "drift"; want != slices.Contains(action.environment, variable) {
			t.Errorf("--%s: wanted in action.yml %t, is there %t", flag, want, !want)
		}
		if slices.Contains(action.environment, variable) && flag != "base" && flag != "exact" && flag != "sim" {
			set = append(set, variable+"v")
			passed = append(passed, "--"+flag+"=v")
		}
	}
	_, _, temp := action.run(t, action.path(), set...)
	args, _ := os.ReadFile(filepath.Join(temp, "args"))
	for _, want := range passed {
		if !strings.Contains(string(args), "\n"+want+"\n") {
			t.Errorf("the action does not pass on %s: %s", want, args)
		}
	}
}

// The command line takes precedence over the configuration, and that over the default.
func TestSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("gate.toml", []byte(`slice = '5ms'
builds = 3
packages = ['./a']
cpus = [1, 2]
exact = true
cannot_tell = 'fail'
history = 'past'
confidence = '95%'
`), 0o666); err != nil {
		t.Fatal(err)
	}
	var bad commandline.Problems
	c := &gateCmd{Config: "gate.toml", Slice: "7ms"}
	file, says := c.settle(&bad)
	if len(bad) > 0 {
		t.Fatal(bad)
	}
	if c.Slice != "7ms" || c.Builds != "3" || c.CPUs != "1,2" || !slices.Equal(c.Packages, []string{"./a"}) || !c.Exact || c.CannotTell != "fail" || c.History != "past" || c.Timeout != "1m" || c.Bench != "." {
		t.Errorf("got %+v", c)
	}
	if got, want := says.of("builds"), "gate.toml:2: builds"; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	if got, want := says.of("slice"), "--slice"; got != want {
		t.Errorf("says %q, want %q", got, want)
	}
	if r := c.rules(&bad, file); r.Confidence != 0.95 || !slices.Equal(r.Units, []string{"allocs/op", "B/op", results.Instructions}) {
		t.Errorf("got %+v", r)
	}

	c = &gateCmd{Config: "gate.toml", Unit: "ns/op", Confidence: "90%", Files: true}
	file, _ = c.settle(&bad)
	if r := c.rules(&bad, file); r.Confidence != 0.9 || !slices.Equal(r.Units, []string{"ns/op"}) || c.History != "" {
		t.Errorf("got %+v, history %q", r, c.History)
	}
	if len(bad) > 0 {
		t.Error(bad)
	}
}

// An error in a setting of the configuration is reported with its line.
func TestWrongSettings(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("gate.toml", []byte("slice = '5'\nseed = 'x'\nexact = 'yes'\ncannot_tell = 'maybe'\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run([]string{"gate", "--base", "main", "--config", "gate.toml"}, &out, &errs)
	for _, want := range []string{"gate.toml:1: slice 5: want ", "gate.toml:2: seed x: want ", "gate.toml:3: exact yes: want true or false", "gate.toml:4: cannot_tell maybe: want pass or fail"} {
		if !strings.Contains(errs.String()+out.String(), want) {
			t.Errorf("exit status %d, want %q in\n%s%s", code, want, out.String(), errs.String())
		}
	}
	if code != exitUsage {
		t.Errorf("exit status %d, want %d", code, exitUsage)
	}
}

// A benchmark that only the head has passes, unless --new or the configuration say
// otherwise; one that only the base has does not, unless it is declared.
func TestDeclared(t *testing.T) {
	b := gate.Benchmark{Pkg: "example.org/p", Name: "Sum-2"}
	for _, test := range []struct {
		config, fresh, removed string
		isNew, isRemoved       bool
	}{
		{"", "", "", true, false},
		{"", "fail", "", false, false},
		{"", "Sum", "", true, false},
		{"", "Sub", "", false, false},
		{"", "pass", "Sum", true, true},
		{"new = 'fail'", "", "", false, false},
		{"new = 'fail'", "pass", "", true, false},
		{"new = ['Sub']", "Sum", "", true, false},
		{"new = ['Sum']", "fail", "Sub", false, false},
		{"new = ['Sum']\nremoved = ['Sum']", "", "", true, true},
	} {
		t.Chdir(t.TempDir())
		if err := os.WriteFile("gate.toml", []byte(test.config+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
		var bad commandline.Problems
		c := &gateCmd{Config: "gate.toml", New: test.fresh, Removed: test.removed}
		if test.config == "" {
			c.Config = ""
		}
		file, _ := c.settle(&bad)
		declared := c.rules(&bad, file).Declared
		if len(bad) > 0 {
			t.Fatal(bad)
		}
		if isNew, isRemoved := declared(b, gate.Head), declared(b, gate.Base); isNew != test.isNew || isRemoved != test.isRemoved {
			t.Errorf("%+v: may be new %t, removed %t", test, isNew, isRemoved)
		}
	}
}
