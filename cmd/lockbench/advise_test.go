package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

// times are the ns/op of some locks in one cell.
type lockTimes map[string]float64

// writeTimes writes a results file of a machine: six rounds of cells, given as the part of
// a benchmark's name behind the lock, at a distance.
func writeTimes(t *testing.T, name, machine, distance string, cells map[string]lockTimes) {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "goos: linux\ngoarch: amd64\ncpu: test\nmachine: %s\ndistance: %s\n", machine, distance)
	for round := 1; round <= 6; round++ {
		fmt.Fprintf(&b, "# round: %d\n", round)
		for cell, locks := range cells {
			for lock, ns := range locks {
				fmt.Fprintf(&b, "BenchmarkLock/lock=%s/%s 1000 %g ns/op 0.99 jain\n", lock, cell, ns+float64(round)/100)
			}
		}
	}
	if err := os.WriteFile(name, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Advise says which lock, from which cells, what is next, when that changes, and how the
// lock is used. If nothing near was measured it says what to measure.
func TestAdvise(t *testing.T) {
	t.Chdir(t.TempDir())
	const writes, reads = "reads=0/workers=2/hold=0s/think=100ns-2", "reads=90/workers=2/hold=0s/think=100ns-2"
	near := map[string]lockTimes{
		writes: {"ticket": 60, "sync.Mutex": 100, "sync.RWMutex": 120, "none": 5, "mypkg.Mine": 90},
		reads:  {"ticket": 60, "sync.Mutex": 100, "sync.RWMutex": 20, "none": 5, "mypkg.Mine": 90},
	}
	writeTimes(t, "near.txt", "host", "near", near)
	writeTimes(t, "far.txt", "host", "far", map[string]lockTimes{writes: {"ticket": 300, "sync.Mutex": 150}})
	writeTimes(t, "sim.txt", "sim:big", "far", map[string]lockTimes{"reads=0/workers=64/hold=0s/think=100ns-64": {"mcs": 60, "sync.Mutex": 150, "rcu-qsbr": 70}})
	writeTimes(t, "sim2.txt", "sim:small", "far", map[string]lockTimes{writes: {"mcs": 60, "sync.Mutex": 150}})
	writeTimes(t, "sparse.txt", "host", "near", map[string]lockTimes{writes: {"ticket": 60, "sync.Mutex": 61}, reads: {"ticket": 60, "mcs": 90}})
	writeTimes(t, "unknown.txt", "host", "", map[string]lockTimes{writes: {"ticket": 60, "sync.Mutex": 61}})
	writeTimes(t, "sim3.txt", "sim:small", "far", map[string]lockTimes{writes: {"mcs": 60, "sync.Mutex-model": 61}})
	writeTimes(t, "one.txt", "host", "near", map[string]lockTimes{writes: {"ticket": 60}})
	writeTimes(t, "two.txt", "host", "near", map[string]lockTimes{writes: {"ticket": 60, "mcs": 90}})
	writeTimes(t, "alone.txt", "host", "near", map[string]lockTimes{writes: {"sync.Mutex": 60}})
	slow := lockTimes{"sync.Mutex": 100, "ticket": 60}
	writeTimes(t, "log.txt", "host", "near", map[string]lockTimes{strings.Replace(writes, "-2", "/workload=log-2", 1): slow})
	writeTimes(t, "log2.txt", "host", "near", map[string]lockTimes{strings.Replace(writes, "-2", "/workload=lru-2", 1): slow})
	writeTimes(t, "pinned.txt", "host", "near", map[string]lockTimes{strings.Replace(writes, "-2", "/mode=pinned-2", 1): slow})
	writeTimes(t, "thread.txt", "host", "near", map[string]lockTimes{strings.Replace(writes, "-2", "/mode=thread-2", 1): slow})
	for name, lock := range map[string]string{"a.txt": "ticket", "b.txt": "sync.Mutex"} { // a machine that gets slower
		var b strings.Builder
		for round := range 12 {
			ns := map[string]float64{"ticket": 50, "sync.Mutex": 60}[lock] * (1 + float64(round)/4)
			fmt.Fprintf(&b, "machine: host\ndistance: near\n# round: %d\nBenchmarkLock/lock=%s/%s 1000 %g ns/op\n", round+1, lock, writes, ns)
		}
		if err := os.WriteFile(name, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var tails strings.Builder
	tails.WriteString("machine: host\ndistance: near\n")
	for round := range 6 {
		fmt.Fprintf(&tails, "# round: %d\n", round+1)
		for lock, ns := range map[string][3]int{"ticket": {60, 9000, 120}, "sync.Mutex": {100, 1000, 240}} {
			fmt.Fprintf(&tails, "BenchmarkLock/lock=%s/%s 1000 %d ns/op %d write-p99-ns %d cpu-ns/op\n", lock, writes, ns[0], ns[1], ns[2])
		}
	}
	if err := os.WriteFile("tails.txt", []byte(tails.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		command string
		code    int
		stdout  string // parts, one per line, in this order
		stderr  string
	}{
		{"near.txt", 0, "2 CPUs, 2 goroutines, 0% reads, hold 0s, think 100ns\nmeasured: host, test\nnear: take ticket: sync.Mutex takes ×1.67 [1.67, 1.67] of its time\n" +
			"=  ticket         60.0\n   mypkg.Mine     90.0\n   sync.Mutex\n   sync.RWMutex\nrunner-up: mypkg.Mine, ×1.50 [\nanother lock wins at 90% reads: sync.RWMutex, ×0.33 [0.33, 0.33]\n" +
			"ticket is ticket.Lock:\nimport \"github.com/lockbench/lockbench/ticket\"\nmu ticket.Lock\nc.mu.Lock()", ""},
		{"near.txt far.txt", 0, "near: take ticket\nfar: take sync.Mutex: none is faster\nticket is ticket.Lock\nsync.Mutex is sync.Mutex:", ""},
		{"--reads 45 near.txt", 0, "take sync.RWMutex: no difference beyond noise and 5%\ninterpolated, so less certain than it looks, from 2 cells around it: reads 0%,\n90%", ""},
		{"--reads 90 --think 100ns near.txt", 0, "take sync.RWMutex: none is faster\nanother lock wins at 0% reads: ticket, ×0.50\nc.mu.RLock()", ""},
		{"--fair near.txt", 0, "0% reads, hold 0s, think 100ns, fair\ntake ticket: the only one that suits\nleft out: mypkg.Mine (not known to serve in order); sync.Mutex, sync.RWMutex", ""},
		{"--may-block near.txt", 0, "sections may block\ntake sync.Mutex: none is faster\nanother lock wins at 90% reads: sync.RWMutex, ×0.20\nticket (its waiters spin", ""},
		{"--margin 0.9 near.txt", 0, "take sync.Mutex: no difference beyond noise and 90%", ""},
		{"near.txt sim.txt", 0, "measured: host", "lockbench: not used, of another machine: sim.txt (sim:big)\n"},
		{"--machine big near.txt sim.txt", 0, "64 CPUs, 64 goroutines\nsimulated, not measured: big\nfar: take mcs: sync.Mutex takes ×2.50", "lockbench: not used, of another machine: near.txt (host)\n"},
		{"sim.txt --cpus 64", 0, "simulated, not measured: big\nthe files have no other workload\nmcs is mcs.Lock:", ""},
		{"sim3.txt", 0, "take sync.Mutex-model: no difference beyond noise and 5%\nthe range if it has fewer than 6 samples\nsync.Mutex-model is sync.Mutex, of which a model was simulated:\nmu sync.Mutex\n", ""},
		{"--reads 90 sparse.txt", 0, "near: take ticket: the fastest of those that suit; sync.Mutex has too few\nsamples there to compare\nleft out: sync.Mutex (too few samples there)", ""},
		{"unknown.txt", 0, "distance of the CPUs unknown: take sync.Mutex: no difference", ""},
		{"--cpus 1 near.txt", exitCannotTell, "", "lockbench: no data near that: no samples around cpus 1: have 2; measure it: lockbench run --cpus 1 --reads 0 --hold 0s --think 100ns --extend --out near.txt\n"},
		{"--cpus 512 --workers 4 --hold 1us near.txt far.txt", exitCannotTell, "", "lockbench: no data near that: no samples around cpus 512: have 2; measure it on a machine with 512 CPUs: lockbench run --cpus 512 --reads 0 --workers 4 --hold 1us --think 100ns --out more.txt, or simulate one: locksim run --machine NAME --cpus 512 --reads 0 --workers 4 --hold 1us --think 100ns\n"},
		{"--cpus 1 sim.txt", exitCannotTell, "", "lockbench: no data near that: no samples around cpus 1: have 64; simulate it: locksim run --machine big --cpus 1 --reads 0 --hold 0s --think 100ns\n"},
		{"--workload log near.txt", exitCannotTell, "", "lockbench: no data near that: no samples of two locks in such cells (60 of another workload, work, mode, gc or place, with readers and writers apart, or with a load or a rate, were left out); measure it: lockbench run --cpus 2 --reads 0 --hold 0s --think 100ns --workload log --extend --out near.txt\n"},
		{"one.txt", 0, "take ticket: the only lock measured there, so nothing is compared\nsync.Mutex was not measured: lockbench run --locks sync.Mutex --cpus 2 --reads 0\n--hold 0s --think 100ns --extend --out one.txt\nthe files have no other workload", ""},
		{"two.txt", 0, "take ticket: the fastest of those measured\nsync.Mutex was not measured: lockbench run --locks sync.Mutex", ""},
		{"alone.txt", 0, "take sync.Mutex: the only lock measured there, so nothing is compared", ""},
		{"a.txt b.txt", 0, "near: take sync.Mutex: no difference beyond noise and 5%\n=  ticket", ""}, // not in one round
		{"near.txt ./near.txt", exitUsage, "", "lockbench: ./near.txt: is near.txt, and its samples would count twice\n"},
		{"log.txt", 0, "think 100ns, workload log\nnear: take ticket: sync.Mutex takes", ""},
		{"log.txt log2.txt", exitUsage, "", "lockbench: --workload: want a value: the files have log, lru\n"},
		{"pinned.txt", 0, "think 100ns, mode pinned\nnear: take ticket: sync.Mutex takes", ""},
		{"--think 1us pinned.txt", exitCannotTell, "", "lockbench: no data near that: no samples around think 1µs: have 100ns; measure it: lockbench run --cpus 2 --reads 0 --hold 0s --think 1us --mode pinned --extend --out pinned.txt\n"},
		{"pinned.txt thread.txt", exitUsage, "", "lockbench: mode: the files have pinned, thread: want files of one\n"},
		{"--for latency tails.txt", 0, "0% reads, hold 0s, think 100ns, for latency\ntake sync.Mutex: none is faster\n   LOCK        WRITE P99 NS\n=  sync.Mutex          1000\nWRITE P99 NS: 99th percentile of the wait", ""},
		{"--for cpu tails.txt", 0, "for cpu\ntake ticket: sync.Mutex takes ×2.00\n   LOCK        CPU NS/OP", ""},
		{"--for latency near.txt", exitCannotTell, "", "lockbench: no data near that: no samples of two locks in such cells (60 without write-p99-ns were left out); measure it: lockbench run --cpus 2 --reads 0 --hold 0s --think 100ns --latency --extend --out near.txt\n"},
		{"--max-bytes 4 near.txt", exitCannotTell, "", "lockbench: no data near that: no lock suits: mypkg.Mine (its size is not known), sync.Mutex (takes 8 bytes), sync.RWMutex (takes 24 bytes), ticket (takes 8 bytes)\n"},
		{"--max-bytes 8 near.txt", 0, "at most 8 bytes\ntake ticket\nleft out: mypkg.Mine (its size is not known); sync.RWMutex (takes 24 bytes)", ""},
		{"--max-bytes 0 near.txt", exitUsage, "", "lockbench: --max-bytes 0: must be at least 1\n"},
		{"sim.txt sim2.txt", exitUsage, "", "lockbench: --machine: want one of sim:big, sim:small\n"},
	} {
		var out, errs bytes.Buffer
		code := run(append([]string{"advise"}, strings.Fields(test.command)...), &out, &errs)
		if code != test.code || errs.String() != test.stderr {
			t.Errorf("$ lockbench advise %s\nexit status %d, stderr %q; want %d, %q", test.command, code, &errs, test.code, test.stderr)
		}
		rest := out.String()
		for part := range strings.SplitSeq(test.stdout, "\n") {
			_, after, ok := strings.Cut(rest, part)
			if !ok {
				t.Errorf("$ lockbench advise %s\nwant %q, in this order, in\n%s", test.command, part, &out)
				break
			}
			rest = after
		}
		if code != exitOK && out.Len() > 0 {
			t.Errorf("$ lockbench advise %s\nstdout %q, want none", test.command, &out)
		}
		for line := range strings.Lines(out.String()) {
			if n := utf8.RuneCountInString(line) - 1; n > 80 {
				t.Errorf("$ lockbench advise %s\n%d characters, want at most 80: %s", test.command, n, line)
			}
		}
	}
}

// The JSON has the numbers of the text, and null for what is not known.
func TestAdviseJSON(t *testing.T) {
	t.Chdir(t.TempDir())
	writeTimes(t, "near.txt", "host", "near", map[string]lockTimes{
		"reads=0/workers=2/hold=0s/think=100ns-2":  {"rcu-qsbr": 50, "sync.Mutex": 100, "none": 5, "mine": 90},
		"reads=90/workers=2/hold=0s/think=100ns-2": {"rcu-qsbr": 50, "sync.Mutex": 10},
	})
	var out, errs bytes.Buffer
	if code := run([]string{"advise", "--json", "near.txt"}, &out, &errs); code != exitOK {
		t.Fatalf("exit status %d: %s", code, &errs)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	answers := got["answers"].([]any)
	a := answers[0].(map[string]any)
	ranked, flips := a["ranked"].([]any), a["flips"].([]any)
	first, last, flip := ranked[0].(map[string]any), ranked[2].(map[string]any), flips[0].(map[string]any)
	for _, test := range []struct{ got, want any }{
		{got["schema"], 1.0}, {got["machine"], "host"}, {got["margin"], 0.05}, {len(answers), 1}, {len(ranked), 3},
		{a["distance"], "near"}, {a["take"], "rcu-qsbr"}, {a["type"], "rcu.QSBR"}, {a["surely"], true},
		{fmt.Sprintf("%.1f", first["ns_per_op"]), "50.0"}, {first["jain"], 0.99}, {first["cpu_ns_per_op"], nil}, {last["lock"], "sync.Mutex"}, {last["tied"], false},
		{flip["lock"], "sync.Mutex"}, {flip["axis"], "reads"},
	} {
		if test.got != test.want {
			t.Errorf("got %v, want %v in\n%s", test.got, test.want, &out)
		}
	}
}

// A flag that is not given has the usual value, the only one, or must be given.
func TestAdviseDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	both := lockTimes{"ticket": 60, "sync.Mutex": 100}
	writeTimes(t, "one.txt", "host", "near", map[string]lockTimes{"reads=50/workers=8/hold=1µs/think=0s-4": both})
	writeTimes(t, "two.txt", "host", "near", map[string]lockTimes{"reads=50/workers=8/hold=1µs/think=0s-4": both, "reads=60/workers=8/hold=2µs/think=100ns-2": both})
	var out, errs bytes.Buffer
	if code := run([]string{"advise", "one.txt"}, &out, &errs); code != exitOK || !strings.HasPrefix(out.String(), "4 CPUs, 8 goroutines, 50% reads, hold 1µs, think 0s\n") {
		t.Errorf("exit status %d: %s%s", code, &out, &errs)
	}
	out.Reset()
	errs.Reset()
	want := "lockbench: --workers: want a value: the files have 2, 4\nlockbench: --reads: want a value: the files have 50, 60\nlockbench: --hold: want a value: the files have 1µs, 2µs\n"
	if code := run([]string{"advise", "two.txt"}, &out, &errs); code != exitUsage || errs.String() != want {
		t.Errorf("exit status %d, stderr %q; want 2, %q", code, &errs, want)
	}
}
