package layout_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/lockbench/lockbench/internal/layout"
)

// notLocks are the packages that hold no lock. All others do, new ones too, so that none
// of them imports sync/atomic unnoticed.
const notLocks = "primitives check/... sim/... sim results advice gate/... harness plots plots/report cmd/... tools/... internal/..."

// table says which package may import which.
var table = layout.Layout{
	Module: "github.com/lockbench/lockbench",
	Rules: []layout.Rule{
		{"primitives", "sync/atomic golang.org/x/sys/... internal/engine", layout.AnyTags},
		{"spinlock ticket anderson seqlock", "primitives", layout.NoTags},
		{"internal/waiter", "primitives spinlock", layout.NoTags}, // a part of mcs and its like
		{"internal/models", "primitives spinlock", layout.NoTags}, // stand in for Go's locks
		{"mcs qspinlock reciprocating", "primitives internal/waiter", layout.NoTags},
		{"rwlock", "primitives qspinlock", layout.NoTags},
		{"blocking", "primitives spinlock mcs", layout.NoTags},
		{"rcu", "primitives blocking spinlock", layout.NoTags},
		{"rcu/list", "primitives rcu", layout.NoTags},
		{"rcu/hash", "primitives rcu rcu/list", layout.NoTags},
		{"check", "check/internal/... internal/engine", layout.NoTags},
		{"check/internal/search", "check/internal/machine", layout.NoTags},
		{"check/internal/show", "check/internal/machine internal/svg", layout.NoTags},
		{"check/internal/machine sim", "internal/engine", layout.NoTags},
		{"sim/machines", "sim github.com/BurntSushi/toml", layout.NoTags},
		{"sim/validation", "sim sim/machines spinlock ticket anderson mcs qspinlock reciprocating rwlock seqlock blocking rcu harness results", layout.NoTags}, // its tests
		{"check/property", "check primitives internal/locktest github.com/anishathalye/porcupine", layout.NoTags},
		{"results", "internal/filelock internal/wording golang.org/x/perf/... github.com/montanaflynn/stats github.com/klauspost/cpuid/v2 gonum.org/v1/gonum/stat/...", layout.OSTags},
		{"advice", "results", layout.NoTags},
		{"gate", "results internal/wording golang.org/x/perf/... github.com/aclements/go-moremath/...", layout.NoTags},
		{"gate/shape", "results gate internal/wording golang.org/x/perf/... github.com/aclements/go-moremath/... gonum.org/v1/gonum/optimize", layout.NoTags},
		{"gate/history", "results gate internal/wording internal/atomicfile golang.org/x/perf/... github.com/aclements/go-moremath/...", layout.NoTags},
		{"gate/report", "results gate gate/shape internal/wording", layout.NoTags},
		{"gate/config", "results gate gate/shape internal/wording github.com/BurntSushi/toml", layout.NoTags},
		{"internal/slowbench", "", layout.NoTags},
		{"internal/atomicfile", "", layout.NoTags},
		{"internal/wording", "golang.org/x/perf/...", layout.NoTags},
		{"internal/svg", "", layout.NoTags},
		{"internal/timeline", "harness results internal/svg internal/wording", layout.NoTags},
		{"internal/fitness", "", layout.NoTags},
		{"internal/filelock", "golang.org/x/sys/...", layout.OSTags},
		{"internal/gatetest", "results gate", layout.NoTags},
		{"internal/pingpong", "primitives results", layout.NoTags},
		{"gate/measure", "results gate internal/pingpong internal/fitness internal/filelock internal/wording golang.org/x/perf/... golang.org/x/sys/...", layout.OSTags},
		{"harness", "primitives results internal/pingpong internal/wording github.com/HdrHistogram/hdrhistogram-go golang.org/x/sys/...", layout.OSTags},
		{"plots", "results gate gate/history internal/atomicfile internal/wording gonum.org/v1/plot/... golang.org/x/image/...", layout.NoTags},
		{"plots/report", "results internal/wording", layout.NoTags},
		{"internal/doctor", "primitives harness results gate/measure internal/fitness internal/pingpong internal/wording", layout.NoTags},
		{"internal/engine", "", layout.AnyTags},
		{"internal/locktest", "primitives", layout.NoTags},
		{"internal/layout", "", layout.NoTags},
		{"internal/golden", "", layout.NoTags},
		{"internal/catalog", "primitives internal/models internal/waiter spinlock ticket anderson mcs seqlock qspinlock reciprocating rwlock blocking rcu rcu/hash harness golang.org/x/sync/semaphore github.com/puzpuzpuz/xsync/v4 gvisor.dev/gvisor/pkg/sync", layout.AnyTags}, // gVisor is for some machines
		{"internal/claims", "primitives spinlock ticket mcs qspinlock rwlock seqlock blocking rcu sim sim/machines harness results internal/catalog internal/svg internal/wording", layout.NoTags},
		{"internal/sweeping", "harness results plots internal/catalog internal/commandline internal/wording internal/atomicfile github.com/schollz/progressbar/v3", layout.NoTags},
		{"internal/ownlock", "golang.org/x/mod/modfile golang.org/x/tools/go/packages", layout.OSTags},
		{"internal/commandline", "github.com/alecthomas/kong golang.org/x/term", layout.NoTags},
		{"internal/commandline/script", "internal/commandline github.com/alecthomas/kong", layout.NoTags},
		{"tools/gatetrial", "...", layout.OSTags}, // has processes take turns
		{"tools/targets", "...", layout.OSTags},   // binds threads to CPUs
		{"cmd/... tools/...", "...", layout.NoTags},
	},
	// A benchmark measures its reference in the same run, hence the peers.
	Tests: "primitives check sim sim/machines internal/golden gate/config internal/gatetest internal/locktest check/property internal/catalog github.com/chromedp/... go.uber.org/goleak pgregory.net/rapid github.com/anishathalye/porcupine golang.org/x/sync/semaphore github.com/puzpuzpuz/xsync/v4 gvisor.dev/gvisor/pkg/sync",
	Never: []layout.Edge{
		{From: "...", Except: notLocks, To: "harness", Tests: true},
		{From: "plots plots/report", To: "harness", Tests: true},
		{From: "...", Except: notLocks, To: "sync/atomic !std"},
		{From: "internal/waiter internal/models", To: "sync/atomic !std"}, // hold parts of locks, or locks
	},
	Virtual: "harness internal/pingpong",
	Uses: []layout.Use{
		{Of: "sync", Names: "Locker", Except: ofTheHost},
		{Of: "sync/atomic", Except: ofTheHost},
		{Of: "time", Names: "Duration Nanosecond Microsecond Millisecond Second"},
		{Of: "runtime", Names: "GC GOARCH GOMAXPROCS GOOS LockOSThread MemStats NumCPU ReadMemStats Stack UnlockOSThread"},
	},
}

