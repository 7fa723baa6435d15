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

// The action passes on what is set, and nothing else: what is not is left to the
// configuration. Its exit code is the gate's.
func TestAction(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("needs bash")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	// The go command of this test makes a lockbench that only notes its arguments.
	stubs := t.TempDir()
	const stub = `#!/bin/sh
while [ "$1" != -o ]; do shift; done
cat >"$2" <<'END'
#!/bin/sh
for a; do echo "$a"; done >"$RUNNER_TEMP/args"
mkdir -p "$RUNNER_TEMP/lockbench-gate"
echo regressed >"$RUNNER_TEMP/lockbench-gate/verdict"
exit 7
END
chmod +x "$2"
`
	for name, text := range map[string]string{"go": stub, "git": "#!/bin/sh\nexit 0\n"} {
		if err := os.WriteFile(filepath.Join(stubs, name), []byte(text), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	script := filepath.Join(root, ".github", "gate.sh")
	if _, err := os.ReadFile(script); err != nil { // so that go test sees when it changes
		t.Fatal(err)
	}
	// Without an input, action.yml sets its variable to nothing.
	text, err := os.ReadFile(filepath.Join(root, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	_, variables, _ := strings.Cut(string(text), "      env:\n")
	variables, _, _ = strings.Cut(variables, "      run:")
	var unset []string
	for line := range strings.Lines(variables) {
		if name, _, ok := strings.Cut(strings.TrimSpace(line), ": $"); ok {
			unset = append(unset, name+"=")
		}
	}
	for _, test := range []struct {
		set  []string
		code int
		want []string // arguments, but for --base, --format and --out
	}{
		{nil, 2, nil},
		{[]string{"BASE=0000000000000000000000000000000000000000"}, 2, nil},
		{[]string{"BASE=main"}, 7, []string{}},
		{[]string{"BASE=main", "CONFIG=gate.toml"}, 7, []string{"--config=gate.toml"}},
		{[]string{"BASE=main", "MARGIN=5 %", "BUDGET=1m", "CANNOT_TELL=pass", "SKIP=A|B", "BENCH=C D", "HEAD=x"}, 7,
			[]string{"--head=x", "--bench=C D", "--skip=A|B", "--margin=5 %", "--budget=1m", "--cannot-tell=pass"}},
		{[]string{"BASE=main", "PACKAGES=./a  ./b/...", "ARGS=--exact --builds 3"}, 7,
			[]string{"--packages=./a", "--packages=./b/...", "--exact", "--builds", "3"}},
	} {
		temp := t.TempDir()
		cmd := exec.Command(bash, script)
		cmd.Env = slices.Concat(os.Environ(), unset, []string{"ACTION=" + root, "RUNNER_TEMP=" + temp, "GITHUB_OUTPUT=" + temp + "/output",
			"PATH=" + stubs + string(filepath.ListSeparator) + os.Getenv("PATH")}, test.set)
		out, err := cmd.CombinedOutput()
		code := 0
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			code = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if code != test.code {
			t.Errorf("%q: exit status %d, want %d:\n%s", test.set, code, test.code, out)
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
