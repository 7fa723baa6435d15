package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/alecthomas/kong"

	"github.com/lockbench/lockbench/internal/commandline/script"
)

const repository = "../.."

// Every command on the pages makes sense: its flags and packages exist, and its
// patterns match a test or a benchmark.
func TestPageCommands(t *testing.T) {
	root, err := filepath.Abs(repository) // commands run in other directories
	if err != nil {
		t.Fatal(err)
	}
	blocks, texts := script.Pages(t, root)
	known := readSources(t, root)
	ours := 0
	for _, b := range blocks {
		for _, line := range b.Commands {
			for _, words := range script.Simple(line) {
				switch {
				case words[0] == "lockbench":
					ours++
					makesSense(t, line)
				case len(words) > 2 && words[0] == "go" && words[1] == "run" && words[2] == "./cmd/lockbench":
					ours++
					makesSense(t, "lockbench "+strings.Join(words[3:], " "))
				}
				if says := known.wrong(words); says != "" {
					t.Errorf("%s:%d: %s: %s", b.Page, b.Line, line, says)
				}
			}
		}
	}
	if ours < 40 {
		t.Errorf("%d commands of lockbench on the pages, want all", ours)
	}

	// Commands within a line of text may be incomplete.
	spans := 0
	for page, text := range texts {
		for _, m := range inLine.FindAllStringSubmatch(withoutBlocks(text), -1) {
			for _, words := range script.Simple(strings.Join(strings.Fields(m[1]), " ")) {
				spans++
				if says := known.wrong(words); says != "" {
					t.Errorf("%s: `%s`: %s", page, m[1], says)
				}
			}
		}
	}
	if spans < 60 {
		t.Errorf("%d commands and flags within lines of the pages, want all", spans)
	}
}

var (
	inLine = regexp.MustCompile("`((?:lockbench|locksim|go (?:test|run|doc)|--[a-z])[^`]*)`")
	fenced = regexp.MustCompile("(?ms)^```.*?^```$")
)

func withoutBlocks(text string) string { return fenced.ReplaceAllString(text, "") }

// The test notices wrong commands.
func TestWrongCommands(t *testing.T) {
	known := readSources(t, repository)
	for line, want := range map[string]string{
		"go test ./nowhere":                             "no package ./nowhere",
		"go test -run TestNone ./ticket":                "-run TestNone: matches nothing",
		"go test -run 'FIFO|TestNone' ./ticket":         "-run TestNone: matches nothing",
		"go test -run '^$' -bench None ./ticket":        "-bench None: matches nothing",
		"go test -tags virtul ./ticket":                 "-tags virtul: no file has it",
		"go run ./ticket":                               "./ticket: is no command",
		"go run ./tools/targets -prat alone":            "./tools/targets: no flag -prat",
		"go run ./tools/targets -part alnoe":            "./tools/targets: no alnoe",
		"lockbench rnu":                                 "no command rnu",
		"lockbench run --lokcs ticket":                  "no flag --lokcs",
		"--lokcs":                                       "no command has a flag --lokcs",
		"frobnicate it":                                 "is a command that this test does not know",
		"go test -tags virtual -run Model ./rcu/...":    "",
		"go test -run '^$' -bench 'Lock' -cpu 1 ./mcs":  "",
		"go run ./tools/targets -part rcu-read":         "",
		"lockbench gate --files a.txt b.txt --drift 5%": "",
	} {
		if got := known.wrong(script.Simple(line)[0]); !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
	}
}

// theirs is the package that docs/verification.md tells its reader to make.
const theirs = "mylock"

// sources are the parts of the repository that commands name.
type sources struct {
	tests map[string][]string // functions that go test runs, by directory
	code  map[string]string   // sources, by directory
	tags  map[string]bool     // build tags
}

var (
	testFunction = regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Example|Fuzz)\w*)\(`)
	buildLine    = regexp.MustCompile(`(?m)^//go:build (.*)$`)
	word         = regexp.MustCompile(`\w+`)
)

