package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/timeline"
)

// tracesIn returns the cells of a file of traces.
func tracesIn(t *testing.T, name string) (cells []string, torn bool) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	_, torn, err = timeline.Read(f, name, func(t timeline.Trace) error {
		cells = append(cells, t.Cell)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return cells, torn
}

// A run records each cell once, also if it is resumed, and what it recorded becomes a file
// for viewers or a picture.
func TestTrace(t *testing.T) {
	t.Chdir(t.TempDir())
	command := func(line string, code int) (out, errs string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		if got := run(strings.Fields(line), &stdout, &stderr); got != code {
			t.Fatalf("$ lockbench %s\nexit status %d, want %d: %s", line, got, code, &stderr)
		}
		return stdout.String(), stderr.String()
	}
	const sweep = "run --cpus 1 --reads 0,50 --duration 2ms --plots= --trace x.trace --locks "
	command(sweep+"tas,none --count 2", exitOK)
	if cells, _ := tracesIn(t, "x.trace"); len(cells) != 4 {
		t.Errorf("%d traces, want one of each cell: %q", len(cells), cells)
	}
	command(sweep+"tas,none --count 2", exitUsage) // there is such a file
	text, err := os.ReadFile("x.trace")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("x.trace", text[:len(text)-5], 0o666); err != nil { // as after kill -9
		t.Fatal(err)
	}
	if _, errs := command("export --perfetto x.trace --out cut.json", exitOK); !strings.Contains(errs, "x.trace: left out its last line") {
		t.Errorf("export of a file that is cut off says %q", errs)
	}
	_, errs := command(sweep+"tas,none,ticket --count 3 --extend", exitOK)
	if cells, torn := tracesIn(t, "x.trace"); len(cells) != 6 || torn || !strings.Contains(errs, "3 traces in x.trace") {
		t.Errorf("%d traces, want those of the cell that was cut off and of ticket: %q\n%s", len(cells), cells, errs)
	}

	out, _ := command("export --perfetto x.trace", exitOK)
	if !json.Valid([]byte(out)) || strings.Count(out, `"process_name"`) != 6 {
		t.Errorf("no JSON, or not of 6 cells:\n%.300s", out)
	}
	out, _ = command("export --perfetto x.trace --cell lock=ticket/", exitOK)
	if !json.Valid([]byte(out)) || strings.Count(out, `"process_name"`) != 2 {
		t.Errorf("no JSON, or not of 2 cells:\n%.300s", out)
	}
	command("export --perfetto x.trace --cell lock=ticket/reads=0/ --to 3us --out x.svg", exitOK)
	picture, err := os.ReadFile("x.svg")
	if err != nil {
		t.Fatal(err)
	}
	for d := xml.NewDecoder(bytes.NewReader(picture)); err != io.EOF; {
		if _, err = d.Token(); err != nil && err != io.EOF {
			t.Fatal(err)
		}
	}
	if !bytes.Contains(picture, []byte("worker 0")) {
		t.Errorf("no worker in the picture:\n%s", picture)
	}
	for _, refused := range []string{
		"--out y.svg", "--cell lock=ticket/reads=0/ --out y.svg --burst 9", "--cell lock=ticket/reads=0/ --out y.svg --from 1s", "--cell nothing", "--out x.svg --cell lock=none/reads=0/",
	} {
		command("export --perfetto x.trace "+refused, exitUsage)
	}
	for text, want := range map[string]string{"": "y.trace:1: empty", "x\n": "y.trace:1: no trace", "{\"lockbench-trace\":1}\n": "y.trace: no traces", "{\"lockbench-trace\":1}\n{}\n": "y.trace:2: "} {
		if err := os.WriteFile("y.trace", []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, errs := command("export --perfetto y.trace", exitUsage); !strings.Contains(errs, want) {
			t.Errorf("%q: %s, want %s", text, errs, want)
		}
		if text != "" && want != "y.trace: no traces" {
			command(strings.Replace(sweep, "x.trace", "y.trace", 1)+"tas --extend --out z.txt", exitUsage)
		}
	}
}

// After an interrupt, and after kill -9, what was recorded can be read.
func TestTraceInterrupted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no interrupts between processes")
	}
	for _, signal := range []os.Signal{os.Interrupt, os.Kill} {
		t.Chdir(t.TempDir())
		cmd := exec.Command(executable(t), strings.Fields("run --locks tas,ticket,mcs --cpus 1 --count 10000 --duration 1ms --plots= --trace x.trace")...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(5 * time.Millisecond) {
			if text, _ := os.ReadFile("x.trace"); bytes.Count(text, []byte("\n")) >= 3 {
				break
			}
		}
		if err := cmd.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		cmd.Wait()
		if cells, _ := tracesIn(t, "x.trace"); len(cells) < 2 {
			t.Errorf("after %v: %d traces", signal, len(cells))
		}
	}
}

// The pictures of docs/trace.md are what the commands on that page draw.
func TestTraceFigures(t *testing.T) {
	t.Chdir(repository)
	page, err := os.ReadFile("docs/trace.md")
	if err != nil {
		t.Fatal(err)
	}
	drawn := 0
	for line := range strings.Lines(string(page)) {
		command, ours := strings.CutPrefix(line, "lockbench export ")
		before, rest, found := strings.Cut(command, "--out docs/")
		if !ours || !found {
			continue
		}
		name, file, _ := strings.Cut(strings.TrimSpace(rest), " ")
		for _, dark := range []string{"", "-dark"} {
			name := strings.Replace(name, ".svg", dark+".svg", 1)
			out := filepath.Join(t.TempDir(), name)
			args := append(strings.Fields("export "+before), "--out", out, file)
			if dark != "" {
				args = append(args, "--dark")
			}
			var stdout, stderr bytes.Buffer
			if code := run(args, &stdout, &stderr); code != exitOK {
				t.Fatalf("%q: exit status %d: %s", args, code, &stderr)
			}
			got, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			if want, err := os.ReadFile("docs/" + name); err != nil || !bytes.Equal(got, want) {
				t.Errorf("docs/%s is not what the command on the page draws (%v)", name, err)
			}
			drawn++
		}
	}
	if have, err := filepath.Glob("docs/fig-waits-*.svg"); err != nil || len(have) != drawn || drawn < 4 {
		t.Errorf("the page has commands for %d pictures, docs %q", drawn, have)
	}
}
