package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// The output of run as CSV or JSON equals that of export for its file: by name, from
// stdin, or into a file, which is written completely or not at all, and not replaced
// unless asked.
func TestExport(t *testing.T) {
	t.Chdir(t.TempDir())
	command := func(line string, code int) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := run(strings.Fields(line), &out, &errs); got != code {
			t.Fatalf("$ lockbench %s\nexit status %d, want %d: %s", line, got, code, &errs)
		}
		return out.String()
	}
	for _, format := range []string{"csv", "json"} {
		const sweep = "run --locks tas,none --cpus 1 --reads 0 --count 2 --duration 1ms --force --out x.txt --plots="
		printed := command(sweep+" --format "+format, exitOK)
		if n := strings.Count(printed, "tas"); n < 2 {
			t.Errorf("%s: %d samples of tas in\n%s", format, n, printed)
		}
		if got := command("export x.txt --format "+format, exitOK); format == "csv" && got != printed {
			t.Errorf("export x.txt:\n%s\nwant what run printed:\n%s", got, printed)
		}
		stdin, err := os.Open("x.txt")
		if err != nil {
			t.Fatal(err)
		}
		defer func(was *os.File) { os.Stdin = was }(os.Stdin)
		os.Stdin = stdin
		want := command("export x.txt --format "+format, exitOK)
		if got := command("export - --format "+format, exitOK); got != want {
			t.Errorf("export -:\n%s\nwant:\n%s", got, want)
		}
		stdin.Close()
		command("export x.txt --out y --force --format "+format, exitOK)
		command("export x.txt --out y --format "+format, exitUsage)
		if got, err := os.ReadFile("y"); err != nil || string(got) != want {
			t.Errorf("--out: %v\n%s\nwant:\n%s", err, got, want)
		}
		if format == "json" && !json.Valid([]byte(printed)) {
			t.Errorf("run printed no JSON:\n%s", printed)
		}
	}
	// Pictures are still drawn, and their list is not in the output.
	printed := command("run --locks tas,none --cpus 1 --reads 0 --count 6 --duration 1ms --force --out x.txt --plots pictures --format svg,json", exitOK)
	if !json.Valid([]byte(printed)) {
		t.Errorf("with pictures, run printed no JSON:\n%s", printed)
	}
	if all, err := os.ReadDir("pictures"); err != nil || len(all) < 2 {
		t.Errorf("pictures: %v, %v", all, err)
	}
}
