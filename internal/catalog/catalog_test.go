package catalog_test

import (
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/locktest"
	"github.com/lockbench/lockbench/primitives"
)

type locker interface {
	sync.Locker
	TryLock() bool
}

func TestEntries(t *testing.T) {
	seen := make(map[string]bool)
	for _, e := range catalog.All() {
		if seen[e.Name] {
			t.Errorf("%s: there twice", e.Name)
		}
		seen[e.Name] = true

		// A name must be valid in a results file.
		if err := (harness.Scenario{Subject: e.Subject, CPUs: 1, Workers: 1}).Cell().Validate(); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
		for _, fault := range faults(e) {
			t.Errorf("%s: %s", e.Name, fault)
		}
	}
}

// faults returns what is wrong with a row of the table.
func faults(e catalog.Entry) (all []string) {
	fault := func(is bool, what string) {
		if is {
			all = append(all, what)
		}
	}
	fault(e.Family == "" || e.Source == "", "no family, or no source")
	fault(e.Order.String() == "", "no order of service")
	fault(e.Waits.String() == "", "nothing that waiters do")
	fault(e.Order == catalog.FIFO && e.Except != "", "FIFO with exceptions: want NearlyFIFO")
	fault(e.Order == catalog.NearlyFIFO && e.Except == "", "NearlyFIFO without exceptions: want FIFO")
	fault(e.Except != "" && !strings.ContainsAny(e.Except[:1], ",; "), "exceptions that do not continue the order's words")
	fault(e.Control != (e.Order == catalog.NoOrder), "a control serves no waiters in order, and anything else does")
	fault(e.Control != (e.Family == "none"), "a control is of no family, and anything else is of one")
	fault(e.Pins != (strings.HasSuffix(e.Name, "-pinned") && e.Updaters == ""), "holders pin without the name, or the reverse")
	fault(e.Waits == catalog.Spins && e.WaiterBytes == 0 && e.Family == "queue", "a queue of waiters without size")
	return all
}

// A wrong row is noticed; a wrong word does not compile.
func TestWrongRows(t *testing.T) {
	good := catalog.Entry{Subject: harness.Subject{Name: "ticket"}, Family: "ticket", Order: catalog.FIFO, Waits: catalog.Spins, Source: "x"}
	if got := faults(good); len(got) > 0 {
		t.Errorf("a good row: %v", got)
	}
	for name, spoil := range map[string]func(*catalog.Entry){
		"no order":                func(e *catalog.Entry) { e.Order = 0 },
		"an unknown order":        func(e *catalog.Entry) { e.Order = 99 },
		"no way to wait":          func(e *catalog.Entry) { e.Waits = 0 },
		"FIFO with exceptions":    func(e *catalog.Entry) { e.Except = ", sometimes" },
		"exceptions that are not": func(e *catalog.Entry) { e.Order = catalog.NearlyFIFO },
		"words run together":      func(e *catalog.Entry) { e.Order, e.Except = catalog.Barging, "FIFO later" },
		"a control":               func(e *catalog.Entry) { e.Control = true },
		"a control that serves":   func(e *catalog.Entry) { e.Control, e.Family = true, "none" },
		"no control":              func(e *catalog.Entry) { e.Order = catalog.NoOrder },
		"pins":                    func(e *catalog.Entry) { e.Pins = true },
	} {
		e := good
		spoil(&e)
		if len(faults(e)) == 0 {
			t.Errorf("%s: nothing is wrong with it", name)
		}
	}
}

