package sweeping

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/results"
)

// resumable checks that the contents of the file fit the flags. [results.Resume]
// decides whether the file can be appended to at all; if it will not be called, because
// of other problems, resumable reports what it can.
func (o *Output) resumable(bad *commandline.Problems, sweep harness.Sweep, settings string) {
	file, err := results.ReadFile(o.Out)
	if err != nil && len(*bad) > 0 && (file == nil || file.Torn == "") {
		bad.Add(err)
	}
	if file == nil || len(*bad) > 0 { // the sweep of the flags is not known
		return
	}
	flag := "--resume"
	if o.Extend {
		flag = "--extend"
	}
	if have := file.Noted("settings"); have != "" && have != settings {
		bad.Addf("%s: %s was measured with %s, want that and not %s", flag, o.Out, have, settings)
	}
	if o.Extend {
		return
	}
	want := "want the flags that it was begun with, or --extend to add what these ask for"
	have := file.Noted("sweep")
	if have == "" { // the file is older than the description of sweeps
		asked := make(map[results.Cell]bool)
		for _, s := range sweep.Scenarios() {
			asked[s.Cell()] = true
		}
		for _, s := range file.Samples {
			if !asked[s.Cell] {
				bad.Addf("--resume: %s has samples of %v, which these flags do not measure: %s", o.Out, s.Cell, want)
				return
			}
		}
	} else if differs := difference(have, Describe(sweep)); differs != "" {
		bad.Addf("--resume: %s is of another sweep, %s: %s", o.Out, differs, want)
	}
}

// Settings returns the settings that all samples of a file must share although they are
// not in the names.
func Settings(s harness.Sweep) string {
	duration := "default"
	if s.Duration != 0 {
		duration = s.Duration.String()
	}
	text := fmt.Sprintf("duration=%s latency=%t", duration, s.Latency)
	if s.Counters { // older files have no such key
		text += " counters=true"
	}
	return text
}

// Describe returns what a sweep measures, as key=value: what must be equal for a sweep
// that was cut off and the one that completes it.
func Describe(s harness.Sweep) string {
	locks := make([]string, len(s.Subjects))
	for i, l := range s.Subjects {
		locks[i] = l.Name
	}
	workloads := make([]string, len(s.Workloads))
	for i, w := range s.Workloads {
		workloads[i] = cmp.Or(w.Name, Bare)
	}
	think := list(s.Think)
	if len(s.Extra) > 0 {
		think += "+0s-alone"
	}
	works := list(names(s.Works))
	workers := fmt.Sprintf("workers=%s reads=%s", list(s.WorkersPerCPU), list(s.Reads))
	if len(s.Readers) > 0 {
		workers = fmt.Sprintf("readers=%s writers=%s", list(s.Readers), list(s.Writers))
	}
	text := fmt.Sprintf("cpus=%s %s hold=%s think=%s workload=%s mode=%s count=%d locks=%s",
		list(s.CPUs), workers, list(s.Hold), think, list(workloads), list(names(s.Modes)), s.Count, list(locks))
	if works != harness.Registers.String() { // older files have no other
		text += " work=" + works
	}
	if len(s.Arrivals) > 0 {
		arrivals := make([]string, len(s.Arrivals))
		for i, a := range s.Arrivals {
			arrivals[i] = a.String()
		}
		text += " load=" + list(arrivals)
	}
	if len(s.GCs) > 0 {
		text += " gc=" + list(names(s.GCs))
	}
	if len(s.Places) > 0 {
		places := make([]string, len(s.Places))
		for i, p := range s.Places {
			places[i] = strings.ReplaceAll(string(p), ",", "+") // commas are between them
		}
		text += " place=" + list(places)
	}
	if s.Shards > 0 {
		text += fmt.Sprintf(" shard=%d/%d", s.Shard, s.Shards)
	}
	return text
}

func names[T fmt.Stringer](values []T) (names []string) {
	for _, v := range values {
		names = append(names, v.String())
	}
	return names
}

// list returns values in order, with commas between them.
func list[T cmp.Ordered](values []T) string {
	var b strings.Builder
	for i, v := range slices.Sorted(slices.Values(values)) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, v)
	}
	return b.String()
}

// difference returns how two descriptions of a sweep differ, "" if they do not.
func difference(have, want string) string {
	var keys []string
	values := func(text string) map[string]string {
		of := make(map[string]string)
		for field := range strings.FieldsSeq(text) {
			key, value, _ := strings.Cut(field, "=")
			of[key] = value
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
		return of
	}
	// A missing key has its default, as in files older than the key.
	a, b := values(have), values(want)
	var all []string
	for _, key := range keys {
		if a[key] != b[key] {
			all = append(all, fmt.Sprintf("with %s %s and not %s", key, cmp.Or(a[key], "as by default"), cmp.Or(b[key], "as by default")))
		}
	}
	return strings.Join(all, ", ")
}
