package timeline_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/timeline"
	"github.com/lockbench/lockbench/results"
)

// recorded is what two workers did with a lock: worker 1 waits for the section of worker 0,
// and worker 0 then for that of worker 1.
var recorded = harness.Timeline{Kind: "exclusive", Bursts: []harness.Burst{{
	From: 1000, To: 2000, Joined: []int64{1000, 1010}, Waiting: []bool{false, true},
	Uses: []harness.Use{
		{Worker: 0, Called: 1005, Acquired: 1020, Releases: 1100, Returned: 1110, Settled: 1110},
		{Worker: 0, Called: 1120, Acquired: 1320, Releases: 1330, Returned: 1340, Settled: 1340},
		{Worker: 1, Called: 1030, Acquired: 1140, Releases: 1300, Returned: 1310, Settled: 1310},
		{Worker: 1, Read: true, Called: 1980, Acquired: 2100, Releases: 2300, Returned: 2310, Settled: 2310},
	},
}}}

var cell = results.Cell{Lock: "ticket", Workers: 2, Think: 100 * time.Nanosecond, CPUs: 2}

// file returns a file with recorded in it.
func file(t testing.TB) string {
	t.Helper()
	var b bytes.Buffer
	if err := timeline.Write(&b, timeline.NewHeader("lockbench run")); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := timeline.Write(&b, timeline.NewTrace(cell, recorded)); err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// read reads text as a file.
func read(text string) (all []timeline.Trace, torn bool, err error) {
	_, torn, err = timeline.Read(strings.NewReader(text), "x.trace", func(t timeline.Trace) error {
		all = append(all, t)
		return nil
	})
	return all, torn, err
}

// What is written is read back.
func TestFile(t *testing.T) {
	all, torn, err := read(file(t))
	if want := timeline.NewTrace(cell, recorded); len(all) != 2 || torn || err != nil || !reflect.DeepEqual(all[1], want) {
		t.Fatalf("%+v, %t, %v, want twice\n%+v", all, torn, err, want)
	}
}

// A file that is cut off anywhere has its whole lines, and is said to be cut off.
func TestFileTorn(t *testing.T) {
	text := file(t)
	first := strings.Index(text, "\n") + 1
	for n := range len(text) {
		all, torn, err := read(text[:n])
		lines := strings.Count(text[:n], "\n")
		switch {
		case n < first && err == nil:
			t.Fatalf("%q: no error", text[:n])
		case n >= first && (err != nil || len(all) != lines-1 || torn != (text[n-1] != '\n')):
			t.Fatalf("cut off at %d: %d traces, torn %t, %v", n, len(all), torn, err)
		}
	}
}

// What no run can have written is an error that says where.
func TestFileWrong(t *testing.T) {
	text := file(t)
	for _, test := range []struct{ old, new, want string }{
		{text, "", "x.trace:1: empty"},
		{text, "BenchmarkLock\n", "x.trace:1: no trace"},
		{`"lockbench-trace":1`, `"lockbench-trace":7`, "x.trace:1: version 7"},
		{`"kind":"exclusive"`, `"kind":"loose"`, `x.trace:2: unknown kind of lock "loose"`},
		{`reads=0`, `reads=x`, "x.trace:2: cell"},
		{`"settles":""`, `"settles":"x"`, "x.trace:2: settles"},
		{`"from":1000`, `"from":2000`, "x.trace:2: burst 1: from 2000"},
		{`"from":1000`, `"from":-1`, "x.trace:2: burst 1: from -1"},
		{`"joined":[1000,1010]`, `"joined":[1000]`, "x.trace:2: burst 1: 1 workers, want 2"},
		{`"joined":[1000,1010]`, `"joined":[1000,2010]`, "x.trace:2: burst 1: worker 1 joined"},
		{`"joined":[1000,1010]`, `"joined":[1000,-1]`, "x.trace:2: burst 1: use 3"},
		{`"waited":[1]`, `"waited":[2]`, "x.trace:2: burst 1: waited"},
		{`"waited":[1]`, `"waited":[1,1]`, "x.trace:2: burst 1: waited"},
		{`[0,0,1005,`, `[2,0,1005,`, "x.trace:2: burst 1: use 1: worker 2"},
		{`[0,0,1005,`, `[0,2,1005,`, "x.trace:2: burst 1: use 1"},
		{`[0,0,1005,`, `[0,0,999,`, "x.trace:2: burst 1: use 1"},
		{`[0,0,1005,15,`, `[0,0,1005,-1,`, "x.trace:2: burst 1: use 1"},
		{`[0,0,1005,15,`, `[0,0,1005,115,`, "x.trace:2: burst 1: use 2"}, // overlaps the next
		{`[0,0,1005,15,`, `[0,0,1005,9223372036854775807,`, "x.trace:2: burst 1: use 1"},
		{`"bursts":`, `"bars":`, "x.trace:2: want a line of a trace"},
		{`"settles":"",`, `"settles":"","more":1,`, "x.trace:2: want a line of a trace"},
		{"}\n{", "}{}\n{", "x.trace:1: want one JSON object a line"},
	} {
		wrong := strings.Replace(text, test.old, test.new, 1)
		if _, _, err := read(wrong); wrong == text || err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s in place of %s: %v, want %s", test.new, test.old, err, test.want)
		}
	}
}

