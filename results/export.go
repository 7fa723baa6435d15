package results

import (
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file exports samples for other programs: as CSV or as JSON, with each key and
// each unit by name, and with the same digits. docs/results.md has the schema.

// cellKeys are the keys of a cell that each export has, with the words for values that
// a benchmark's name leaves out. Other keys of the samples come after them.
var cellKeys = []struct{ key, absent string }{
	{"lock", ""},
	{"reads", ""},
	{"workers", ""},
	{"readers", "0"},
	{"writers", "0"},
	{"hold", ""},
	{"think", ""},
	{"workload", "bare"},
	{"work", registers},
	{"mode", "goroutine"},
	{"load", "closed"},
	{"gc", "100"},
	{"place", ""},
}

// numbers are the keys whose values are numbers, and durations those whose values are
// durations, which exports have in nanoseconds.
var (
	numbers   = []string{"reads", "workers", "readers", "writers"}
	durations = []string{"hold", "think"}
)

// keys returns the keys of c in its benchmark name, with their values.
func (c Cell) keys() map[string]string {
	all := make(map[string]string)
	for part := range strings.SplitSeq(c.Params(), "/") {
		key, value, _ := strings.Cut(part, "=")
		all[key] = value
	}
	if c.Roles() {
		all["reads"], all["workers"] = "0", strconv.Itoa(c.Workers)
	}
	for _, k := range cellKeys {
		all[k.key] = cmp.Or(all[k.key], k.absent)
	}
	return all
}

// exportable returns the keys of cells and the units of an export of f, in order: those
// of lockbench always, others if samples have them. The error has all samples that
// cannot be exported.
func (f *File) exportable() (keys, units []string, err error) {
	for _, k := range cellKeys {
		keys = append(keys, k.key)
	}
	for _, u := range Units() {
		units = append(units, u.Name)
	}
	ours := [2]int{len(keys), len(units)}
	var errs []error
	for i, s := range f.Samples {
		if err := s.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("%s: sample %d: %w", f.Name, i+1, err))
			continue
		}
		for key := range s.keys() {
			if !slices.Contains(keys, key) {
				keys = append(keys, key)
			}
		}
		for _, v := range s.Values {
			if !slices.Contains(units, v.Unit) {
				units = append(units, v.Unit)
			}
		}
	}
	slices.Sort(keys[ours[0]:])
	slices.Sort(units[ours[1]:])
	return keys, units, errors.Join(errs...)
}

// exportName returns the name of a key in an export.
func exportName(key string) string {
	if slices.Contains(durations, key) {
		return key + "_ns"
	}
	return key
}

// typed returns the value of a key in an export: a number, or text.
func typed(key, text string) (any, error) {
	switch {
	case slices.Contains(numbers, key):
		return strconv.Atoi(text)
	case slices.Contains(durations, key):
		d, err := time.ParseDuration(text)
		return d.Nanoseconds(), err
	}
	return text, nil
}

// WriteCSV writes f as CSV: a line of names, then a row for each sample. Nothing is
// written if there is an error in f.
func (f *File) WriteCSV(w io.Writer) error {
	keys, units, err := f.exportable()
	if err != nil {
		return err
	}
	header := []string{"goos", "goarch", "cpu", "machine", "round", "distance", "oversubscribed"}
	for _, key := range keys {
		header = append(header, exportName(key))
	}
	header = slices.Concat(header, []string{"cpus", "ops"}, units)
	rows := [][]string{header}
	for _, s := range f.Samples {
		row := []string{f.GOOS, f.GOARCH, f.CPU, f.Machine, strconv.Itoa(s.Round), string(s.Distance), strconv.FormatBool(s.Oversubscribed)}
		values := s.keys()
		for _, key := range keys {
			v, err := typed(key, values[key])
			if err != nil {
				return fmt.Errorf("%v: %w", s.Cell, err)
			}
			row = append(row, fmt.Sprint(v))
		}
		row = append(row, strconv.Itoa(s.CPUs), strconv.Itoa(s.Ops))
		for _, unit := range units {
			text := ""
			if v, ok := s.Value(unit); ok {
				text = formatValue(v)
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	return csv.NewWriter(w).WriteAll(rows)
}

// An exported is a file as JSON.
type exported struct {
	Schema  int              `json:"schema"`
	GOOS    string           `json:"goos"`
	GOARCH  string           `json:"goarch"`
	CPU     string           `json:"cpu"`
	Machine string           `json:"machine"`
	Notes   []exportedNote   `json:"notes"`
	Units   []exportedUnit   `json:"units"`
	Samples []map[string]any `json:"samples"`
}

type exportedNote struct {
	Key  string `json:"key"`
	Text string `json:"text"`
}

type exportedUnit struct {
	Name   string `json:"name"`
	Better string `json:"better"` // "higher", "lower" or ""
	Means  string `json:"means"`
}

// WriteJSON writes f as JSON. Nothing is written if there is an error in f.
func (f *File) WriteJSON(w io.Writer) error {
	keys, units, err := f.exportable()
	if err != nil {
		return err
	}
	out := exported{Schema: 1, GOOS: f.GOOS, GOARCH: f.GOARCH, CPU: f.CPU, Machine: f.Machine,
		Notes: []exportedNote{}, Units: []exportedUnit{}, Samples: []map[string]any{}}
	for _, n := range f.Notes {
		out.Notes = append(out.Notes, exportedNote(n))
	}
	for _, name := range units {
		u, _ := known(name)
		out.Units = append(out.Units, exportedUnit{name, Direction(Better(name)), u.Means})
	}
	for _, s := range f.Samples {
		values := make(map[string]json.Number)
		for _, v := range s.Values {
			values[v.Unit] = json.Number(formatValue(v.Value))
		}
		sample := map[string]any{
			"round": s.Round, "distance": s.Distance, "oversubscribed": s.Oversubscribed,
			"cpus": s.CPUs, "ops": s.Ops, "values": values,
		}
		texts := s.keys()
		for _, key := range keys {
			if sample[exportName(key)], err = typed(key, texts[key]); err != nil {
				return fmt.Errorf("%v: %w", s.Cell, err)
			}
		}
		out.Samples = append(out.Samples, sample)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "\t")
	return enc.Encode(out)
}
