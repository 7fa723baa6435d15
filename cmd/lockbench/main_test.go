package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
)

// lockbench runs the command in a directory with a few files:
//
//	good.txt   results      torn.txt   the same, cut off in a line
//	notes.txt  no results   plain.txt  a file where a directory should be
//	dir        a directory  other.txt  results of another machine
//	shapes.toml  a gate's config with a shape; plain.toml and margin.toml others
func lockbench(t *testing.T, command string) (code int, stdout, stderr string) {
	t.Helper()
	t.Chdir(t.TempDir())
	const line = "BenchmarkLock/lock=ticket/reads=0/workers=1/hold=0s/think=100ns-1\t5000000\t61 ns/op\n"
	const good = "goos: " + runtime.GOOS + "\ngoarch: " + runtime.GOARCH + "\ncpu: test\nmachine: host\n" + line + line
	for name, text := range map[string]string{
		"good.txt":    good,
		"torn.txt":    good[:len(good)-20],
		"other.txt":   strings.Replace(good, "cpu: test", "cpu: other", 1),
		"notes.txt":   "milk\neggs\n",
		"wrong.txt":   good + strings.Replace(line, "reads=0", "reads=zero", 1),
		"plain.txt":   "",
		"shapes.toml": "[[shape]]\nkind = 'floor'\nlock = 'ticket'\nunit = 'jain'\nmin = 0.9\n",
		"plain.toml":  "margin = '3%'\n",
		"margin.toml": "[[shape]]\nkind = 'scaling'\nlock = 'ticket'\nmargin = '3%'\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("dir", 0o777); err != nil {
		t.Fatal(err)
	}
	before := tree(t)
	var out, errs bytes.Buffer
	code = run(strings.Fields(command), &out, &errs)
	if after := tree(t); code == exitUsage && before != after {
		t.Errorf("$ lockbench %s\nleft files behind:\n%s\nwant:\n%s", command, after, before)
	}
	return code, out.String(), errs.String()
}

