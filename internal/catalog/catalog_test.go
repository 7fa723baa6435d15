package catalog_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/locktest"
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

		// A name must survive in a results file.
		if err := (harness.Scenario{Subject: e.Subject, CPUs: 1, Workers: 1}).Cell().Validate(); err != nil {
			t.Errorf("%s: %v", e.Name, err)
		}
		for _, s := range []string{e.Family, e.Fairness, e.Waits, e.Holder, e.Source} {
			if s == "" {
				t.Errorf("%s: blank in %+v", e.Name, e)
			}
		}
		if e.Holder != "yields" && e.Holder != "pins" {
			t.Errorf("%s: Holder = %q, want yields or pins", e.Name, e.Holder)
		}
		if e.Pins != (e.Holder == "pins") || e.Pins != strings.HasSuffix(e.Name, "-pinned") {
			t.Errorf("%s: Pins = %t, Holder = %q", e.Name, e.Pins, e.Holder)
		}
		if e.Waits == "spins" && e.WaiterBytes == 0 && e.Family == "queue" {
			t.Errorf("%s: a queue of waiters without size", e.Name)
		}
	}
}

// The names are in every results file: they must not change by accident.
func TestNames(t *testing.T) {
	var got []string
	for _, e := range catalog.All() {
		got = append(got, e.Name)
	}
	want := strings.Fields(`
		tas tas-pinned ttas ttas-pinned backoff backoff-pinned
		ticket ticket-pinned ticket-pb ticket-pb-pinned
		mcs mcs-pinned clh clh-pinned qspinlock qspinlock-pinned
		sync.Mutex sync.RWMutex chan semaphore.Weighted xsync.RBMutex
		none busted`)
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestSizes(t *testing.T) {
	want := map[string]uintptr{"tas": 4, "ttas": 4, "ticket": 8, "qspinlock": 4, "sync.Mutex": 8}
	for _, e := range catalog.All() {
		if w, ok := want[e.Name]; ok && e.Bytes != w {
			t.Errorf("%s: %d bytes, want %d", e.Name, e.Bytes, w)
		}
	}
}

// TestContract holds every lock to what it claims in both of its forms:
// unlocked when new, exclusive, and free again afterwards.
func TestContract(t *testing.T) {
	for _, e := range catalog.All() {
		if e.Unlocked || e.Name == "busted" {
			continue
		}
		forms := []func() sync.Locker{e.New}
		if e.Pinned != nil {
			forms = append(forms, e.Pinned)
		}
		for _, fresh := range forms {
			l, ok := fresh().(locker)
			if !ok {
				t.Errorf("%s: has no TryLock", e.Name)
				continue
			}
			if !l.TryLock() {
				t.Errorf("%s: TryLock of new lock = false, want true", e.Name)
				continue
			}
			if l.TryLock() {
				t.Errorf("%s: TryLock of locked lock = true, want false", e.Name)
			}
			l.Unlock()
			l.Lock()
			if l.TryLock() {
				t.Errorf("%s: TryLock of locked lock = true, want false", e.Name)
			}
			l.Unlock()
			if !l.TryLock() {
				t.Errorf("%s: TryLock of unlocked lock = false, want true", e.Name)
			}
			l.Unlock()
		}
	}
}

func TestExclusion(t *testing.T) {
	for _, e := range catalog.All() {
		// The holders yield, as those that are pinned must not; the test of
		// cmd/lockbench runs those.
		if e.Unlocked || e.Name == "busted" || e.Pins {
			continue
		}
		t.Run(e.Name, func(t *testing.T) { locktest.Exclusion(t, e.New()) })
	}
}

// Readers of an RBMutex swap tokens: none may be lost or given out twice,
// whichever CPU a reader leaves on, or the writer here waits forever.
func TestRBMutexTokens(t *testing.T) {
	entries, err := catalog.Match("xsync.RBMutex")
	if err != nil {
		t.Fatal(err)
	}
	l := entries[0].New().(harness.RWLocker)
	var sum, want int // guarded by l
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 2000 {
				l.RLock()
				if sum != want {
					t.Error("reader saw half a write")
				}
				l.RUnlock()
				if i%50 == 0 {
					l.Lock()
					sum++
					want++
					l.Unlock()
				}
			}
		})
	}
	wg.Wait()
	if want := 4 * 2000 / 50; sum != want {
		t.Errorf("%d writes, want %d", sum, want)
	}

	// Readers that come and go in another order.
	for range 3 {
		l.RLock()
	}
	if l.(locker).TryLock() {
		t.Fatal("TryLock beside readers = true, want false")
	}
	for range 3 {
		l.RUnlock()
	}
	l.Lock()
	l.Unlock()
}

func TestMatch(t *testing.T) {
	for _, test := range []struct{ patterns, want string }{
		{"ticket", "ticket"},
		{"qspinlock tas", "tas qspinlock"}, // the order is the table's
		{"ticket*", "ticket ticket-pinned ticket-pb ticket-pb-pinned"},
		{"ticket* !*-pinned", "ticket ticket-pb"},
		{"t?as ticket ttas", "ttas ticket"}, // each once
		{"!*-pinned !*.* !t*", "backoff mcs clh qspinlock chan"},
		{"sync.*", "sync.Mutex sync.RWMutex"},
		{"none busted tas", "tas none busted"},
		{"*u*", "sync.Mutex sync.RWMutex xsync.RBMutex"}, // no wildcard stands for busted
	} {
		entries, err := catalog.Match(strings.Fields(test.patterns)...)
		var got []string
		for _, e := range entries {
			got = append(got, e.Name)
		}
		if got := strings.Join(got, " "); got != test.want || err != nil {
			t.Errorf("Match(%s) = %s, %v, want %s", test.patterns, got, err, test.want)
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
		{"mutex", []string{`"mutex", did you mean "sync.Mutex" or "sync.RWMutex" or "xsync.RBMutex"?`}},
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
	version := regexp.MustCompile(`\S+/\S+ v[0-9.]+`)
	found := 0
	for _, e := range catalog.All() {
		for _, v := range version.FindAllString(e.Source, -1) {
			found++
			if !strings.Contains(string(mod), v) {
				t.Errorf("%s: from %s, which is not in go.mod", e.Name, v)
			}
		}
	}
	if found != 2 {
		t.Errorf("%d modules named, want 2", found)
	}
}
