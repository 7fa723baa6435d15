package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// An actionRun runs the action's script with stubs for lockbench, git and gh.
type actionRun struct {
	bash, script string
	stubs        string   // directory of the commands
	environment  []string // what action.yml sets without inputs
}

// stubLockbench notes its arguments, leaves a report and exits with $CODE.
const stubLockbench = `#!/bin/sh
while [ "$1" != -o ]; do shift; done
cat >"$2" <<'END'
#!/bin/sh
for a; do echo "$a"; done >"$RUNNER_TEMP/args"
mkdir -p "$RUNNER_TEMP/lockbench-gate"
echo regressed >"$RUNNER_TEMP/lockbench-gate/verdict"
printf '%s\n' '<!-- lockbench gate -->' '### Benchmarks' '![Changes](forest.svg)' >"$RUNNER_TEMP/lockbench-gate/report.md"
exit ${CODE:-7}
END
chmod +x "$2"
`

// stubGH notes how it is called and what it is to write, lists the comments in
// $COMMENTS, and fails if $REFUSES is set.
const stubGH = `#!/bin/sh
echo "$*" >>"$RUNNER_TEMP/gh"
case "$*" in
*--paginate*) for c in $COMMENTS; do echo "$c"; done ;;
*) [ -z "$REFUSES" ] || { echo "$REFUSES" >&2; exit 1; }
	for a; do case $a in body=@*) cat "${a#body=@}" >"$RUNNER_TEMP/body" ;; esac; done ;;
esac
`