// The words are in what lockbench list prints, and in files made of that.
func TestWords(t *testing.T) {
	got := make(map[string]string)
	for _, e := range catalog.All() {
		got[e.Name] = strings.Join([]string{e.Fairness(), e.Waits.String(), e.Holder()}, " | ")
	}
	for name, want := range map[string]string{
		"tas":                  "barging | spins | yields",
		"ticket-pinned":        "FIFO | spins | pins",
		"mutex":                "barging, FIFO once overtaken 16 times | spins then parks | yields",
		"cna":                  "FIFO, waiters on the holder's node first, up to 256 times | spins then parks | yields",
		"reciprocating-pinned": "segments, each the newest first | spins | pins",
		"rw-queued":            "FIFO, but for a newcomer between two of the line | spins then parks | yields",
		"rw-readerpref-pinned": "readers first; writers starve | spins | pins",
		"xsync.RBMutex":        "readers first while biased | spins then parks | yields",
		"sync.RWMutex":         "phases of readers and writers | parks | yields",
		"rcu-domain":           "readers never wait; updaters as mutex | updaters spin then park | yields",
		"rcu-pinned":           "readers never wait; updaters as mutex | updaters spin then park | readers pin",
		"sync.Map":             "readers never wait; updaters of neighbours as sync.Mutex | updaters spin then park | yields",
		"none":                 "none | never | yields",
		"busted-rcu":           "none | spins then parks | yields",
	} {
		if got[name] != want {
			t.Errorf("%s: got %q, want %q", name, got[name], want)
		}
	}
}

// hasGVisor says whether gVisor's sync package is there: it has files for these
// machines only.
const hasGVisor = runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"

// The names are in every results file: no name may change or be removed. New ones need
// not be here, and their order is free.
func TestNames(t *testing.T) {
	got := make(map[string]bool)
	for _, e := range catalog.All() {
		if got[e.Name] {
			t.Errorf("%s is there twice", e.Name)
		}
		got[e.Name] = true
	}
	want := strings.Fields(`
		tas tas-pinned ttas ttas-pinned backoff backoff-pinned
		ticket ticket-pinned ticket-pb ticket-pb-pinned
		mcs mcs-pinned mcs-queue mcs-queue-pinned clh clh-pinned qspinlock qspinlock-pinned
		cna cna-pinned reciprocating reciprocating-pinned
		mutex semaphore rwsem
		rw-readerpref rw-readerpref-pinned rw-queued rw-queued-pinned rw-phasefair rw-phasefair-pinned
		rw-distributed rw-distributed-pinned rw-biased rw-biased-pinned
		seqlock seqlock-pinned
		rcu-domain rcu-domain-sync rcu-domain-none rcu-pinned rcu-pinned-sync rcu-pinned-none
		rcu-registered rcu-registered-sync rcu-registered-none rcu-qsbr rcu-qsbr-sync rcu-qsbr-none
		sync.Mutex sync.RWMutex chan semaphore.Weighted xsync.RBMutex gvisor.SeqCount
		sync.Map xsync.Map
		none swap busted busted-rcu`)
	if !hasGVisor {
		want = slices.DeleteFunc(want, func(name string) bool { return name == "gvisor.SeqCount" })
	}
	for _, name := range want {
		if !got[name] {
			t.Errorf("%s is not there any more: old results files have it", name)
		}
	}
}

// The sizes are in docs, too: docs/rwlock.md and similar pages must be changed with
// them.
func TestSizes(t *testing.T) {
	type sizes struct{ lock, waiter uintptr }
	want := map[string]sizes{"tas": {4, 0}, "ttas": {4, 0}, "ticket": {8, 0}, "rw-readerpref": {4, 0}, "sync.Mutex": {8, 0}}
	if unsafe.Sizeof(uintptr(0)) == 8 && unpreemptible { // under purego a waiter has another Parker
		for name, s := range map[string]sizes{
			"anderson": {4496, 0}, "mcs-queue": {8, 16}, "clh": {24, 176},
			"mcs": {12, 176}, "cna": {12, 176}, "reciprocating": {12, 176}, "qspinlock": {4, 176},
			"mutex": {56, 40}, "semaphore": {32, 40}, "rwsem": {40, 40},
			"rw-queued": {8, 176}, "rw-phasefair": {32, 176},
			"rw-distributed": {24, 176}, // and 160 for each CPU: a tally, padded
			"rw-biased":      {128, 176},
			"seqlock":        {16, 0},
		} {
			want[name] = s
		}
	}
	for _, e := range catalog.All() {
		if w, ok := want[e.Name]; ok && (sizes{e.Bytes, e.WaiterBytes}) != w {
			t.Errorf("%s: %d bytes and %d for each waiter, want %d and %d", e.Name, e.Bytes, e.WaiterBytes, w.lock, w.waiter)
		}
		if e.New == nil && (e.NewTable == nil || e.Family != "map") {
			t.Errorf("%s: no lock, and no map", e.Name)
		}
		// A waiter that parks in line needs memory; that of peers is not known.
		if !e.Peer && !e.Pins && (e.Waits == catalog.SpinsThenParks || e.Waits == catalog.Parks) && e.WaiterBytes == 0 {
			t.Errorf("%s: its waiters park and have no size", e.Name)
		}
	}
}

