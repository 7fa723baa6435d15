//go:build virtual

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline/script"
)

func TestPackageComment(t *testing.T) { script.PackageComment(t, "locksim", 9, run) }

func locksim(command string) (code int, stdout, stderr string) {
	var out, errs bytes.Buffer
	code = run(strings.Fields(command), &out, &errs)
	return code, out.String(), errs.String()
}

// verdicts returns the output of check --json.
func verdicts(t *testing.T, flags string, want int) []verdict {
	t.Helper()
	code, stdout, stderr := locksim("check --json " + flags)
	if code != want {
		t.Fatalf("check %s: exit status %d, want %d: %s", flags, code, want, stderr)
	}
	var all []verdict
	if err := json.Unmarshal([]byte(stdout), &all); err != nil {
		t.Fatalf("check --json %s: %v in\n%s", flags, err, stdout)
	}
	return all
}

// Every lock that can be checked claims a property, and its claims hold for two
// workers.
func TestEveryLock(t *testing.T) {
	has := make(map[string]bool)
	for _, v := range verdicts(t, "--workers 2 --locks !none --budget 0s", exitOK) {
		has[v.Lock] = true
		want := holds
		if v.Cut || v.Long > 0 {
			want = bounded
		}
		if v.Verdict != want || v.Schedules == 0 || v.Early || v.Failure != nil {
			t.Errorf("%+v: want it to hold", v)
		}
	}
	for _, e := range catalog.Locks() {
		if want := !e.Peer && !e.Unlocked && e.Name != "busted"; has[e.Name] != want {
			t.Errorf("%s: checked: %t, want %t", e.Name, has[e.Name], want)
		}
	}
}

// Busted's claims are violated, in every mode, and the command in the output replays
// the same schedule with its token.
func TestBusted(t *testing.T) {
	for _, mode := range []string{"dpor", "bounded", "pct", "random"} {
		dir := filepath.Join(t.TempDir(), "figures")
		all := verdicts(t, "--locks busted --mode "+mode+" --plots "+dir, exitFailed)
		if len(all) != 4 {
			t.Errorf("--mode %s: %d properties, want exclusion, trylock, tries and fifo", mode, len(all))
		}
		for _, v := range all {
			if v.Verdict != violated || v.Failure == nil {
				t.Errorf("--mode %s: %+v, want a violation", mode, v)
				continue
			}
			if text, err := os.ReadFile(filepath.Join(dir, "busted_"+v.Property+".svg")); err != nil || !bytes.Contains(text, []byte("</svg>")) {
				t.Errorf("--mode %s: no figure: %v", mode, err)
			}
			code, first, _ := locksim("check --locks busted --mode " + mode + " --properties " + v.Property)
			again, second, _ := locksim(strings.TrimPrefix(v.Failure.Replay, "locksim "))
			if _, want, _ := strings.Cut(first, "\n\n"); code != exitFailed || again != exitFailed || !strings.HasSuffix(second, want) {
				t.Errorf("$ %s\n%s\nwant\n%s", v.Failure.Replay, second, want)
			}
		}
	}
}

// A search that leaves schedules out never says that a property holds.
func TestOnlyWholeSearchesHold(t *testing.T) {
	for _, test := range []struct {
		flags string
		code  int
		want  string
	}{
		{"--workers 2", exitOK, holds},
		{"--workers 2 --mode bounded", exitOK, notRefuted},
		{"--workers 2 --mode bounded --bound 1000", exitOK, notRefuted},
		{"--workers 2 --mode pct --schedules 10", exitOK, notRefuted},
		{"--workers 2 --mode random --schedules 10", exitOK, notRefuted},
		{"--workers 2 --replay bb", exitOK, notRefuted},
		{"--workers 3 --schedules 1", exitEarly, notRefuted},
		{"--workers 8 --budget 1ns", exitEarly, notRefuted},
		{"--workers 8 --budget 1ns --mode random", exitEarly, notRefuted},
	} {
		v := verdicts(t, "--locks ticket --properties tries "+test.flags, test.code)[0]
		if v.Verdict != test.want || v.Early != (test.code == exitEarly) {
			t.Errorf("%s: %s, early: %t; want %s, %t", test.flags, v.Verdict, v.Early, test.want, test.code == exitEarly)
		}
	}
}