func newAction(t *testing.T) *actionRun {
	bash, err := exec.LookPath("bash")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("needs bash")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	a := &actionRun{bash: bash, script: filepath.Join(root, ".github", "gate.sh"), stubs: t.TempDir()}
	for name, text := range map[string]string{"go": stubLockbench, "git": "#!/bin/sh\nexit 0\n", "gh": stubGH} {
		if err := os.WriteFile(filepath.Join(a.stubs, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.ReadFile(a.script); err != nil { // so that go test sees when it changes
		t.Fatal(err)
	}
	// Without an input, action.yml sets its variable to "".
	text, err := os.ReadFile(filepath.Join(root, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	_, variables, _ := strings.Cut(string(text), "      env:\n")
	variables, _, _ = strings.Cut(variables, "      run:")
	for line := range strings.Lines(variables) {
		if name, _, ok := strings.Cut(strings.TrimSpace(line), ": $"); ok {
			a.environment = append(a.environment, name+"=")
		}
	}
	a.environment = append(a.environment, "ACTION="+root)
	return a
}

// run runs the script. Its temporary files are in temp.
func (a *actionRun) run(t *testing.T, path string, set ...string) (code int, out, temp string) {
	t.Helper()
	temp = t.TempDir()
	cmd := exec.Command(a.bash, a.script)
	cmd.Env = slices.Concat(os.Environ(), a.environment, []string{"RUNNER_TEMP=" + temp, "GITHUB_OUTPUT=" + temp + "/output",
		"GITHUB_REPOSITORY=us/it", "PATH=" + path}, set)
	text, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return code, string(text), temp
}

// path returns a PATH with the stubs in front.
func (a *actionRun) path() string {
	return a.stubs + string(filepath.ListSeparator) + os.Getenv("PATH")
}

// The action passes on the inputs that are set, and no others: those are left to the
// configuration. Its exit code is the gate's, and cannot tell is a warning.
func TestAction(t *testing.T) {
	a := newAction(t)
	for _, test := range []struct {
		set  []string
		code int
		want []string // arguments, except --base, --format and --out
	}{
		{nil, 2, nil},
		{[]string{"BASE=0000000000000000000000000000000000000000"}, 2, nil},
		{[]string{"BASE=main"}, 7, []string{}},
		{[]string{"BASE=main", "CODE=3"}, 0, []string{}},
		{[]string{"BASE=main", "CODE=1"}, 1, []string{}},
		{[]string{"BASE=main", "CONFIG=gate.toml"}, 7, []string{"--config=gate.toml"}},
		{[]string{"BASE=main", "MARGIN=5 %", "BUDGET=1m", "CANNOT_TELL=pass", "SKIP=A|B", "BENCH=C D", "HEAD=x", "MIN_ROUNDS=20"}, 7,
			[]string{"--head=x", "--bench=C D", "--skip=A|B", "--margin=5 %", "--budget=1m", "--min-rounds=20", "--cannot-tell=pass"}},
		{[]string{"BASE=main", "CPUS=2", "UNIT=B/op"}, 7, []string{"--cpus=2", "--unit=B/op"}},
		{[]string{"BASE=main", "CPU=2", "METRIC=B/op"}, 7, []string{"--cpu=2", "--metric=B/op"}}, // their old names
		{[]string{"BASE=main", "EXACT=true", "PACKAGES=./a  ./b/...", "WITH=x y", "ARGS=--verbose --builds 3"}, 7,
			[]string{"--exact", "--packages=./a", "--packages=./b/...", "--with=x", "--with=y", "--verbose", "--builds", "3"}},
		{[]string{"BASE=main", "EXACT=false"}, 7, []string{}},
		{[]string{"BASE=main", "EXACT=yes"}, 2, nil},
	} {
		code, out, temp := a.run(t, a.path(), test.set...)
		if code != test.code {
			t.Errorf("%q: exit status %d, want %d:\n%s", test.set, code, test.code, out)
		}
		if warned := strings.Contains(out, "::warning "); warned != slices.Contains(test.set, "CODE=3") {
			t.Errorf("%q: warned %t:\n%s", test.set, warned, out)
		}
		report := filepath.Join(temp, "lockbench-gate")
		args, _ := os.ReadFile(filepath.Join(temp, "args"))
		want := ""
		if test.want != nil {
			want = strings.Join(slices.Concat([]string{"gate", "--base", "main", "--format", "github", "--out", report}, test.want), "\n") + "\n"
		}
		if string(args) != want {
			t.Errorf("%q: lockbench %q, want %q", test.set, args, want)
		}
		if output, _ := os.ReadFile(filepath.Join(temp, "output")); test.want != nil && string(output) != "verdict=regressed\nreport="+report+"\n" {
			t.Errorf("%q: outputs %q", test.set, output)
		}
	}
}

// The action has one comment on a pull request, which it rewrites each time. If it
// cannot, it says why, and its exit code is still the gate's.
func TestActionComments(t *testing.T) {
	a := newAction(t)
	// A path without gh: with the commands that the script needs, and no other.
	bare := t.TempDir()
	for _, name := range []string{"bash", "sh", "mktemp", "tr", "grep", "cat", "chmod", "mkdir"} {
		path, err := exec.LookPath(name)
		if err == nil {
			err = os.Symlink(path, filepath.Join(bare, name))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go", "git"} {
		if err := os.Symlink(filepath.Join(a.stubs, name), filepath.Join(bare, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		name string
		path string
		set  []string
		want string // the last call of gh, "" if there is none
		said string
	}{
		{"first", a.path(), []string{"COMMENT=true", "PULL_REQUEST=12"}, "api --method POST repos/us/it/issues/12/comments --field body=@", ""},
		{"again", a.path(), []string{"COMMENT=true", "PULL_REQUEST=12", "COMMENTS=345 346"}, "api --method PATCH repos/us/it/issues/comments/345 --field body=@", ""},
		{"fork", a.path(), []string{"COMMENT=true", "PULL_REQUEST=12", "REFUSES=gh: Resource not accessible by integration (HTTP 403)"},
			"api --method POST repos/us/it/issues/12/comments", "pull-requests: write, which that of a fork never has; the summary of the job has the report (gh: Resource not accessible by integration (HTTP 403) )"},
		{"no gh", bare, []string{"COMMENT=true", "PULL_REQUEST=12"}, "", "this runner has no gh"},
		{"push", a.path(), []string{"COMMENT=true"}, "", ""},
		{"not wanted", a.path(), []string{"COMMENT=false", "PULL_REQUEST=12"}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			code, out, temp := a.run(t, test.path, append(test.set, "BASE=main")...)
			if code != 7 {
				t.Errorf("exit status %d, want 7:\n%s", code, out)
			}
			calls, _ := os.ReadFile(filepath.Join(temp, "gh"))
			last := ""
			for line := range strings.Lines(string(calls)) {
				last = line
			}
			if !strings.HasPrefix(last, test.want) || (last == "") != (test.want == "") {
				t.Errorf("gh was called\n%swant at last %s", calls, test.want)
			}
			body, _ := os.ReadFile(filepath.Join(temp, "body"))
			if want := "<!-- lockbench gate -->\n### Benchmarks\n"; strings.HasSuffix(test.want, "@") && string(body) != want {
				t.Errorf("comment %q, want %q", body, want)
			}
			if notice := strings.Contains(out, "::notice title=lockbench gate::no comment"); notice != (test.said != "") || !strings.Contains(out, test.said) {
				t.Errorf("printed\n%swant %q", out, test.said)
			}
		})
	}
}