// ofTheHost are the files of package harness that are about the host alone. Each says why.
const ofTheHost = "harness/counters_linux.go harness/host.go harness/place.go harness/standby_linux.go harness/torture_rcu.go"

func TestLayout(t *testing.T) {
	broken, err := table.Check(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range broken {
		t.Error(b)
	}
}

// The table is useful only if violations are noticed.
func TestViolations(t *testing.T) {
	const us = "github.com/lockbench/lockbench/"
	table := table
	table.Rules = append(slices.Clone(table.Rules), layout.Rule{Packages: "newlock", Imports: "primitives", Tags: layout.NoTags})
	for _, test := range []struct {
		name, src string
		want      string // of the one complaint; "" for none
	}{
		{"ticket/ticket.go", imports(us+"primitives", "math/bits"), ""},
		{"ticket/ticket_test.go", imports("testing", us+"ticket", us+"internal/locktest", "pgregory.net/rapid"), ""},
		{"ticket/virtual_test.go", "//go:build virtual\n\n" + imports(us+"ticket"), ""},
		{"ticket/testdata/x.go", imports(us + "harness"), ""},
		{"_old/x.go", imports(us + "harness"), ""},
		{"harness/cputime_linux.go", imports("golang.org/x/sys/unix"), ""},
		{"harness/cputime_other.go", "//go:build !linux && !darwin\n\n" + imports(), ""},
		{"cmd/locksim/main.go", imports(us+"sim", "github.com/alecthomas/kong"), ""},
		{"primitives/word_amd64.s", "", ""},
		{"primitives/purego.go", "//go:build purego || race\n\n" + imports("sync/atomic"), ""},
		{"plots/unix.go", imports(), ""}, // a tag only after an underscore

		{"ticket/ticket.go", imports(us + "harness"), "ticket must never import harness"},
		{"ticket/bench_test.go", imports(us + "harness"), "ticket must never import harness"},
		{"harness/run.go", imports(us + "ticket"), "harness may not import ticket"},
		{"harness/run_test.go", imports(us + "mcs"), "harness may not import mcs"},
		{"plots/plots.go", imports(us + "harness"), "plots must never import harness"},
		{"mcs/mcs.go", imports("sync/atomic"), "mcs must never import sync/atomic"},
		{"newlock/newlock.go", imports("sync/atomic"), "newlock must never import sync/atomic"}, // a row that was forgotten elsewhere
		{"rcu/tree/tree.go", imports("sync/atomic"), "package rcu/tree has no row in the table"},
		{"internal/waiter/waiter.go", imports("sync/atomic"), "internal/waiter must never import sync/atomic"},
		{"internal/models/mutex.go", imports("sync/atomic"), "internal/models must never import sync/atomic"},
		{"mcs/mcs.go", imports("golang.org/x/sys/cpu"), "mcs must never import golang.org/x/sys/cpu"},
		{"mcs/mcs.go", imports("C"), "mcs must never import C"},
		{"mcs/mcs.go", imports(us + "ticket"), "mcs may not import ticket"},
		{"mcs/mcs.go", imports(us + "internal/locktest"), "mcs may not import internal/locktest"},
		{"mcs/mcs.go", "//go:build purego\n\n" + imports(us+"qspinlock"), "mcs may not import qspinlock\nmcs/mcs.go: no place for build tag purego"},
		{"mcs/mcs_amd64.go", imports(), "no place for build tag amd64"},
		{"mcs/mcs_linux_arm64.go", imports(), "no place for build tag linux\nmcs/mcs_linux_arm64.go: no place for build tag arm64"},
		{"mcs/mcs_amd64.s", "", "only Go belongs here"},
		{"harness/cputime_arm64.go", imports(), "no place for build tag arm64"},
		{"harness/busy.go", "//go:build linux && !race\n\n" + imports(), "no place for build tag race"},
		{"results/read.go", imports("gonum.org/v1/plot"), "results may not import gonum.org/v1/plot"},
		{"results/read_test.go", imports(us + "plots"), "results may not import plots"},
		{"internal/engine/engine.go", imports(us + "primitives"), "internal/engine may not import primitives"},
		{"check/internal/machine/vm.go", imports(us + "check/internal/search"), "check/internal/machine may not import check/internal/search"},
		{"check/internal/search/dpor.go", imports(us + "check"), "check/internal/search may not import check"},
		{"check/internal/show/svg.go", imports(us + "check/internal/search"), "check/internal/show may not import check/internal/search"},
		{"sim/sim.go", imports(us + "primitives"), "sim may not import primitives"},
		{"util/util.go", imports(), "package util has no row in the table"},

		{"harness/run.go", using("sync", "sync.Locker"), ""},
		{"harness/host.go", using("sync", "sync.Mutex"), ""},
		{"harness/run_test.go", using("sync", "sync.Mutex") + "\nvar c chan int\n", ""},
		{"results/run.go", using("sync", "sync.Mutex"), ""},
		{"harness/run.go", using("sync", "sync.Mutex"), "harness may not have sync.Mutex: " + instead},
		{"harness/run.go", using("sync/atomic", "atomic.Bool"), "harness may not have atomic.Bool: " + instead},
		{"harness/run.go", using("time", "*time.Timer"), "harness may not have time.Timer: " + instead},
		{"harness/host.go", using("time", "*time.Timer"), "harness may not have time.Timer: " + instead},
		{"harness/run.go", "package p\n\nimport s \"sync\"\n\nvar x, y s.Mutex\n\nvar z s.Mutex\n", "harness may not have sync.Mutex: " + instead},
		{"harness/run.go", "package p\n\nimport . \"sync\"\n\nvar x Mutex\n", "harness may not have all names of sync"},
		{"harness/run.go", using("runtime", "= runtime.Gosched"), "harness may not have runtime.Gosched: " + instead},
		{"harness/run.go", "package p\n\nfunc f() { go f() }\n", "harness may not have a go statement: want primitives.Go"},
		{"internal/pingpong/pingpong.go", "package p\n\nvar c chan int\n", "internal/pingpong may not have a channel: want a primitives.Parker"},
	} {
		got, err := table.Check(fstest.MapFS{test.name: {Data: []byte(test.src)}})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		want := ""
		if test.want != "" {
			want = test.name + ": " + test.want
		}
		if got := strings.Join(got, "\n"); got != want {
			t.Errorf("%s of\n%sgot  %q\nwant %q", test.name, test.src, got, want)
		}
	}
}

func TestUnreadableSource(t *testing.T) {
	for _, src := range []string{"pakage mcs", "//go:build (\n\npackage mcs\n"} {
		if _, err := table.Check(fstest.MapFS{"mcs/mcs.go": {Data: []byte(src)}}); err == nil {
			t.Errorf("Check of %q: no error", src)
		}
	}
}

const instead = "want what package primitives has in its place"

// using returns the source of a file that imports path and has a variable of a type, or
// with a value.
func using(path, variable string) string {
	return "package p\n\nimport \"" + path + "\"\n\nvar x " + variable + "\n"
}

// imports returns the source of a file that imports paths.
func imports(paths ...string) string {
	var b strings.Builder
	b.WriteString("package p\n\n")
	for _, p := range paths {
		b.WriteString("import _ \"" + p + "\"\n")
	}
	return b.String()
}