// The search ends a wait that may end at any time, and then a property holds within
// that bound.
func TestBoundedWaits(t *testing.T) {
	for lock, want := range map[string]string{"ticket": holds, "mutex": bounded} {
		v := verdicts(t, "--workers 2 --properties exclusion --locks "+lock, exitOK)[0]
		if v.Verdict != want || v.Cut != (want == bounded) {
			t.Errorf("%s: %s, cut: %t; want %s", lock, v.Verdict, v.Cut, want)
		}
	}
}

// The parts of a check have each claim once.
func TestCheckShards(t *testing.T) {
	type claim struct{ lock, property string }
	seen := make(map[claim]int)
	for _, shard := range []string{"1/3", "2/3", "3/3"} {
		for _, v := range verdicts(t, "--workers 2 --locks tas,ticket --shard "+shard, exitOK) {
			seen[claim{v.Lock, v.Property}]++
		}
	}
	whole := verdicts(t, "--workers 2 --locks tas,ticket", exitOK)
	if len(seen) != len(whole) {
		t.Errorf("the parts have %d claims, want %d", len(seen), len(whole))
	}
	for c, n := range seen {
		if n != 1 {
			t.Errorf("%v is in %d parts", c, n)
		}
	}
}

// All errors are reported, each on its own line.
func TestBadInput(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "plain.txt")
	if err := os.WriteFile(plain, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ command, want string }{
		{"", `expected one of "check"`},
		{"check extra", "unexpected argument extra"},
		{"check --frobnicate", "unknown flag --frobnicate"},
		{"check --workers 10", "--workers 10: must be at most 9"},
		{"check --workers 1,2", "--workers 1,2: want one value"},
		{"check --ops 0", "--ops 0: must be at least 1"},
		{"check --mode fast", `--mode: unknown mode "fast" (known: dpor, bounded, pct, random)`},
		{"check --mode random --bound 1", "--bound 1: want --mode bounded or pct"},
		{"check --seed 1", "--seed 1: want --mode pct or random"},
		{"check --mode pct --seed x", `--seed x: want a whole number, have "x"`},
		{"check --schedules 0", "--schedules 0: must be at least 1"},
		{"check --budget 5", `--budget 5: want durations such as 0s,100ns, have "5"`},
		{"check --properties exclusion,lifo", `--properties: unknown property "lifo" (known: exclusion, `},
		{"check --locks tikcet", `unknown lock "tikcet", did you mean "ticket"?`},
		{"check --locks none,sync.Mutex", `lock "sync.Mutex": is not written against package primitives` + "\n" + `lock "none": claims nothing`},
		{"check --locks sync*", `no lock of "sync*" claims a property of "*"`},
		{"check --locks ticket --properties readers", `no lock of "ticket" claims a property of "readers"`},
		{"check --locks ticket --replay aa", "--replay: want one lock and one property, have 4 pairs"},
		{"check --locks ticket --properties tries --replay !", "--replay: check: replay token, character 1"},
		{"check --locks ticket --properties tries --replay bbbbbbbbbb", "--replay: check: replay token does not fit this program: decision"},
		{"check --locks ticket --shard 4/3", "--shard 4/3: want I/N, such as 1/3"},
		{"check --locks ticket --properties exclusion --shard 2/2", "--shard 2/2: has no claim: there is 1 in all"},
		{"check --plots " + plain, "--plots: " + plain + " is no directory"},
		{"check --svg " + plain, "--plots: " + plain + " is no directory"}, // its old name
		{"check --svg a --plots b", "--plots b --svg a: want --plots alone, of which --svg is the old name"},
		{"trace", "want --lock NAME\nwant --out NAME.json or --out NAME.svg"},
		{"trace extra", "unexpected argument extra"},
		{"trace --lock tikcet --out x.json", `unknown lock "tikcet", did you mean "ticket"`},
		{"trace --lock tick* --out x.json", "--lock tick*: want one lock, have 4 locks"},
		{"trace --lock chan --out x.json", `lock "chan": is not written against package primitives, and has no model that is`},
		{"trace --lock none --out x.json", `lock "none": excludes nothing`},
		{"trace --lock mcs --reads 50 --out x.json", `lock "mcs": does not distinguish readers; want no --reads`},
		{"trace --lock mcs --readers 1 --writers 1 --out x.json", `lock "mcs": does not distinguish readers; want no --reads`},
		{"trace --lock mcs --out x.txt", "--out x.txt: want a name that ends in .json or .svg"},
		{"trace --lock mcs --out x.json --dark", "--dark: want --out NAME.svg with it"},
		{"trace --lock mcs --out " + plain + "/x.svg", "--out: " + plain + " is no directory"},
		{"trace --lock mcs --out x.json --machine laptop", "machine laptop: there is neither a file of that name nor one of "},
		{"trace --lock mcs --out x.json --cpus 9 --machine skylake-client", "--cpus 9: must be at most 4"},
		{"trace --lock mcs --out x.svg --cpus 65", "--cpus 65: a picture has room for 64; want fewer, or a file NAME.json"},
		{"trace --lock mcs --out x.json --cpus 100 --ops 101", "10100 operations in all: at most 10000 fit a timeline; want fewer --cpus or --ops"},
		{"trace --lock rwsem --out x.json --readers 2", "--readers and --writers: want both"},
		{"trace --lock rwsem --out x.json --readers 0 --writers 0", "--readers 0 --writers 0: want a worker"},
		{"trace --lock rwsem --out x.json --readers 2 --writers 1 --reads 5 --workers 2", "--workers 2: want it without --readers\n--reads 5: want it without --readers"},
		{"trace --lock mcs --out x.json --from 2us --to 2us", "--to 2us: want more than --from"},
		{"trace --lock mcs --out x.json --from 9ms", "--from 9ms: all is over after "},
		{"trace --lock mcs --out x.json --ops 0 --hold 1s --think 1 --seed x --cpus 1,2",
			"--ops 0: must be at least 1\n--hold 1s: must be at most 10ms\n--think 1: want durations\n--seed x: want a whole number\n--cpus 1,2: want one value"},
		{"calibrate extra", "unexpected argument extra"},
		{"calibrate --budget 999ms", "--budget 999ms: must be at least 1s"},
		{"calibrate --budget 5", `--budget 5: want durations such as 0s,100ns, have "5"`},
		{"calibrate --distance nearby", "--distance nearby: want near or far"},
		{"calibrate --name a:b", "--name a:b: want a word"},
		{"calibrate --out " + plain, "--out " + plain + ": exists: want --force to replace it"},
		{"calibrate --out " + plain + "/x.toml", "--out: " + plain + " is no directory"},
		{"calibrate --out " + plain + " --budget 0s --distance x", "--budget 0s: \n--out \n--distance x: "},
		{"check --workers 0 --mode pct --bound x --locks tikcet", "--workers 0: \n--bound x: \nunknown lock"},
	} {
		code, stdout, stderr := locksim(test.command)
		if code != exitUsage || stdout != "" && !strings.Contains(test.command, "replay") {
			t.Errorf("$ locksim %s\nexit status %d, want %d; stdout %q, want none", test.command, code, exitUsage, stdout)
		}
		lines, wants := strings.Split(strings.TrimSuffix(stderr, "\n"), "\n"), strings.Split(test.want, "\n")
		for i, want := range wants {
			if len(lines) != len(wants) || !strings.HasPrefix(lines[i], "locksim: ") || !strings.Contains(lines[i], want) {
				t.Errorf("$ locksim %s\ngot:\n%s\nwant:\n%s", test.command, stderr, test.want)
				break
			}
		}
	}
}