// TestContract checks the claims of every lock in both of its forms: unlocked when new,
// exclusive, and free again afterwards.
func TestContract(t *testing.T) {
	for _, e := range catalog.All() {
		if e.Unlocked || e.Name == "busted" || e.New == nil {
			continue
		}
		forms := []func() sync.Locker{e.New}
		if e.Pinned != nil {
			forms = append(forms, e.Pinned)
		}
		for _, fresh := range forms {
			l := fresh()
			a, b := l, l
			if v, ok := l.(viewed); ok {
				contract(t, e.Name, a, b)
				a, b = v.Worker(), v.Worker()
			}
			contract(t, e.Name, a, b)
		}
	}
}

// A viewed lock has a view for each worker.
type viewed interface{ Worker() sync.Locker }

// contract checks the claims of an unlocked lock, as two workers see it.
func contract(t *testing.T, name string, la, lb sync.Locker) {
	t.Helper()
	a, ok := la.(locker)
	b, _ := lb.(locker)
	if !ok {
		t.Errorf("%s: has no TryLock", name)
		return
	}
	if !a.TryLock() {
		t.Errorf("%s: TryLock of new lock = false, want true", name)
		return
	}
	if b.TryLock() {
		t.Errorf("%s: TryLock of locked lock = true, want false", name)
	}
	a.Unlock()
	b.Lock()
	if a.TryLock() || b.TryLock() {
		t.Errorf("%s: TryLock of locked lock = true, want false", name)
	}
	b.Unlock()
	if !a.TryLock() {
		t.Errorf("%s: TryLock of unlocked lock = false, want true", name)
	}
	a.Unlock()
}

// What an engine can run is all but peers, and the models of those that have one, under
// names that no lock of the host has.
func TestSimulated(t *testing.T) {
	names := make(map[string]bool)
	for _, e := range catalog.All() {
		names[e.Name] = true
	}
	var models []string
	for _, e := range catalog.All() {
		s, ok := e.Simulated()
		switch {
		case !e.Peer:
			if !ok || s.Name != e.Name || s.Peer {
				t.Errorf("%s: simulated as %s, %t; want itself", e.Name, s.Name, ok)
			}
		case ok:
			models = append(models, s.Name)
			if names[s.Name] || s.Peer || s.Source == e.Source {
				t.Errorf("%s: simulated as %s, peer %t, source %q; want a model that says so, under a name of its own", e.Name, s.Name, s.Peer, s.Source)
			}
			l := s.New()
			contract(t, s.Name, l, l)
		case e.Model != nil || s.Name != e.Name:
			t.Errorf("%s: not simulated, and has a model or the name %s", e.Name, s.Name)
		}
	}
	if got := strings.Join(models, " "); got != "sync.Mutex-model sync.RWMutex-model" {
		t.Errorf("models %q, want those of sync.Mutex and sync.RWMutex", got)
	}
}

func TestExclusion(t *testing.T) {
	for _, e := range catalog.All() {
		// The holders yield, which pinned ones must not do; the test of cmd/lockbench
		// runs those.
		if e.Unlocked || e.Name == "busted" || e.Pins || e.New == nil {
			continue
		}
		t.Run(e.Name, func(t *testing.T) { locktest.Exclusion(t, e.New()) })
	}
}

