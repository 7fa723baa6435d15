package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/commandline/script"
)

// The installed shells complete what the script says.
func TestCompletionInShells(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs shells")
	}
	bin, work := t.TempDir(), t.TempDir()
	if err := os.Symlink(executable(t), filepath.Join(bin, "lockbench")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"mine one.txt", "results.txt"} {
		if err := os.WriteFile(filepath.Join(work, name), nil, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(work, "pictures"), 0o777); err != nil {
		t.Fatal(err)
	}
	// Each shell prints its offers for a line, one per line. (A zsh without a terminal
	// offers nothing, so only the words in its script are checked.)
	for shell, code := range map[string]string{
		"bash": `source <(lockbench completion bash)
			read -ra COMP_WORDS <<<"${LINE//=/ = }"
			[[ $LINE != *' ' ]] || COMP_WORDS+=("")
			COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
			_lockbench && printf '%s\n' "${COMPREPLY[@]}"`,
		"zsh": `compdef() { :; }; compset() { PREFIX=${PREFIX#*=}; }
			compadd() { shift; print -r -- "$@"; }
			_files() { local d='*'; [[ $1 != -/ ]] || d='*(/)'; local f; for f in ${~d}; do [[ $f != ${PREFIX}* ]] || print -r -- $f; done; }
			source <(lockbench completion zsh)
			words=(${(s: :)LINE}); [[ $LINE != *' ' ]] || words+=("")
			CURRENT=$#words PREFIX=$words[-1]
			_lockbench`,
		"fish": `lockbench completion fish | source; complete -C "$LINE" | string replace -r '\t.*' ''; true`,
	} {
		if _, err := exec.LookPath(shell); err != nil {
			t.Logf("no %s here", shell)
			continue
		}
		for line, want := range map[string][]string{
			"lockbench to":                      {"torture"},
			"lockbench run --la":                {"--latency"},
			"lockbench run --locks tick":        {"ticket", "ticket-pb", "ticket-pb-pinned", "ticket-pinned"},
			"lockbench run --locks tas,sync.RW": {"tas,sync.RWMutex"},
			"lockbench run --mode=pin":          {"pinned"},
			"lockbench torture --locks rcu-q":   {"rcu-qsbr"},
			"lockbench run --workload fre":      {"freelist"},
			"lockbench plot res":                {"results.txt"},
			"lockbench plot mine":               {"mine one.txt"},
			"lockbench plot --plots pic":        {"pictures"},
			"lockbench gate --format ju":        {"junit"},
			"lockbench gate --unit al":          {"allocs/op"},
			"lockbench compare --me":            {""}, // an old name
			"lockbench help his":                {"history"},
			"lockbench completion f":            {"fish"},
			"lockbench decode ":                 {"mutex", "qspinlock", "rwlock", "rwsem", "semaphore"},
		} {
			cmd := exec.Command(shell, "-c", code)
			cmd.Dir = work
			cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "LINE="+line, "HOME="+work)
			out, err := cmd.CombinedOutput()
			got := strings.Split(strings.TrimSpace(strings.NewReplacer(`\ `, " ", "/\n", "\n", "--mode=", "").Replace(string(out))), "\n")
			slices.Sort(got)
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: %q: got %q, %v, want %q", shell, line, got, err, want)
			}
		}
	}
}

// Every example in a command's help is a command line that makes sense.
func TestExamples(t *testing.T) {
	n := 0
	for _, cmd := range program.Model().Leaves(true) {
		_, examples, _ := strings.Cut(cmd.Detail, "Examples:\n\n")
		for line := range strings.Lines(examples) {
			line, _, _ = strings.Cut(line, " |")
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "lockbench ") {
				n++
				makesSense(t, line)
			}
		}
		if strings.Count(cmd.Detail, "lockbench "+cmd.Name) < 2 && cmd.Name != "help" {
			t.Errorf("%s: want two examples in its help, have\n%s", cmd.Name, cmd.Detail)
		}
	}
	if n < 18 {
		t.Errorf("%d examples", n)
	}
}

// makesSense checks a command line without running it: with one error added, the
// command must complain about that error only.
func makesSense(t *testing.T, line string) {
	t.Helper()
	t.Chdir(t.TempDir())
	writeRuns(t, 20)
	writeComparableHere(t)
	for _, name := range []string{"results.txt", "quick.txt", "mine.txt", "simulated.txt"} {
		if err := os.WriteFile(name, []byte("machine: host\nBenchmarkLock/lock=ticket/reads=0/workers=1/hold=0s/think=100ns-1\t5\t61 ns/op\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	writeModuleHere(t)
	if err := os.CopyFS("runs", os.DirFS("results/history")); err != nil {
		t.Fatal(err)
	}
	line, _, _ = strings.Cut(line, " >") // a redirection of the shell
	line, _, _ = strings.Cut(line, " <")
	args := script.Words(line)[1:]
	wrong, want := []string{}, ""
	switch args[0] {
	case "run":
		wrong, want = []string{"--out", "results"}, "--out results: is a directory"
	case "report":
		wrong, want = []string{"--out", "results"}, "--out: read results: is a directory"
	case "torture", "gate":
		wrong, want = []string{"--seed", "x"}, "--seed x: "
	case "claims":
		wrong, want = []string{"x"}, `unknown claim "x" `
	case "merge":
		wrong, want = []string{"--frobnicate"}, "unknown flag --frobnicate"
	case "doctor":
		wrong, want = []string{"x"}, "unexpected argument x"
	case "advise":
		wrong, want = []string{"--reads", "x"}, "--reads x: "
	case "plot", "compare", "history", "export":
		wrong, want = []string{"--format", "x"}, "--format x: "
	}
	var out, errs bytes.Buffer
	code := run(append(args, wrong...), &out, &errs)
	if want == "" && code != exitOK || want != "" && (code != exitUsage || strings.Count(errs.String(), "\n") != 1 || !strings.HasPrefix(errs.String(), "lockbench: "+want)) {
		t.Errorf("$ %s\nexit status %d with %q:\n%s\nwant nothing but %q", line, code, wrong, &errs, want)
	}
}