func readSources(t *testing.T, root string) sources {
	t.Helper()
	known := sources{map[string][]string{}, map[string]string{}, map[string]bool{}}
	files := os.DirFS(root)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".go") {
			return err
		}
		src, err := fs.ReadFile(files, name)
		dir := path.Dir(name)
		for _, m := range buildLine.FindAllSubmatch(src, -1) {
			for _, tag := range word.FindAllString(string(m[1]), -1) {
				known.tags[tag] = true
			}
		}
		if !strings.HasSuffix(name, "_test.go") {
			known.code[dir] += string(src)
			return err
		}
		for _, m := range testFunction.FindAllSubmatch(src, -1) {
			known.tests[dir] = append(known.tests[dir], string(m[1]))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// locksimField returns what the source of locksim has for a flag: the field of a struct.
func locksimField(flag string) string { return "\t" + strings.ToUpper(flag[:1]) + flag[1:] + " " }

// wrong says what is wrong with a command, or "".
func (k sources) wrong(words []string) string {
	switch words[0] {
	case "go":
		return k.wrongGo(words[1:])
	case "lockbench":
		return wrongFlags(words[1:])
	case "git", "cd", "grep", "mkdir", "cp", "bash", "apt-get", "locksim": // locksim has its own test
		return ""
	}
	if flag, ok := strings.CutPrefix(words[0], "--"); ok {
		flag, _, _ = strings.Cut(flag, "=")
		for _, command := range program.Model().Leaves(true) {
			if hasFlag(command.Name, flag) {
				return ""
			}
		}
		if strings.Contains(k.code["cmd/locksim"], locksimField(flag)) {
			return ""
		}
		return "no command has a flag --" + flag
	}
	return "is a command that this test does not know"
}

func hasFlag(command, flag string) bool {
	for _, c := range program.Model().Leaves(true) {
		if c.Name != command {
			continue
		}
		for _, group := range c.AllFlags(false) {
			for _, f := range group {
				if f.Name == flag {
					return true
				}
			}
		}
	}
	return false
}

// wrongFlags is [sources.wrong] for the arguments of lockbench, of which some may be
// missing.
func wrongFlags(args []string) string {
	if len(args) == 0 || strings.HasPrefix(args[0], "--") {
		return ""
	}
	name := args[0]
	if !slices.ContainsFunc(program.Model().Leaves(true), func(c *kong.Node) bool { return c.Name == name }) && !slices.Contains([]string{"help", "completion"}, name) {
		return "no command " + name
	}
	for _, arg := range args[1:] {
		flag, ok := strings.CutPrefix(arg, "--")
		flag, _, _ = strings.Cut(flag, "=")
		if ok && !hasFlag(name, flag) {
			return "no flag --" + flag
		}
	}
	return ""
}

// wrongGo is [sources.wrong] for the arguments of the go command.
func (k sources) wrongGo(args []string) string {
	var dirs []string
	var said string
	wrong := func(format string, args ...any) {
		if said == "" {
			said = fmt.Sprintf(format, args...)
		}
	}
	patterns := make(map[string]string)
	for i := 1; i < len(args); i++ {
		switch arg := args[i]; {
		case (arg == "-run" || arg == "-bench" || arg == "-tags") && i+1 < len(args):
			i++
			patterns[arg] = args[i]
		case strings.HasPrefix(arg, "./") && args[0] != "mod":
			dir := strings.TrimSuffix(strings.TrimPrefix(arg, "./"), "/...")
			if args[0] == "doc" { // perhaps with a name in the package
				dir, _, _ = strings.Cut(dir, ".")
			}
			if dir == "..." {
				dir = "."
			}
			if k.code[dir] == "" && k.tests[dir] == nil && dir != "." && dir != theirs {
				wrong("no package %s", arg)
			}
			for d := range k.tests {
				if d == dir || strings.HasSuffix(arg, "...") && (dir == "." || strings.HasPrefix(d, dir+"/")) {
					dirs = append(dirs, d)
				}
			}
			if args[0] == "run" {
				if says := k.wrongRun(dir, args[i+1:]); says != "" {
					wrong("%s", says)
				}
				return said
			}
		}
	}
	for _, tag := range strings.FieldsFunc(patterns["-tags"], func(r rune) bool { return !unicode.IsLetter(r) }) {
		if !k.tags[tag] {
			wrong("-tags %s: no file has it", tag)
		}
	}
	if args[0] == "test" && len(dirs) > 0 {
		for flag, kinds := range map[string]string{"-run": "Test Example Fuzz", "-bench": "Benchmark"} {
			pattern, _, _ := strings.Cut(patterns[flag], "/")
			if pattern == "^$" {
				continue
			}
			for part := range strings.SplitSeq(pattern, "|") {
				re, err := regexp.Compile(part)
				if err != nil {
					wrong("%s %s: %v", flag, part, err)
					continue
				}
				if part != "" && !k.matches(re, dirs, strings.Fields(kinds)) {
					wrong("%s %s: matches nothing", flag, part)
				}
			}
		}
	}
	return said
}

// matches reports whether re matches a function of these kinds in one of the
// directories.
func (k sources) matches(re *regexp.Regexp, dirs, kinds []string) bool {
	for _, dir := range dirs {
		for _, name := range k.tests[dir] {
			if re.MatchString(name) && slices.ContainsFunc(kinds, func(kind string) bool { return strings.HasPrefix(name, kind) }) {
				return true
			}
		}
	}
	return false
}

// wrongRun is [sources.wrong] for a command of this module and its arguments.
func (k sources) wrongRun(dir string, args []string) string {
	src := k.code[dir]
	switch {
	case !strings.Contains(src, "package main"):
		return "./" + dir + ": is no command"
	case dir == "cmd/lockbench":
		return wrongFlags(args)
	case dir == "cmd/locksim": // locksim has its own test
		return ""
	}
	for i, arg := range args {
		if flag, ok := strings.CutPrefix(arg, "-"); ok {
			if !regexp.MustCompile(`\.\w+\([^"\n]*"` + regexp.QuoteMeta(flag) + `"`).MatchString(src) {
				return "./" + dir + ": no flag -" + flag
			}
			if flag == "part" && i+1 < len(args) && !strings.Contains(src, `"`+args[i+1]+`"`) {
				return "./" + dir + ": no " + args[i+1]
			}
		}
	}
	return ""
}

// The blocks of a page can be pasted into a shell, in order: all that are not marked
// are run, in a directory that has a module with a lock in mypkg.
func TestPagesRun(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil || runtime.GOOS == "windows" {
		t.Skip("wants bash")
	}
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	blocks, texts := script.Pages(t, root)
	bin := t.TempDir()
	if err := os.Symlink(executable(t), filepath.Join(bin, "lockbench")); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, page := range slices.Sorted(maps.Keys(texts)) {
		t.Run(page, func(t *testing.T) {
			t.Chdir(t.TempDir())
			writeModuleHere(t)
			for _, b := range blocks {
				if b.Page != page || b.Text == "" || b.NotRun != "" {
					continue
				}
				ran++
				cmd := exec.Command(bash, "-euo", "pipefail", "-c", b.RunAfter+"\n"+b.Text)
				cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"))
				out, err := cmd.CombinedOutput()
				if cmd.ProcessState.ExitCode() == 3 && bytes.Contains(out, []byte("no data near that")) {
					t.Logf("%s:%d: %s", page, b.Line, out) // the machine is so busy that CPUs were at no distance
				} else if err != nil {
					t.Errorf("%s:%d: %v:\n%s%s", page, b.Line, err, b.Text, out)
				}
			}
		})
	}
	if ran < 4 {
		t.Errorf("%d blocks were run, want some", ran)
	}
}

// Links within the repository have a target, and README fits a terminal.
func TestPageLinks(t *testing.T) {
	_, texts := script.Pages(t, repository)
	links := 0
	for page, text := range texts {
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"`).FindAllStringSubmatch(withoutBlocks(text), -1) {
			target := m[1] + m[2]
			if strings.Contains(target, "://") {
				continue
			}
			links++
			file, anchor, _ := strings.Cut(target, "#")
			name := path.Join(path.Dir(page), file)
			if file == "" {
				name = page
			}
			if _, err := os.Stat(filepath.Join(repository, name)); err != nil {
				t.Errorf("%s: link to %s: %v", page, target, err)
				continue
			}
			if anchor == "" {
				continue
			}
			linked, err := os.ReadFile(filepath.Join(repository, name))
			if err != nil || !slices.Contains(anchors(string(linked)), anchor) {
				t.Errorf("%s: link to %s: no such heading, %v", page, target, err)
			}
		}
	}
	if links < 100 {
		t.Errorf("%d links within the repository, want all", links)
	}
	for i, line := range strings.Split(texts["README.md"], "\n") {
		if n := utf8.RuneCountInString(line); n > 100 && !strings.HasPrefix(line, "|") && !strings.HasPrefix(line, "![") && !strings.HasPrefix(strings.TrimSpace(line), "<") {
			t.Errorf("README.md:%d: %d columns, want 100 at most", i+1, n)
		}
	}
}

// anchors returns the anchors of a page's headings, as GitHub makes them.
func anchors(text string) (all []string) {
	for line := range strings.Lines(withoutBlocks(text)) {
		if heading, ok := strings.CutPrefix(strings.TrimLeft(line, "#"), " "); ok && strings.HasPrefix(line, "#") {
			all = append(all, strings.Map(func(r rune) rune {
				switch {
				case r == ' ':
					return '-'
				case unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_':
					return unicode.ToLower(r)
				}
				return -1
			}, strings.TrimSpace(heading)))
		}
	}
	return all
}