// Workers that each have a view exclude each other: writers exclude all, readers
// exclude writers.
func TestViews(t *testing.T) {
	views := 0
	for _, e := range catalog.All() {
		if e.Pins || e.New == nil {
			continue
		}
		l, ok := e.New().(viewed)
		if !ok {
			continue
		}
		if e.Updaters == "" {
			views++
		}
		var sum, mirror int // guarded by l
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				l := l.Worker()
				rw, reads := l.(harness.RWLocker)
				for i := range 2000 {
					if reads && i%50 != 0 {
						rw.RLock()
						if sum != mirror {
							t.Errorf("%s: reader saw half a write", e.Name)
						}
						rw.RUnlock()
						continue
					}
					l.Lock()
					sum++
					if i%100 == 0 {
						runtime.Gosched()
					}
					mirror++
					l.Unlock()
				}
			})
		}
		wg.Wait()
		want := 4 * 2000
		if _, reads := l.Worker().(harness.RWLocker); reads {
			want /= 50
		}
		if sum != want {
			t.Errorf("%s: %d writes, want %d", e.Name, sum, want)
		}
	}
	if views != 2 {
		t.Errorf("%d locks with views, want mcs-queue and xsync.RBMutex", views)
	}
}

// A table returns what a key had, and has what was stored last.
func TestTables(t *testing.T) {
	tables := 0
	for _, e := range catalog.All() {
		if e.NewTable == nil {
			continue
		}
		tables++
		table := e.NewTable()
		a, b := new(harness.Item), new(harness.Item)
		for step, call := range []struct {
			does      string
			have      func() (*harness.Item, bool)
			want, now *harness.Item
		}{
			{"Load", func() (*harness.Item, bool) { return table.Load(1) }, nil, nil},
			{"Delete", func() (*harness.Item, bool) { return table.Delete(1) }, nil, nil},
			{"Store", func() (*harness.Item, bool) { return table.Store(1, a) }, nil, a},
			{"Store", func() (*harness.Item, bool) { return table.Store(1, b) }, a, b},
			{"Store of another", func() (*harness.Item, bool) { return table.Store(2, a) }, nil, b},
			{"Delete", func() (*harness.Item, bool) { return table.Delete(1) }, b, nil},
			{"Store", func() (*harness.Item, bool) { return table.Store(1, a) }, nil, a},
		} {
			if have, ok := call.have(); have != call.want || ok != (call.want != nil) {
				t.Errorf("%s, step %d: %s = %p, %t, want %p", e.Name, step, call.does, have, ok, call.want)
			}
			if have, ok := table.Load(1); have != call.now || ok != (call.now != nil) {
				t.Errorf("%s, step %d: Load after %s = %p, %t, want %p", e.Name, step, call.does, have, ok, call.now)
			}
		}
	}
	if want := 12 + 1 + 2; tables != want {
		t.Errorf("%d tables, want %d: of RCU, busted-rcu, sync.Map and xsync.Map", tables, want)
	}
}

// Readers of a sequence lock see whole pairs of words.
func TestSequences(t *testing.T) {
	sequences := 0
	for _, e := range catalog.Locks() {
		l, ok := e.New().(harness.SeqLocker)
		if !ok {
			continue
		}
		sequences++
		const writes = 10_000
		var lo, hi primitives.Uint64
		var wg sync.WaitGroup
		wg.Go(func() {
			for n := uint64(0); n < writes; {
				seq := l.Begin()
				a, b := lo.Load(), hi.Load()
				if l.Retry(seq) {
					continue
				}
				if a != b || a < n {
					t.Errorf("%s: read %d and %d after %d", e.Name, a, b, n)
					return
				}
				n = a
			}
		})
		for n := uint64(1); n <= writes; n++ {
			l.Lock()
			lo.StoreRelease(n)
			hi.StoreRelease(n)
			l.Unlock()
		}
		wg.Wait()
	}
	want := 2
	if hasGVisor {
		want = 3
	}
	if sequences != want {
		t.Errorf("%d locks with a sequence, want %d: seqlock, seqlock-pinned and, where there is one, gvisor.SeqCount", sequences, want)
	}
}

