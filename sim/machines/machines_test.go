package machines_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/sim"
	"github.com/lockbench/lockbench/sim/machines"
)

// Each machine is what its file says, with a source or a range for each value.
func TestPresets(t *testing.T) {
	names := machines.Names()
	if len(names) < 7 {
		t.Errorf("machines %v: want at least seven", names)
	}
	for _, name := range names {
		d, err := machines.Find(name)
		if err != nil {
			t.Error(err)
			continue
		}
		if d.Machine.Name != name || d.About == "" {
			t.Errorf("%s: name %q, about %q", name, d.Machine.Name, d.About)
		}
		for _, v := range d.Values {
			if (v.Source == "") == (v.Assumed == [2]float64{}) {
				t.Errorf("%s: %s has source %q and range %v: want one of them", name, v.Key, v.Source, v.Assumed)
			}
		}
	}
	d, err := machines.Find("xeon-8176-8s")
	if err != nil {
		t.Fatal(err)
	}
	m := &d.Machine
	if n := m.CPUs(); n != 448 {
		t.Errorf("%d CPUs, want 448", n)
	}
	for other, want := range map[int]sim.Distance{0: sim.Self, 224: sim.Sibling, 27: sim.Cluster, 28: sim.Remote, 111: sim.Remote, 112: sim.Far, 447: sim.Far} {
		if d := m.Distance(0, other); d != want || m.Distance(other, 0) != want {
			t.Errorf("CPUs 0 and %d: %v, want %v", other, d, want)
		}
	}
}

// What Write writes is what Parse has read.
func TestWrite(t *testing.T) {
	written := func(d *machines.Description) *machines.Description {
		t.Helper()
		var b strings.Builder
		if err := d.Write(&b); err != nil {
			t.Fatal(err)
		}
		again, err := machines.Parse("m.toml", b.String())
		if err != nil {
			t.Fatalf("%v in\n%s", err, &b)
		}
		return again
	}
	for _, name := range machines.Names() {
		d, err := machines.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		if again := written(d); again.About != d.About || again.Machine != d.Machine || !slices.Equal(again.Values, d.Values) {
			t.Errorf("%s: read again as %+v, want %+v", name, again, d)
		}
		d.About = "a \"quoted\\ name\", × 2\n\x00\u200b"
		d.Values[0].Value = 1e8
		d.Values[0].Source, d.Values[0].Assumed = "", [2]float64{0.000125, 1e9}
		if again := written(d); again.About != d.About || again.Values[0] != d.Values[0] {
			t.Errorf("%s: read again as %q with %+v, want %q with %+v", name, again.About, again.Values[0], d.About, d.Values[0])
		}
	}
}

func TestFind(t *testing.T) {
	text, err := os.ReadFile("epyc-zen3.toml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "mine.toml")
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "epyc-zen3", "mine", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	if d, err := machines.Find(file); err != nil || d.Machine.Name != "mine" {
		t.Errorf("%+v, %v, want mine", d, err)
	}
	for _, name := range []string{"", "nosuch", "../machines", t.TempDir()} {
		if _, err := machines.Find(name); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
}

// What is wrong with a file is said with its line and key, all of it at once.
func TestErrors(t *testing.T) {
	text, err := os.ReadFile("graviton2.toml")
	if err != nil {
		t.Fatal(err)
	}
	for _, of := range []struct{ old, new, want string }{
		{"threads = 1", "threads = 0", "threads: 0: want 1 to 1024"},
		{"threads = 1", "hyperthreads = 1", `cpus.hyperthreads: unknown key (known: clusters, cores, halves, sockets, threads)`},
		{"cores = 64", "cores = 1025", "cores: 1025: want 1 to 1024"},
		{"halves = 1", "halves = 1000000", "halves: 1000000: want"},
		{"[cost.modify]\nns = 5.3", "[cost.modify]\nns = nan", "modify: NaN ns: want 0.001 to"},
		{"[cost.modify]\nns = 5.3", "[cost.modify]\nns = -5.3", "modify: -5.3 ns: want"},
		{"[cost.modify]\nns = 5.3", "[cost.modify]\nof_1 = 0.3", "m.toml:19: cost.modify: want ns"},
		{"[cost.modify]\n", "[cost.modify]\nmaybe = 1\n", "cost.modify.maybe: unknown key"},
		{"[cost.park]", "[cost.parking]", "cost.parking: unknown key"},
		{"[cost.park]", "[cost.parking]", "cost.park: is missing"},
		{"[hop.cluster]", "[hop.moon]", "hop.moon: unknown key (known: cluster, far, remote, sibling, socket)"},
		{"[hop.cluster]", "[hop.far]", "hop.cluster: 0 ns: want 0.001"},
		{`name = "graviton2"`, `name = "a b"`, `m.toml:1: name: "a b": want a word`},
		{`name = "graviton2"`, `name = 7`, "m.toml: toml: line 1"},
		{"[cpus]", "[cpus", "m.toml:"},
		{"assumed = [50, 500]", "assumed = [500, 50]", "assumed [500 50]: want the least and the most"},
		{"assumed = [50, 500]", "", "want a source, or the range"},
		{"[share.nearest]\nof_1 = 0.9\nassumed = [0.5, 1]", "[share.nearest]\nof_1 = 2\nassumed = [0.5, 3]", "nearest: 2: want a share of 0 to 1"},
	} {
		bad := strings.Replace(string(text), of.old, of.new, 1)
		if bad == string(text) {
			t.Fatalf("%q is not in the file", of.old)
		}
		if _, err := machines.Parse("m.toml", bad); err == nil || !strings.Contains(err.Error(), of.want) {
			t.Errorf("%q for %q: error %v, want %q", of.new, of.old, err, of.want)
		}
	}
	twice := strings.NewReplacer("[cost.park]", "[cost.parking]", "[hop.cluster]", "[hop.moon]").Replace(string(text))
	if _, err := machines.Parse("m.toml", twice); err == nil || strings.Count(err.Error(), "unknown key") != 2 {
		t.Errorf("two faults: error %v", err)
	}
}
