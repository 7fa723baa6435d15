package results_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/results"
)

const toExport = `goos: linux
goarch: amd64
cpu: "Quoted", Inc.
machine: host
# date: 2026-11-29T12:00:00Z
# round: 2
distance: near
BenchmarkLock/lock=ticket/reads=0/workers=2/hold=1µs/think=100ns/work=registers-2	49176	61.25 ns/op	0.99 jain	7 zebras
oversubscribed: true
distance:
BenchmarkLock/lock=mcs/readers=7/writers=1/hold=0s/think=0s/workload=log/work=memory-l1/mode=pinned/load=50%/gc=off/place=smt-4	5312	0.00001 ns/op	12345678 ops/s	3 apples
`

// Each sample is a row, each key and each unit a column: those of lockbench always,
// other units after them.
func TestWriteCSV(t *testing.T) {
	file, err := results.ReadAll(strings.NewReader(toExport), "x.txt")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := file.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&b).ReadAll()
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v, want 3", len(rows), err)
	}
	const first = "goos goarch cpu machine round distance oversubscribed lock reads workers readers writers hold_ns think_ns workload work mode load gc place"
	if got := strings.Join(rows[0], " "); !strings.HasPrefix(got, first+" ") || !strings.Contains(got, " cpus ops ns/op ops/s ") || !strings.HasSuffix(got, " apples zebras") {
		t.Errorf("columns %s", got)
	}
	for _, u := range results.Units() {
		if !slices.Contains(rows[0], u.Name) {
			t.Errorf("no column %s", u.Name)
		}
	}
	for i, want := range []map[string]string{
		{"goos": "linux", "goarch": "amd64", "cpu": `"Quoted", Inc.`, "machine": "host", "round": "2", "distance": "near", "oversubscribed": "false",
			"lock": "ticket", "reads": "0", "workers": "2", "hold_ns": "1000", "think_ns": "100", "workload": "bare", "work": "registers", "mode": "goroutine",
			"readers": "0", "writers": "0", "load": "closed", "gc": "100", "cpus": "2", "ops": "49176", "ns/op": "61.25", "jain": "0.99", "zebras": "7"},
		{"goos": "linux", "goarch": "amd64", "cpu": `"Quoted", Inc.`, "machine": "host", "round": "2", "oversubscribed": "true",
			"lock": "mcs", "reads": "0", "workers": "8", "readers": "7", "writers": "1", "gc": "off", "place": "smt", "hold_ns": "0", "think_ns": "0", "workload": "log", "work": "memory-l1", "mode": "pinned",
			"load": "50%", "cpus": "4", "ops": "5312", "ns/op": "1e-05", "ops/s": "12345678", "apples": "3"},
	} {
		for j, column := range rows[0] {
			if got := rows[i+1][j]; got != want[column] {
				t.Errorf("row %d: %s is %q, want %q", i+1, column, got, want[column])
			}
		}
	}
}

func TestWriteJSON(t *testing.T) {
	file, err := results.ReadAll(strings.NewReader(toExport), "x.txt")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := file.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Schema       int
		CPU, Machine string
		Notes        []struct{ Key, Text string }
		Units        []struct{ Name, Better, Means string }
		Samples      []map[string]any
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Schema != 1 || got.CPU != `"Quoted", Inc.` || got.Machine != "host" || len(got.Notes) != 1 || got.Notes[0].Key != "date" {
		t.Errorf("facts %+v", got)
	}
	if u := got.Units[0]; u.Name != "ns/op" || u.Better != "lower" || u.Means == "" {
		t.Errorf("first unit %+v", u)
	}
	if u := got.Units[len(got.Units)-1]; u.Name != "zebras" || u.Better != "" {
		t.Errorf("last unit %+v", u)
	}
	want := map[string]any{"lock": "ticket", "reads": 0.0, "workers": 2.0, "hold_ns": 1000.0, "think_ns": 100.0, "workload": "bare", "work": "registers",
		"mode": "goroutine", "load": "closed", "readers": 0.0, "writers": 0.0, "gc": "100", "place": "", "cpus": 2.0, "round": 2.0, "distance": "near", "oversubscribed": false, "ops": 49176.0,
		"values": map[string]any{"ns/op": 61.25, "jain": 0.99, "zebras": 7.0}}
	if len(got.Samples) != 2 || !reflect.DeepEqual(got.Samples[0], want) {
		t.Errorf("%d samples, first %v, want %v", len(got.Samples), got.Samples[0], want)
	}
}

// JSON cannot have a value that is no number, and in CSV it has no meaning. Nothing is
// written then, and all errors are reported.
func TestExportRefuses(t *testing.T) {
	cell := results.Cell{Lock: "tas", Workers: 1, CPUs: 1}
	file := &results.File{Name: "x.txt"}
	for _, v := range []float64{1, math.NaN(), math.Inf(-1)} {
		file.Samples = append(file.Samples, results.Sample{Cell: cell, Ops: 1, Values: []results.Value{{Unit: "ns/op", Value: v}}})
	}
	for name, write := range map[string]func(*bytes.Buffer) error{
		"CSV":  func(b *bytes.Buffer) error { return file.WriteCSV(b) },
		"JSON": func(b *bytes.Buffer) error { return file.WriteJSON(b) },
	} {
		var b bytes.Buffer
		err := write(&b)
		if err == nil || b.Len() > 0 || !strings.Contains(err.Error(), "x.txt: sample 2: NaN ns/op: must be finite\nx.txt: sample 3: -Inf ns/op: must be finite") {
			t.Errorf("%s: %v, %d bytes, want what is wrong with samples 2 and 3, and none", name, err, b.Len())
		}
	}
}

// An export has every key that a cell may have, including keys added to cells later.
func TestExportHasAllKeys(t *testing.T) {
	cell := results.Cell{Lock: "tas", Workers: 1, CPUs: 1}
	v := reflect.ValueOf(&cell).Elem()
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String {
			f.SetString("word" + strings.ToLower(v.Type().Field(i).Name))
		}
	}
	file := &results.File{Samples: []results.Sample{{Cell: cell, Ops: 1, Values: []results.Value{{Unit: "ns/op", Value: 1}}}}}
	var b bytes.Buffer
	if err := file.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.String && !strings.Contains(b.String(), f.String()) {
			t.Errorf("no %s in\n%s", v.Type().Field(i).Name, &b)
		}
	}
}