// A search shows its progress once it takes long, and then less and less often.
func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := newProgress(&out, "ticket, exclusion")
		for n := range 12 {
			fmt.Fprintf(p, "check: %d schedules\n", n)
			time.Sleep(time.Second) // in the bubble's time
		}
		const want = "locksim: ticket, exclusion: 2 schedules\nlocksim: ticket, exclusion: 4 schedules\nlocksim: ticket, exclusion: 8 schedules\n"
		if got := out.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// If the output cannot be written, a violation is still reported by the exit code, and
// a search without one is an error.
func TestFullStdout(t *testing.T) {
	for _, test := range []struct {
		flags string
		code  int
	}{
		{"--locks ticket --workers 2", exitUsage},
		{"--locks ticket --workers 2 --json", exitUsage},
		{"--locks busted --workers 2", exitFailed},
		{"--locks busted --workers 2 --json", exitFailed},
	} {
		var errs bytes.Buffer
		if code := run(strings.Fields("check "+test.flags), full{}, &errs); code != test.code || !strings.Contains(errs.String(), errFull.Error()) {
			t.Errorf("check %s: exit status %d, want %d and %q:\n%s", test.flags, code, test.code, errFull, &errs)
		}
	}
}

// A full accepts nothing, like a full disk.
type full struct{}

var errFull = errors.New("no space left on device")

func (full) Write([]byte) (int, error) { return 0, errFull }