// tree lists all files here with their sizes.
func tree(t *testing.T) string {
	var b strings.Builder
	err := filepath.Walk(".", func(path string, info os.FileInfo, err error) error {
		if err == nil && !info.IsDir() {
			b.WriteString(path + " " + info.ModTime().String() + "\n")
		} else {
			b.WriteString(path + "\n")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Each of these makes no sense. The command says so, on stderr, with what was wanted,
// and leaves no files behind.
func TestBadInput(t *testing.T) {
	for _, test := range []struct {
		command string
		want    string // lines, each a part of a line of the command's
	}{
		{"", "expected one of"},
		{"frobnicate", `unexpected argument frobnicate`},
		{"run --frobnicate", "unknown flag --frobnicate"},
		{"run extra", "unexpected argument extra"},
		{"list tikcet", `unknown lock "tikcet", did you mean "ticket"? (known: tas, `},
		{"decode", `expected "<kind> <word> ..."`},
		{"decode qspinlock", `expected "<word> ..."`},
		{"decode spinlock 1", `unknown kind "spinlock" (known: mutex, qspinlock, rwlock, rwsem, semaphore)`},
		{"decode qspinlock 00100101 0x", "word 00100101: want 0x00100101 if that is hexadecimal\nword 0x: want 32 bits"},
		{"decode qspinlock 0x100000000", "word 0x100000000: want 32 bits"},
		{"decode rwsem 0x10000000000000000", "word 0x10000000000000000: want 64 bits"},
		{"decode qspinlock --", `expected "<word> ..."`},
		{"run --locks tikcet", `unknown lock "tikcet", did you mean "ticket"? (known: tas, `},
		{"run --locks ./dir.Lock,tikcet", `lock "./dir.Lock": dir is in no Go module: want a go.mod there, or above` + "\n" + `unknown lock "tikcet"`},
		{"init dir", "init dir: dir is in no Go module: want a go.mod there, or above"},
		{"init none dir", "unexpected argument dir"},
		{"init none", "init none: no directory none"},
		{"torture --locks tas,example.com/mod/pkg.Lock", `lock "example.com/mod/pkg.Lock": . is in no Go module`},
		{"run --locks tas,!tas", `no lock left of "tas,!tas"`},
		{"run --cpus 0", "--cpus 0: must be at least 1"},
		{"run --cpus -1", "--cpus"},
		{"run --cpus 2000", "--cpus 2000: must be at most 1024"},
		{"run --cpus 1,two", `--cpus 1,two: want whole numbers such as 1,2, have "two"`},
		{"run --cpus 99999999999999999999", `want whole numbers such as 1,2, have "99999999999999999999"`},
		{"run --reads 101", "--reads 101: must be at most 100"},
		{"run --reads 50,,90", `--reads 50,,90: want whole numbers such as 1,2, have ""`},
		{"run --workers 0", "--workers 0: must be at least 1"},
		{"run --trace x.trace --forks 2 --counters --cpus 1", "--trace --forks: want one of them\n--trace --counters: want one of them"},
		{"run --trace x.trace --rate 100000 --cpus 1", "--trace: want a closed loop, have load 100k-per-s"},
		{"run --trace results.txt --cpus 1", "--trace results.txt: is the file for the results"},
		{"run --trace . --cpus 1", "--trace .: is a directory"},
		{"export x.txt --burst 2 --dark --to 1us", "--burst 2: want --perfetto with it\n--to 1us: want --perfetto with it\n--dark: want --perfetto with it\nx.txt: "},
		{"export x.trace --perfetto --from 1us", "--from 1us: want --perfetto --out NAME.svg with it"},
		{"export x.trace --perfetto --format json", "--format json: want it without --perfetto"},
		{"export x.trace --perfetto --out x.svg --burst 0 --from 2us --to 1us", "--burst 0: must be at least 1\n--to 1us: want more than --from"},
		{"export x.trace --perfetto", "open x.trace: no such file or directory (lockbench run --trace FILE writes such files)"},
		{"run --readers 7 --reads 90", "--readers and --writers: want no --workers and no --reads beside them\n--readers and --writers: want both, such as --readers 7 --writers 1"},
		{"run --readers 0,1 --writers 0", "readers 0 and writers 0: want at least one worker"},
		{"run --readers 1,x --writers 1", `--readers 1,x: want whole numbers such as 1,2, have "x"`},
		{"run --readers 150000 --writers 150000 --cpus 1", "--readers and --writers: 300000 workers at a time, must be at most 200000"},
		{"run --hold 100", `--hold 100: want durations such as 0s,100ns, have "100"`},
		{"run --hold=-1ns", "--hold -1ns: must be at least 0s"},
		{"run --think 1h", "--think 1h: must be at most 1s"},
		{"run --duration 1ns", "--duration 1ns: must be at least 10µs"},
		{"run --duration 3ms,4ms", "--duration 3ms,4ms: want one value"},
		{"run --count 0", "--count 0: must be at least 1"},
		{"run --load 0.5,1,2,-1", "load 1: must be below 1: \nload 2: must be below 1: \nload -1: must be above 0"},
		{"run --load NaN", "load NaN: must be above 0 and below 1"},
		{"run --load half,0", "--load half,0: want shares above 0 and below 1 such as 0.5,0.95, have \"half\"\n--load half,0: want shares above 0 and below 1 such as 0.5,0.95, have \"0\""},
		{"run --load 0.5 --rate 1M", "--load --rate: want one of them"},
		{"run --rate 1G,NaN,Inf", "--rate 1G,NaN,Inf: want operations in a second such as 50k,1M, have \"1G\"\nrate NaN: must be above 0\nrate +Inf: must be above 0 and at most 1e+09 a second"},
		{"run --rate 1k", "rate 1000: fewer than 100 arrivals in a window of 20ms: want more, or a longer window"},
		{"run --seed x", `--seed x: want a whole number, have "x"`},
		{"run --workload lgo,log,", `--workload: unknown workload "lgo" (known: bare, counter, log, clock, config, ` + "\n" + `--workload: unknown workload "" (known: `},
		{"run --workload bare,pool --locks semaphore,ticket,sync.Mutex", `lock "ticket": cannot count, want a semaphore for workload pool` + "\n" + `lock "sync.Mutex": cannot count`},
		{"run --workload pool --mode pinned", `workload pool: cannot run pinned`},
		{"run --locks sync.Map", `lock "sync.Map": is a map and no lock, want a lock for workload bare`},
		{"run --workload map1000 --locks seqlock,sync.Map,rcu-domain", `lock "seqlock": its readers look at what is half written, want another lock for workload map1000`},
		{"list --workloads tas", "list --workloads tas: want no locks"},
		{"run --work regsiters,memory-l1", `--work: unknown work "regsiters" (known: registers, memory-l1, memory-l2, serialized)`},
		{"run --mode fast", `--mode: unknown mode "fast" (known: goroutine, thread, pinned)`},
		{"run --mode pinned --locks sync.Mutex,tas,chan", `lock "sync.Mutex": cannot be held pinned` + "\n" + `lock "chan": cannot be held pinned`},
		{"run --forks 1", "--forks 1: must be at least 2"},
		{"run --forks 2,3", "--forks 2,3: want one value"},
		{"run --place near,wrong.txt --mode thread", "--place: want compact, scatter, smt, numa or a file of CPU numbers: open near: no such file or directory\n" +
			`--place: wrong.txt: want CPU numbers such as 0,2 or 0-3, have "goos:"`},
		{"run --place compact --mode goroutine,pinned --locks tas", "place compact: is for threads, want mode thread"},
		{"run --gc on,0,10", `--gc: want off, or a percentage from 1 to 10000, have "on"` + "\n" + `--gc: want off, or a percentage from 1 to 10000, have "0"`},
		{"run --gc 10 --locks tas,tas-pinned", `lock "tas-pinned": is pinned, where the collector is off, want gc off or the default and not 10`},
		{"run --out good.txt", "--out good.txt: exists: want --resume to add what is missing, --extend to add to it with other flags, --force to replace it, or another name"},
		{"run --out=", "--out: is empty: want FILE, or no --out at all"},
		{"run --locks= --cpus= --quick", "--locks: is empty\n--cpus: is empty"},
		{"plot good.txt --plots=", "--plots: is empty: want DIR"},
		{"run --out dir", "--out dir: is a directory"},
		{"run --out plain.txt/results.txt", "--out: stat plain.txt/results.txt: not a directory"},
		{"run --plots plain.txt", "--plots: plain.txt is no directory"},
		{"run --resume --force", "--resume --extend --force: want one of them"},
		{"run --out notes.txt --resume --plots=", "notes.txt:"},
		{"run --out wrong.txt --resume --plots=", "wrong.txt:7: "},
		{"run --out other.txt --resume --plots=", `other.txt: results are of cpu "other"`},
		{"plot", `expected "<file> ..."`},
		{"plot none.txt", "none.txt: no such file or directory (lockbench run writes such files)"},
		{"plot torn.txt", "torn.txt:6: last line is cut off"},
		{"plot notes.txt", "notes.txt:2: not a results file"},
		{"plot wrong.txt", `wrong.txt:7: benchmark`},
		{"plot plain.txt", "plain.txt:1: empty file"},
		{"plot good.txt other.txt", `other.txt: want results of one machine, have cpu "other" here and "test" in good.txt`},
		{"plot --format gif good.txt", `--format gif: want svg, png or svg,png, have "gif"`},
		{"run --format png,gif", `--format png,gif: want svg, png, csv or json, have "gif"`},
		{"run --format csv,json --table", "--format csv,json: want csv or json, not both\n--table --format csv,json: want one of them"},
		{"report", `expected "<file> ..."`},
		{"report none.txt torn.txt", "none.txt: no such file or directory (lockbench run writes such files)\ntorn.txt:6: last line is cut off"},
		{"report --out plain.txt good.txt", "--out plain.txt: exists, and is no report: want --force to replace it, or another name"},
		{"report --out dir good.txt", "--out: "},
		{"report --out plain.txt/r.html good.txt", "--out: "},
		{"report --force --out ./good.txt good.txt", "--out ./good.txt: is one of the files, which a report would replace: want another name"},
		{"report good.txt good.txt", "good.txt: given twice, and its samples would count twice"},
		{"plot good.txt ./good.txt", "./good.txt: given twice, and its samples would count twice"},
		{"claims fair unfair --out x.html --locksim ./none", `unknown claim "fair" (known: bytes, ` + "\n--locksim: \n--out x.html: want a name that ends in .md"},
		{"merge", `expected "<file> ..."`},
		{"merge none.txt torn.txt", "none.txt: no such file\ntorn.txt:6: last line is cut off"},
		{"merge good.txt", "good.txt: is no shard of a sweep: want a file that was begun with --shard"},
		{"export", `expected "<file>"`},
		{"export torn.txt --format xml --out good.txt", "--format xml: want csv or json\n--out good.txt: exists: want --force\ntorn.txt:6: last line is cut off"},
		{"export notes.txt", "notes.txt:2: not a results file"},
		{"export none.txt", "none.txt: no such file or directory (lockbench run writes such files)"},
		{"export good.txt --out dir --force", "dir"},
		{"plot --plots plain.txt/x good.txt", "--plots: "},
		{"advise", `expected "<file> ..."`},
		{"advise none.txt", "none.txt: no such file or directory (lockbench run writes such files)"},
		{"advise good.txt torn.txt", "torn.txt:6: last line is cut off"},
		{"advise plain.txt", "plain.txt:1: empty file"},
		{"advise good.txt other.txt", `other.txt: want results of one machine, have cpu "other" here and "test" in good.txt`},
		{"advise good.txt good.txt --cpus 1", "good.txt: given twice, and its samples would count twice"},
		{"advise good.txt --machine mars", "--machine mars: no file is of it (have host)"},
		{"advise good.txt --reads 1,2 --hold 5", "--reads 1,2: want one value\n" + `--hold 5: want durations such as 0s,100ns, have "5"`},
		{"advise none.txt --cpus 0 --workers x --reads 101 --hold=-1ns --think 1h --workload lgo --margin 200%", "--margin 200%: want a share from 0 to 1\n" +
			`--workload: unknown workload "lgo" (known: bare, counter, ` + "\n--cpus 0: must be at least 1\n--workers x: want whole numbers\n--reads 101: must be at most 100\n" +
			"--hold -1ns: must be at least 0s\n--think 1h: must be at most 1s\nnone.txt: no such file"},
		{"doctor x", "unexpected argument x"},
		{"doctor --json=x", "--json"},
		{"torture --locks tikcet", `unknown lock "tikcet", did you mean "ticket"? (known: tas, `},
		{"torture --locks rcu-qbsr", `unknown lock "rcu-qbsr", did you mean "rcu-qsbr"? (known: tas, `},
		{"torture --locks qsbr", `unknown lock "qsbr", did you mean "rcu-qsbr"? (known: tas, `},
		{"torture --locks none,tas", `--locks: lock "none": does not claim to exclude, want one that does`},
		{"torture --locks !*", `no lock left of "!*"`},
		{"torture --locks tikcet --seed 085657792", `unknown lock "tikcet"`}, // a decimal number with a leading zero

		// All errors at once.
		{"torture --locks tikcet --duration 0 --seed x", "unknown lock \"tikcet\"\n--duration 0: must be at least 1ms\n" + `--seed x: want a whole number, have "x"`},
		{"run --locks tikcet --cpus 0 --reads 101,x --hold y --mode z --out dir --plots plain.txt", "--reads 101: \n" +
			"--reads 101,x: \n--hold y: \n--cpus 0: \n--mode: \nunknown lock \"tikcet\"\n--plots: \n--out dir: "},
		{"run --cpus 0 --out notes.txt --resume", "--cpus 0: \nnotes.txt:2: "},
		{"plot torn.txt notes.txt --format gif --plots plain.txt", "torn.txt:6: \nnotes.txt:2: \n--format gif: \n--plots: "},
	} {
		code, stdout, stderr := lockbench(t, test.command)
		if code != exitUsage || stdout != "" {
			t.Errorf("$ lockbench %s\nexit status %d, want %d; stdout %q, want none; stderr:\n%s", test.command, code, exitUsage, stdout, stderr)
		}
		lines := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n")
		wants := strings.Split(test.want, "\n")
		for i, want := range wants {
			if i >= len(lines) || !strings.HasPrefix(lines[i], "lockbench: ") || !strings.Contains(lines[i], want) {
				t.Errorf("$ lockbench %s\ngot:\n%s\nwant:\n%s", test.command, stderr, test.want)
				break
			}
		}
		if len(lines) != len(wants) {
			t.Errorf("$ lockbench %s\n%d lines, want %d:\n%s", test.command, len(lines), len(wants), stderr)
		}
	}
}

func TestHelp(t *testing.T) {
	for _, test := range []struct{ command, want string }{
		{"--help", "Usage: lockbench <command>"},
		{"run --help", "Usage: lockbench run [flags]"},
		{"run -h --cpus 0", "--resume"},
		{"torture --help", "rcu-domain"},
		{"help", "\nChoose a lock:\n  run       Measure locks"}, // what a user does first is first
	} {
		code, stdout, stderr := lockbench(t, test.command)
		if code != exitOK || !strings.Contains(stdout, test.want) || stderr != "" {
			t.Errorf("$ lockbench %s\nexit status %d, stderr %q, want %q in stdout:\n%s", test.command, code, stderr, test.want, stdout)
		}
	}

	// Each command is under a heading, and no line is longer than 80 columns.
	all := program.Model().Leaves(true)
	for _, command := range all {
		_, stdout, _ := lockbench(t, "help "+command.Name)
		for line := range strings.Lines(stdout) {
			// An example is for a shell to read.
			if utf8.RuneCountInString(line) > 81 && !strings.HasPrefix(line, "    lockbench ") {
				t.Errorf("$ lockbench help %s\n%swant 80 columns at most", command.Name, line)
			}
		}
		if command.ClosestGroup() == nil {
			t.Errorf("lockbench help has %s under no heading: want a tag group", command.Name)
		}
	}
}

func TestList(t *testing.T) {
	_, text, _ := lockbench(t, "list")
	code, stdout, _ := lockbench(t, "list --json")
	var locks []listed
	if err := json.Unmarshal([]byte(stdout), &locks); err != nil || code != exitOK {
		t.Fatalf("list --json: exit status %d, %v", code, err)
	}
	if got, want := len(locks), len(catalog.All()); got != want {
		t.Errorf("list --json: %d locks, want %d", got, want)
	}
	for _, l := range locks {
		if !strings.Contains(text, "\n"+l.Name+" ") {
			t.Errorf("list: no %s in\n%s", l.Name, text)
		}
	}
}

func TestListWorkloads(t *testing.T) {
	_, text, _ := lockbench(t, "list --workloads")
	code, stdout, _ := lockbench(t, "list --workloads --json")
	var all []listedWorkload
	if err := json.Unmarshal([]byte(stdout), &all); err != nil || code != exitOK {
		t.Fatalf("list --workloads --json: exit status %d, %v", code, err)
	}
	if got, want := len(all), 1+len(harness.Workloads()); got != want {
		t.Errorf("list --workloads --json: %d, want %d", got, want)
	}
	for _, w := range all {
		if !strings.Contains(text, "\n"+w.Name+" ") || !strings.Contains(text, w.About) {
			t.Errorf("list --workloads: no %s in\n%s", w.Name, text)
		}
	}
}

// The index has a path and a title for each figure; each file is there.
func TestPlot(t *testing.T) {
	for _, formats := range []string{"svg", "png", "svg,png"} {
		code, stdout, stderr := lockbench(t, "plot good.txt --plots new/pictures --format "+formats)
		if code != exitOK {
			t.Errorf("--format %s: exit status %d, want 0: %s", formats, code, stderr)
		}
		first, _, _ := strings.Cut(formats, ",")
		want := "new/pictures/throughput_reads=0_workers=1-per-cpu_hold=0s_think=100ns." + first +
			"\n\tWhat happens with more CPUs?\n\tticket reaches 16.4 Mops/s at 1 CPU\n" +
			"new/pictures/index.html\n\tall pictures on one page\nnew/pictures/table.txt\n\tevery cell\n"
		if filepath.ToSlash(stdout) != want {
			t.Errorf("--format %s: index\n%swant\n%s", formats, stdout, want)
		}
		files, err := os.ReadDir("new/pictures")
		if err != nil {
			t.Fatal(err)
		}
		for name, mark := range map[string]string{"index.html": "ticket reaches", "table.txt": "ns/op"} {
			if text, err := os.ReadFile(filepath.Join("new/pictures", name)); err != nil || !bytes.Contains(text, []byte(mark)) {
				t.Errorf("--format %s: %s: %v, want %q in\n%s", formats, name, err, mark, text)
			}
		}
		files = slices.DeleteFunc(files, func(f os.DirEntry) bool { return f.Name() == "index.html" || f.Name() == "table.txt" })
		for i, format := range slices.Sorted(strings.SplitSeq(formats, ",")) {
			text, err := os.ReadFile(filepath.Join("new/pictures", files[i].Name()))
			mark := map[string]string{"svg": "</svg>", "png": "\x89PNG"}[format]
			if err != nil || !strings.HasSuffix(files[i].Name(), "."+format) || !bytes.Contains(text, []byte(mark)) {
				t.Errorf("--format %s: %s is no %s: %v", formats, files[i].Name(), format, err)
			}
		}
	}
}

func TestPlotAll(t *testing.T) {
	t.Chdir(t.TempDir())
	var text strings.Builder
	for _, reads := range []string{"0", "50", "100"} {
		fmt.Fprintf(&text, "BenchmarkLock/lock=ticket/reads=%s/workers=1/hold=0s/think=100ns-1\t5000000\t61 ns/op\n", reads)
	}
	if err := os.WriteFile("reads.txt", []byte(text.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		flags string
		want  bool
	}{{"", false}, {" --all", true}} {
		var out, errs bytes.Buffer
		code := run(strings.Fields("plot reads.txt --format svg"+test.flags), &out, &errs)
		if got := strings.Contains(out.String(), "throughput_reads=50_"); code != exitOK || got != test.want {
			t.Errorf("plot%s: a figure at 50 %% reads: %t, want %t\n%s%s", test.flags, got, test.want, &out, &errs)
		}
		if got := strings.Contains(errs.String(), "--all"); got == test.want {
			t.Errorf("plot%s: says how to get all: %t, want %t\n%s", test.flags, got, !test.want, &errs)
		}
	}
}