// A timeline has lanes without gaps, the handoffs, and how many wait.
func TestTimelines(t *testing.T) {
	of := timeline.NewTrace(cell, recorded)
	tl := of.Timelines(1, false)[0]
	var lanes []string
	for _, lane := range tl.Lanes {
		text, end := "", tl.Begins
		for _, s := range lane {
			if s.Begin != end {
				t.Errorf("a gap before %+v", s)
			}
			end = s.End
			text += fmt.Sprintf("%s %d, ", s.What, s.End/1000)
		}
		lanes = append(lanes, text)
	}
	want := []string{
		"think 1005, wait 1020, section 1100, release 1110, think 1120, wait 1320, section 1330, release 1340, think 2000, ",
		"wait 1010, think 1030, wait 1140, section 1300, release 1310, think 1980, wait 2000, ",
	}
	if !slices.Equal(lanes, want) {
		t.Errorf("lanes %q, want %q", lanes, want)
	}
	if len(tl.Handovers) != 2 || tl.Took(tl.Handovers[0]) != 40_000 || tl.Took(tl.Handovers[1]) != 20_000 {
		t.Errorf("handoffs %+v, want one of 40 ns and one of 20", tl.Handovers)
	}
	waiting := []timeline.Sample{{At: 1000_000, N: 1}, {At: 1005_000, N: 2}, {At: 1010_000, N: 1}, {At: 1020_000}, {At: 1030_000, N: 1}, {At: 1120_000, N: 2}, {At: 1140_000, N: 1}, {At: 1320_000}, {At: 1980_000, N: 1}}
	if !slices.Equal(tl.Waiting, waiting) {
		t.Errorf("waiting %v, want %v", tl.Waiting, waiting)
	}
	none := recorded
	none.Kind = "none"
	of = timeline.NewTrace(cell, none)
	if tl := of.Timelines(1, false)[0]; len(tl.Handovers) > 0 {
		t.Errorf("a lock that does not exclude hands over: %+v", tl.Handovers)
	}
}

// A window shows a part, from the beginning of the burst.
func TestWindow(t *testing.T) {
	of := timeline.NewTrace(cell, recorded)
	tl := of.Timelines(1, true)[0]
	if err := tl.Window(50_000, 150_000); err != nil {
		t.Fatal(err)
	}
	if tl.Begins != 50_000 || tl.Ends != 150_000 || len(tl.Uses) != 2 || len(tl.Handovers) != 1 || tl.Lanes[0][0].What != timeline.Writes || tl.Lanes[0][0].Begin != 50_000 {
		t.Errorf("%+v", tl)
	}
	if err := tl.Window(100_000, 0); err == nil {
		t.Error("a window behind the end: no error")
	}
}

// The file for viewers is JSON in which slices of a track do not overlap, and arrows have
// two ends.
func checkJSON(t *testing.T, all ...*timeline.Timeline) (arrows int) {
	t.Helper()
	var b bytes.Buffer
	if err := timeline.WriteJSON(&b, map[string]string{"command": "x"}, all...); err != nil {
		t.Fatal(err)
	}
	var f struct {
		TraceEvents []struct {
			Name, Ph string
			Ts, Dur  float64
			Pid, Tid int
			ID       int
			Args     map[string]any
		}
	}
	if err := json.Unmarshal(b.Bytes(), &f); err != nil {
		t.Fatal(err)
	}
	type track struct{ pid, tid int }
	ends, named, open := make(map[track]float64), make(map[track]bool), make(map[int]int)
	for _, e := range f.TraceEvents {
		tr := track{e.Pid, e.Tid}
		switch e.Ph {
		case "M":
			if e.Name == "thread_name" {
				if named[tr] {
					t.Errorf("%v is named twice", tr)
				}
				named[tr] = true
			}
		case "X":
			if e.Ts < ends[tr]-1e-6 || e.Dur < 0 || !named[tr] {
				t.Errorf("%+v begins before %v, or its track has no name", e, ends[tr])
			}
			ends[tr] = e.Ts + e.Dur
		case "s":
			open[e.ID]++
		case "f":
			open[e.ID] += 2
			arrows++
		}
	}
	for id, ends := range open {
		if ends != 3 {
			t.Errorf("arrow %d has no two ends", id)
		}
	}
	return arrows
}

func TestJSON(t *testing.T) {
	of := timeline.NewTrace(cell, recorded)
	all := append(of.Timelines(1, false), of.Timelines(2, false)...)
	if n := checkJSON(t, all...); n != 4 {
		t.Errorf("%d arrows, want 4", n)
	}
}

// No file makes Read or what follows it panic, and what it accepts can be drawn.
func FuzzRead(f *testing.F) {
	text := file(f)
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add(strings.ReplaceAll(text, "1010", "-1"))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		all, _, err := read(text)
		if err != nil && !strings.HasPrefix(err.Error(), "x.trace:") {
			t.Errorf("%v: says no line", err)
		}
		for i, of := range all {
			for _, fromBurst := range []bool{false, true} {
				timelines := of.Timelines(i+1, fromBurst)
				checkJSON(t, timelines...)
				for _, tl := range timelines {
					var b bytes.Buffer
					if err := tl.WriteSVG(&b, false); err != nil || bytes.Contains(b.Bytes(), []byte("NaN")) {
						t.Errorf("%v, or a picture with NaN", err)
					}
				}
			}
		}
	})
}
