//go:build virtual

package check

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/lockbench/lockbench/primitives"
)

var update = flag.Bool("update", false, "write the golden files")

var failures = []struct {
	name string
	body func(*Machine)
	kind Kind
}{
	{"race", drawsTicketByLoadAndStore, DataRace},
	{"deadlock", locksInEitherOrder, Deadlock},
	{"buffer", announcesThroughStoreBuffer, Assertion},
	{"membarrier", fencesTooEarly, Assertion},
	{"pointers", losesElement, Assertion},
	{"livelock", stepsAside, Livelock},
	{"lost", wakesNoWaiter, Deadlock},
	{"panic", ignoresCancellation, Panic},
}

// failureOf returns how a program fails.
func failureOf(t *testing.T, cfg Config, body func(*Machine)) *Failure {
	t.Helper()
	r, err := Run(cfg, body)
	if err != nil {
		t.Fatal(err)
	}
	if r.Failure == nil {
		t.Fatalf("%v: want a failure", r)
	}
	return r.Failure
}

// TestTables compares the tables with testdata/*.txt, which -update writes and the
// author of a change reviews. The token of each gives the same table.
func TestTables(t *testing.T) {
	const width = 160 // see Failure.WriteTable
	for _, p := range failures {
		t.Run(p.name, func(t *testing.T) {
			f := failureOf(t, Config{Steps: 400}, p.body)
			if f.Kind != p.kind {
				t.Errorf("kind %q, want %q", f.Kind, p.kind)
			}
			got := f.String()
			golden(t, p.name+".txt", got)
			for line := range strings.Lines(got) {
				if n := utf8.RuneCountInString(line); n > width {
					t.Errorf("%d columns, want at most %d: %s", n, width, line)
				}
			}
			if again := failureOf(t, Config{Steps: 400, Replay: f.Token}, p.body).String(); again != got {
				t.Errorf("replay of %s\ngot:\n%s\nwant:\n%s", f.Token, again, got)
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// Every failure can be drawn, and its figure has each step of the table.
func TestFigures(t *testing.T) {
	for _, p := range failures {
		t.Run(p.name, func(t *testing.T) {
			f := failureOf(t, Config{Steps: 400}, p.body)
			var b bytes.Buffer
			if err := f.WriteSVG(&b); err != nil {
				t.Fatal(err)
			}
			for d := xml.NewDecoder(bytes.NewReader(b.Bytes())); ; {
				if _, err := d.Token(); err == io.EOF {
					break
				} else if err != nil {
					t.Fatalf("%v in\n%s", err, &b)
				}
			}
			var table strings.Builder
			f.WriteTable(&table)
			shown := 0
			for i, s := range f.Steps {
				if !regexp.MustCompile(fmt.Sprintf(`(?m)^[ ✗]*%d  │`, i+1)).MatchString(table.String()) {
					continue
				}
				shown++
				if text := html.EscapeString(s.String()); !strings.Contains(b.String(), ">"+text+"<") {
					t.Errorf("no %q in\n%s", text, &b)
				}
			}
			if shown == 0 {
				t.Errorf("no steps in\n%s", &table)
			}
		})
	}
}

var errFull = errors.New("disk is full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteErrors(t *testing.T) {
	f := failureOf(t, Config{}, drawsTicketByLoadAndStore)
	if err := f.WriteTable(full{}); err != errFull {
		t.Errorf("WriteTable to a full disk: %v", err)
	}
	if err := f.WriteSVG(full{}); err != errFull {
		t.Errorf("WriteSVG to a full disk: %v", err)
	}
}

// A token of another program, or a malformed one, is an error, and not a pass.
func TestTokensThatDoNotFit(t *testing.T) {
	token := failureOf(t, Config{}, drawsTicketByLoadAndStore).Token
	for _, test := range []struct{ token, want string }{
		{"b!", `character 2: want a letter of a worker or a choice, have '!'`},
		{"byx.", `character 2: want a choice as y12., have "yx."`},
		{"bx9", `character 2: want how often as x8., have "x9"`},
		{"xx", `character 1: want a letter`},
		{"bj", "decision 2: j cannot take a step"},
		{"bA", "decision 2: A cannot take a step"},
		{"b0", "decision 2: 0 cannot take a step"},
		{token + "bb", "the execution has ended, 2 more are left"},
		{"-b", "character 1: want a letter"},
	} {
		r, err := Run(Config{Replay: test.token}, drawsTicketByLoadAndStore)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("replay of %q: report %v, error %v, want one with %q", test.token, r, err, test.want)
		}
	}
}

// A failing is a test that Explore may fail.
type failing struct {
	testing.TB
	message string
	over    []func() // called at the end of the test
}

func (f *failing) Helper()             {}
func (f *failing) Name() string        { return "TestTicket/workers=3 (all)" }
func (f *failing) Logf(string, ...any) {}
func (f *failing) Cleanup(over func()) { f.over = append(f.over, over) }
func (f *failing) Errorf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
}
func (f *failing) end() {
	for _, over := range f.over {
		over()
	}
	f.over = nil
}
func (f *failing) Fatalf(format string, args ...any) {
	f.message = fmt.Sprintf(format, args...)
}

func TestExploreSaysHowToReplay(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("LOCKBENCH_SVG", dir)
	f := failing{TB: t}
	defer f.end()
	r := Explore(&f, Config{}, drawsTicketByLoadAndStore)
	want := "again: LOCKBENCH_REPLAY=" + r.Failure.Token + ` go test -tags virtual -run '^TestTicket$/^workers=3 \(all\)$' ./check` + "\n"
	if !strings.HasPrefix(f.message, "data race after ") || !strings.HasSuffix(f.message, want) {
		t.Errorf("Explore says\n%s\nwant a data race and at the end %q", f.message, want)
	}
	if _, err := os.Stat(filepath.Join(dir, "TestTicket_workers=3_all_.svg")); err != nil {
		t.Error(err)
	}

	f.end()
	t.Setenv("LOCKBENCH_REPLAY", r.Failure.Token)
	if again := Explore(&f, Config{}, drawsTicketByLoadAndStore); again.Schedules != 1 || again.Failure.String() != r.Failure.String() {
		t.Errorf("replay took %d schedules and found\n%v\nwant\n%v", again.Schedules, again.Failure, r.Failure)
	}
}

// Explore makes the directory of the figures. A relative one is in the module's
// directory, not in that of the package.
func TestFigureInTheModule(t *testing.T) {
	module := t.TempDir()
	if err := os.WriteFile(filepath.Join(module, "go.mod"), []byte("module m\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(module, "lock"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(filepath.Join(module, "lock"))
	t.Setenv("LOCKBENCH_SVG", filepath.Join("made", "figures"))
	f := failing{TB: t}
	defer f.end()
	Explore(&f, Config{}, drawsTicketByLoadAndStore)
	if _, err := os.Stat(filepath.Join(module, "made", "figures", "TestTicket_workers=3_all_.svg")); err != nil {
		t.Error(err)
	}
}

// Each search of a test has a number, which the token names: a replay runs that search
// and leaves out the others.
func TestReplayOfOneSearchAmongSeveral(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("LOCKBENCH_SVG", dir)
	f := failing{TB: t}
	sound := func(m *Machine) {
		var word primitives.Uint32
		m.GoAlike(2, func() { word.Add(1) })
	}
	searches := func() (first, second, third Report) {
		defer f.end()
		first = Explore(&f, Config{}, sound)
		second = Explore(&f, Config{}, drawsTicketByLoadAndStore)
		third = Explore(&f, Config{}, announcesThroughStoreBuffer)
		return
	}
	_, second, third := searches()
	for n, want := range map[int]*Failure{2: second.Failure, 3: third.Failure} {
		if part := fmt.Sprintf(" LOCKBENCH_REPLAY=%d:%s go test ", n, want.Token); !strings.Contains(" "+want.Replay, part) {
			t.Errorf("the command that replays search %d is %s, want%s", n, want.Replay, part)
		}
		if _, err := os.Stat(filepath.Join(dir, fmt.Sprintf("TestTicket_workers=3_all_#%d.svg", n))); err != nil {
			t.Error(err)
		}
		t.Setenv("LOCKBENCH_REPLAY", fmt.Sprintf("%d:%s", n, want.Token))
		first, second, third := searches()
		all := []Report{first, second, third}
		for i, r := range all {
			switch {
			case i+1 != n && (r.Schedules != 0 || r.Failure != nil || !strings.Contains(r.String(), "not this search")):
				t.Errorf("replay of search %d: search %d: %v, want none", n, i+1, r)
			case i+1 == n && (r.Failure == nil || r.Failure.String() != want.String()):
				t.Errorf("replay of search %d:\n%v\nwant\n%v", n, r.Failure, want)
			}
		}
	}
	for _, test := range []struct{ replay, want string }{
		{"4:bb", "the token is of search 4, and this test has 3"},
		{"0:bb", "want the number of a search"},
		{"x:bb", "want the number of a search"},
	} {
		f.message = ""
		t.Setenv("LOCKBENCH_REPLAY", test.replay)
		if searches(); !strings.Contains(f.message, test.want) {
			t.Errorf("LOCKBENCH_REPLAY=%s: %q, want %q", test.replay, f.message, test.want)
		}
	}
}

// A test above the one that is replayed runs, too, and does not use the token.
func TestReplayBelow(t *testing.T) {
	for _, test := range []struct {
		run, name string
		want      bool
	}{
		{"^TestLock$", "TestLock", true},
		{"^TestLock$", "TestLock/3x1", true},
		{"^TestLock$/^3x1$", "TestLock/3x1", true},
		{"^TestLock$/^3x1$", "TestLock", false},
		{"", "TestLock", true},
	} {
		if got := isMeant(test.run, test.name); got != test.want {
			t.Errorf("go test -run %q replays in %s: %v, want %v", test.run, test.name, got, test.want)
		}
	}
}