// Readers of an RBMutex leave with the tokens that they got, whether the lock is biased
// towards readers or, after a write, not.
func TestRBMutexTokens(t *testing.T) {
	entries, err := catalog.Match("xsync.RBMutex")
	if err != nil {
		t.Fatal(err)
	}
	type view interface {
		locker
		harness.RWLocker
		TryRLock() bool
	}
	l := entries[0].New().(viewed)
	a, b := l.Worker().(view), l.Worker().(view)
	for _, when := range []string{"new", "after a write"} {
		a.RLock()
		if !b.TryRLock() {
			t.Fatalf("%s: TryRLock while a reader holds it = false, want true", when)
		}
		if a.TryLock() || b.TryLock() {
			t.Fatalf("%s: TryLock while readers hold it = true, want false", when)
		}
		a.RUnlock()
		if a.TryLock() {
			t.Fatalf("%s: TryLock while a reader holds it = true, want false", when)
		}
		b.RUnlock()
		if !a.TryLock() {
			t.Fatalf("%s: TryLock after the readers = false, want true", when)
		}
		if b.TryRLock() {
			t.Fatalf("%s: TryRLock while a writer holds it = true, want false", when)
		}
		a.Unlock()
	}
}

func TestMatch(t *testing.T) {
	for _, test := range []struct{ patterns, want string }{
		{"ticket", "ticket"},
		{"qspinlock tas", "tas qspinlock"}, // the order is the table's
		{"ticket*", "ticket ticket-pinned ticket-pb ticket-pb-pinned"},
		{"ticket* !*-pinned", "ticket ticket-pb"},
		{"t?as ticket ttas", "ttas ticket"}, // each once
		{"sync.*", "sync.Mutex sync.RWMutex sync.Map"},
		{"none busted tas", "tas none busted"},
		{"*u*ted", "rw-distributed"}, // and not busted or none
		{"rcu-* !*-*-*", "rcu-domain rcu-pinned rcu-registered rcu-qsbr"},
		{"busted*", ""}, // nor busted-rcu
	} {
		entries, err := catalog.Match(strings.Fields(test.patterns)...)
		var got []string
		for _, e := range entries {
			got = append(got, e.Name)
		}
		if got := strings.Join(got, " "); got != test.want || (err == nil) != (got != "") {
			t.Errorf("Match(%s) = %s, %v, want %s", test.patterns, got, err, test.want)
		}
	}
}

// Patterns that only leave out select all others, except what is no lock.
func TestMatchAllBut(t *testing.T) {
	entries, err := catalog.Match("!ticket*", "!*-pinned")
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]bool)
	for _, e := range entries {
		got[e.Name] = true
	}
	for name, want := range map[string]bool{
		"tas": true, "mcs": true, "mutex": true, "sync.Mutex": true, "rw-queued": true, "rcu-domain": true,
		"ticket": false, "ticket-pb": false, "tas-pinned": false, "none": false, "busted": false,
	} {
		if got[name] != want {
			t.Errorf("%s: %t, want %t", name, got[name], want)
		}
	}
}

func TestMatchUnknown(t *testing.T) {
	const known = "(known: tas, tas-pinned, ttas, "
	for _, test := range []struct {
		patterns string
		want     []string // parts of the error
	}{
		{"tikcet", []string{`unknown lock "tikcet", did you mean "ticket"? ` + known}},
		{"Mutex", []string{`"Mutex", did you mean "mutex" or "sync.Mutex"`}},
		{"zzz", []string{`unknown lock "zzz" ` + known}},
		{"zzz* tas yyy", []string{`"zzz*", "yyy" ` + known}},
		{"!zzz", []string{`unknown lock "zzz" (`}},
		{"[", []string{`unknown lock "["`}},
		{"tas !tas", []string{`no lock left of "tas,!tas"`}},
	} {
		_, err := catalog.Match(strings.Fields(test.patterns)...)
		for _, want := range test.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("Match(%s): %v, want %q", test.patterns, err, want)
			}
		}
	}
	if _, err := catalog.Match(""); err == nil {
		t.Error("Match of nothing: no error")
	}
}

// Sources that name a module name the version that is linked.
func TestSourceVersions(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`\S+/\S+ v[0-9][^ ,;]*`)
	found := 0
	for _, e := range catalog.All() {
		for _, v := range version.FindAllString(e.Source, -1) {
			found++
			if !strings.Contains(string(mod), v) {
				t.Errorf("%s: from %s, which is not in go.mod", e.Name, v)
			}
		}
	}
	want := 3
	if hasGVisor {
		want = 4
	}
	if found != want {
		t.Errorf("%d modules named, want %d", found, want)
	}
}
