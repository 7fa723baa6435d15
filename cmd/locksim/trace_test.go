//go:build virtual

package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lockbench/lockbench/internal/commandline/script"
	"github.com/lockbench/lockbench/internal/timeline"
	"github.com/lockbench/lockbench/primitives"
	"github.com/lockbench/lockbench/spinlock"
)

// traced returns the timeline that flags describe.
func traced(t *testing.T, flags string) *virtualTimeline {
	t.Helper()
	c := new(traceCmd)
	args := map[string]string{"machine": "xeon-8176-8s", "cpus": "8", "ops": "2", "hold": "100ns", "think": "100ns", "seed": "1"}
	words := strings.Fields(flags)
	for i := 0; i < len(words); i += 2 {
		args[strings.TrimPrefix(words[i], "--")] = words[i+1]
	}
	for name, to := range map[string]*string{
		"lock": &c.Lock, "machine": &c.Machine, "cpus": &c.CPUs, "workers": &c.Workers, "ops": &c.Ops, "reads": &c.Reads,
		"readers": &c.Readers, "writers": &c.Writers, "from": &c.From, "to": &c.To, "hold": &c.Hold, "think": &c.Think, "seed": &c.Seed,
	} {
		*to = args[name]
	}
	c.Out = filepath.Join(t.TempDir(), "x.json")
	s, err := c.scene()
	if err != nil {
		t.Fatalf("%s: %v", flags, err)
	}
	r, err := s.record()
	if err != nil || r.broken != nil {
		t.Fatalf("%s: %v, %v", flags, err, r)
	}
	tl := timelineOf(s, r)
	tl.Command = c.String()
	return tl
}

// encoded returns what write writes.
func encoded(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// scenes are some of all kinds of locks, with and without readers and parked workers.
var scenes = []struct {
	flags string
	uses  int
}{
	{"--lock ticket", 16},
	{"--lock mcs --machine milan-2s --cpus 16 --hold 0s", 32},
	{"--lock qspinlock --cpus 2 --ops 5", 10},
	{"--lock ticket-pinned --cpus 3", 6},
	{"--lock sync.Mutex --cpus 2 --workers 2 --hold 30us", 8},
	{"--lock sync.RWMutex --cpus 4 --reads 50 --hold 1us", 8},
	{"--lock mutex --cpus 2 --workers 4 --hold 20us", 16},
	{"--lock semaphore --cpus 3 --hold 30us", 6},
	{"--lock rw-queued --reads 50 --think 0s", 16},
	{"--lock seqlock --readers 3 --writers 2 --cpus 4 --ops 4", 20},
	{"--lock rcu-domain-sync --readers 7 --writers 1 --hold 3us", 16},
	{"--lock rcu-qsbr --reads 80", 16},
	{"--lock rcu-pinned-sync --cpus 4 --readers 3 --writers 1 --hold 3us", 8},
	{"--lock rcu-registered-none --reads 80 --cpus 1", 2},
}

// A chromeFile is what a viewer reads.
type chromeFile struct {
	DisplayTimeUnit string
	OtherData       map[string]string
	TraceEvents     []struct {
		Name, Cat, Ph, Bp, S string
		Ts, Dur              json.Number
		Pid, Tid, ID         int
		Args                 map[string]any
	}
}

// picosIn returns microseconds in picoseconds, exactly.
func picosIn(t *testing.T, n json.Number) int64 {
	t.Helper()
	whole, fraction, _ := strings.Cut(n.String(), ".")
	p, err := strconv.ParseInt(whole+fraction, 10, 64)
	if err != nil || len(fraction) != 6 {
		t.Fatalf("%s: want microseconds with 6 digits behind the point", n)
	}
	return p
}

// The file has the structure that viewers want: times that do not go back, slices that
// nest, arrows with both ends, each in a slice.
func TestTraceJSON(t *testing.T) {
	windows := []struct {
		flags string
		uses  int
	}{
		{"--lock ticket --cpus 12 --ops 3 --from 4us --to 6us", 4},
		{"--lock mutex --cpus 2 --workers 4 --hold 20us --from 100us --to 200us", 4},
		{"--lock rcu-domain-sync --readers 7 --writers 1 --hold 20us --think 10us --from 30us --to 40us", 7},
		{"--lock rw-queued --reads 50 --hold 0s --ops 9 --from 3us", 20},
	}
	for _, scene := range append(windows, scenes...) {
		tl := traced(t, scene.flags)
		var file chromeFile
		if err := json.Unmarshal(encoded(t, tl.writeJSON), &file); err != nil {
			t.Fatalf("%s: %v", scene.flags, err)
		}
		if file.DisplayTimeUnit != "ns" || !strings.HasPrefix(file.OtherData["command"], "locksim trace --lock ") || file.OtherData["machine"] == "" || file.OtherData["seed"] != "1" {
			t.Errorf("%s: %v, want the unit ns, the command, machine and seed", scene.flags, file)
		}
		type open struct {
			name       string
			begin, end int64
		}
		stacks := make(map[int][]open)
		lanes := make(map[int]int64) // where each lane ends so far
		names := make(map[int]string)
		arrows := make(map[int]string)
		sections, last, waiting := 0, int64(0), 0.0
		for i, e := range file.TraceEvents {
			wrong := func(format string, args ...any) {
				t.Errorf("%s: event %d, %s %q at %v on track %d: %s", scene.flags, i, e.Ph, e.Name, e.Ts, e.Tid, fmt.Sprintf(format, args...))
			}
			if e.Ph == "M" {
				if e.Name == "thread_name" {
					names[e.Tid] = e.Args["name"].(string)
				}
				continue
			}
			at := picosIn(t, e.Ts)
			if at < last {
				wrong("%d ps after the one before", at-last)
			}
			last = at
			if e.Ph != "C" && names[e.Tid] == "" {
				wrong("its track has no name")
			}
			stack := stacks[e.Tid]
			switch e.Ph {
			case "X":
				end := at + picosIn(t, e.Dur)
				for len(stack) > 0 && stack[len(stack)-1].end <= at {
					stack = stack[:len(stack)-1]
				}
				if n := len(stack); n > 0 && end > stack[n-1].end {
					wrong("ends after %v, in which it begins", stack[n-1])
				}
				stacks[e.Tid] = append(stack, open{e.Name, at, end})
				if e.Cat != "cpu" {
					if len(stack) == 0 && end > at && !strings.HasSuffix(names[e.Tid], "buffer") {
						wrong("is in no slice of the CPU")
					}
					break
				}
				if end, known := lanes[e.Tid]; known && at != end || !known && at != tl.Begins {
					wrong("want it at the end of the slice before, %d ps, or at the beginning", end)
				}
				lanes[e.Tid] = end
				if e.Name == timeline.Writes || e.Name == timeline.Reads {
					sections++
				}
			case "s", "f":
				// It belongs to the slice that began last, which is directly before it.
				before := file.TraceEvents[i-1]
				if before.Tid != e.Tid || before.Ts != e.Ts {
					wrong("not directly after its slice")
				}
				key := e.Cat + " " + e.Name
				if e.Ph == "s" {
					if arrows[e.ID] != "" {
						wrong("begins twice")
					}
					arrows[e.ID] = key
				} else {
					if arrows[e.ID] != key {
						wrong("begins as %q", arrows[e.ID])
					}
					arrows[e.ID] = "ended"
				}
			case "C":
				waiting = e.Args["waiting"].(float64)
				if waiting < 0 || waiting > float64(tl.workers) {
					wrong("%v waiters", waiting)
				}
			case "i":
			default:
				wrong("unknown kind")
			}
		}
		for id, state := range arrows {
			if state != "ended" {
				t.Errorf("%s: arrow %d, %s, does not end", scene.flags, id, state)
			}
		}
		if waiting != 0 && tl.to == 0 {
			t.Errorf("%s: %v wait in the end", scene.flags, waiting)
		}
		for cpu := range tl.cpus {
			if end := lanes[2*cpu+1]; end != tl.Ends {
				t.Errorf("%s: lane %d ends at %d, want %d", scene.flags, cpu, end, tl.Ends)
			}
		}
		window := tl.from > 0 || tl.to > 0
		if sections < scene.uses || sections > scene.uses && !window && tl.kind != timeline.Retried && tl.workers == tl.cpus || len(tl.Uses) < scene.uses {
			t.Errorf("%s: %d sections of %d uses, want %d", scene.flags, sections, len(tl.Uses), scene.uses)
		}
		if len(arrows) == 0 && tl.cpus > 1 {
			t.Errorf("%s: no arrows", scene.flags)
		}
	}
}

// No writer's section overlaps another section, except those of readers that copy or
// retry, and handoffs go from a section to a later one whose worker waited.
func TestTraceUses(t *testing.T) {
	parked, woken := 0, 0
	for _, scene := range scenes {
		tl := traced(t, scene.flags)
		for i, u := range tl.Uses {
			if u.Called < 0 || u.Got < u.Called || u.Releases < u.Got || u.Returned < u.Releases || u.Returned > tl.Ends {
				t.Errorf("%s: use %d out of order: %+v", scene.flags, i, u)
			}
			for _, v := range tl.Uses[:i] {
				if v.Releases > u.Got && (!u.Read && !v.Read || u.Read != v.Read && tl.kind == timeline.Shared) {
					t.Errorf("%s: %+v and %+v overlap", scene.flags, v, u)
				}
			}
		}
		for _, h := range tl.Handovers {
			if from, to := tl.Uses[h.From], tl.Uses[h.To]; tl.Took(h) < 0 || to.Called >= from.Releases || from.Worker == to.Worker {
				t.Errorf("%s: a handoff from %+v to %+v", scene.flags, from, to)
			}
		}
		for _, lane := range tl.Lanes {
			for _, s := range lane {
				if s.What == timeline.Parks {
					parked++
				}
			}
		}
		woken += len(tl.Wakes)
	}
	if parked == 0 || woken == 0 {
		t.Errorf("%d workers parked, %d woken: want some", parked, woken)
	}
}

// travelled counts lines that went from CPU to CPU, those of the lock and others.
func travelled(tl *virtualTimeline) (lock, others int) {
	for _, m := range tl.Moves {
		switch {
		case m.From < 0:
		case tl.OfLock(m.Line):
			lock++
		default:
			others++
		}
	}
	return lock, others
}

// The timelines show what the picture is for.
func TestTraceShows(t *testing.T) {
	// All that wait for a ticket lock read again after each release: the handoffs become
	// faster as they become fewer. After a release of an MCS lock one does.
	ticket, mcs := traced(t, "--lock ticket --cpus 12 --ops 1 --think 0s"), traced(t, "--lock mcs --cpus 12 --ops 1 --think 0s")
	again := func(tl *virtualTimeline, n int) (readers int) {
		u, next := tl.Uses[n], tl.Uses[n+1]
		seen := make(map[int]bool)
		for _, m := range tl.Moves {
			if m.From >= 0 && !m.Write && m.Served >= u.Releases && m.Served < next.Releases && !seen[m.To] {
				seen[m.To] = true
				readers++
			}
		}
		return readers
	}
	if early, late := again(ticket, 3), again(ticket, 9); early < 7 || late > 3 {
		t.Errorf("ticket: %d and %d CPUs read a line again, want 8 and 2 or so", early, late)
	}
	if early, late := again(mcs, 3), again(mcs, 9); early > 3 || late > 3 {
		t.Errorf("mcs: %d and %d CPUs read a line again, want 2 or so", early, late)
	}
	mean := func(tl *virtualTimeline) float64 {
		sum := int64(0)
		for _, h := range tl.Handovers {
			sum += tl.Took(h)
		}
		return float64(sum) / float64(len(tl.Handovers))
	}
	if a, b := mean(ticket), mean(mcs); a < b {
		t.Errorf("a handoff of ticket takes %.0f ps, of mcs %.0f: want more", a, b)
	}

	// Of two CPUs that want a qspinlock, one is pending and needs no place in a queue.
	if lock, others := travelled(traced(t, "--lock qspinlock --cpus 2 --ops 8")); lock < 8 || others > 0 {
		t.Errorf("qspinlock on 2 CPUs: %d lines of the lock and %d others went, want only the lock's", lock, others)
	}
	if _, others := travelled(traced(t, "--lock qspinlock --cpus 4 --ops 8")); others == 0 {
		t.Error("qspinlock on 4 CPUs: no line of the queue went")
	}
	if _, others := travelled(traced(t, "--lock mcs --cpus 2 --ops 8")); others == 0 {
		t.Error("mcs on 2 CPUs: no line of the queue went")
	}

	// A grace period waits for the readers that were there, and not for those that come.
	rcu := traced(t, "--lock rcu-domain-sync --readers 7 --writers 1 --hold 20us --think 10us --ops 3")
	graces, came := 0, 0
	old := make(map[int]bool)
	for _, g := range rcu.Uses {
		if g.Synchronize == 0 {
			continue
		}
		graces++
		for i, u := range rcu.Uses {
			if !u.Read {
				continue
			}
			before := u.Got < g.Synchronize && g.Synchronize < u.Returned
			if old[i] = old[i] || before; before && u.Releases > g.Over {
				t.Errorf("%+v began before the grace period of %+v: want it over", u, g)
			}
			if u.Got > g.Synchronize && u.Got < g.Over && u.Releases > g.Over {
				came++
			}
		}
	}
	for i, u := range rcu.Uses {
		if u.Old != old[i] {
			t.Errorf("%+v: a grace period waits for it: %t, want %t", u, u.Old, old[i])
		}
	}
	if graces != 3 || came == 0 {
		t.Errorf("%d grace periods, and %d readers came in one and stayed: want 3, and some", graces, came)
	}
}

// The same flags give the same bytes, in both formats, and another seed others.
func TestTraceAgain(t *testing.T) {
	of := func(flags string) string {
		tl := traced(t, flags)
		return string(encoded(t, tl.writeJSON)) + string(encoded(t, func(w io.Writer) error { return tl.WriteSVG(w, false) }))
	}
	for _, flags := range []string{"--lock ticket", "--lock mcs", "--lock mutex --workers 2", "--lock rcu-domain-sync --reads 70 --hold 3us"} {
		first := of(flags)
		if of(flags) != first {
			t.Errorf("%s: two timelines", flags)
		}
		if of(flags+" --seed 2") == first {
			t.Errorf("%s: the seed changes nothing", flags)
		}
	}
}

// In a picture texts do not overlap and are on the page; shapes have sizes.
func TestTracePicture(t *testing.T) {
	for _, flags := range []string{
		"--lock ticket --cpus 1 --ops 30", "--lock qspinlock --cpus 2 --ops 8", "--lock ticket --cpus 12 --ops 1",
		"--lock ticket --cpus 12 --ops 3 --from 4us --to 6us", "--lock tas --machine epyc-zen3 --cpus 20", "--lock mcs --cpus 64", "--lock mutex --cpus 2 --workers 4 --hold 20us",
		"--lock rcu-domain-sync --readers 5 --writers 2 --cpus 7 --hold 3us", "--lock rw-phasefair --reads 70 --machine milan-2s --cpus 24 --hold 0s",
	} {
		tl := traced(t, flags)
		picture := encoded(t, func(w io.Writer) error { return tl.WriteSVG(w, false) })
		if dark := encoded(t, func(w io.Writer) error { return tl.WriteSVG(w, true) }); bytes.Equal(dark, picture) || bytes.Contains(dark, []byte(`fill="#ffffff"`)) {
			t.Errorf("%s: the dark picture is not dark", flags)
		}
		texts, height := textsOf(t, picture)
		for i, a := range texts {
			if a.x1 < 4 || a.x2 > 1000-4 || a.y1 < 4 || a.y2 > height-4 {
				t.Errorf("%s: %q is not on the page", flags, a.says)
			}
			for _, b := range texts[:i] {
				if a.x1 < b.x2 && b.x1 < a.x2 && a.y1 < b.y2 && b.y1 < a.y2 {
					t.Errorf("%s: %q is over %q", flags, a.says, b.says)
				}
			}
		}
		for _, want := range []string{tl.Title, "CPU " + strconv.Itoa(tl.cpus-1), "--lock " + tl.name, "--seed 1"} {
			if !slices.ContainsFunc(texts, func(x textBox) bool { return strings.Contains(x.says, want) }) {
				t.Errorf("%s: no text has %q", flags, want)
			}
		}
	}
}

// A textBox is a text in a picture, and the rectangle that it fills.
type textBox struct {
	says           string
	x1, y1, x2, y2 float64
}

func textsOf(t *testing.T, picture []byte) (texts []textBox, height float64) {
	t.Helper()
	type text struct {
		X      float64 `xml:"x,attr"`
		Y      float64 `xml:"y,attr"`
		Size   float64 `xml:"font-size,attr"`
		Anchor string  `xml:"text-anchor,attr"`
		Says   string  `xml:",chardata"`
	}
	d := xml.NewDecoder(bytes.NewReader(picture))
	for {
		token, err := d.Token()
		if err == io.EOF {
			return texts, height
		}
		if err != nil {
			t.Fatal(err)
		}
		start, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		for _, a := range start.Attr {
			n, err := strconv.ParseFloat(a.Value, 64)
			switch {
			case err == nil && (math.IsNaN(n) || math.IsInf(n, 0) || n < 0):
				t.Errorf("%s %s=%q", start.Name.Local, a.Name.Local, a.Value)
			case start.Name.Local == "svg" && a.Name.Local == "height":
				height = n
			}
		}
		if start.Name.Local != "text" {
			continue
		}
		var x text
		if err := d.DecodeElement(&x, &start); err != nil {
			t.Fatal(err)
		}
		wide := 0.5 * x.Size * float64(len([]rune(x.Says)))
		left := map[string]float64{"start": 0, "middle": 0.5, "end": 1}[x.Anchor]
		texts = append(texts, textBox{x.Says, x.X - left*wide, x.Y - 0.75*x.Size, x.X + (1-left)*wide, x.Y + 0.2*x.Size})
	}
}

// A lostLock is not released from its third use on.
type lostLock struct {
	spinlock.TTAS
	uses int
}

func (l *lostLock) Unlock() {
	if l.uses++; l.uses < 3 {
		l.TTAS.Unlock()
	}
}

// A lock that gets stuck is named, with the state of the CPUs.
func TestTraceHang(t *testing.T) {
	c := traceCmd{Lock: "ttas", Machine: "milan-2s", CPUs: "2", Ops: "4", Hold: "0s", Think: "0s", Seed: "1", Out: filepath.Join(t.TempDir(), "x.json")}
	s, err := c.scene()
	if err != nil {
		t.Fatal(err)
	}
	s.fresh = func() sync.Locker { return new(lostLock) }
	s.limit = time.Millisecond
	_, err = s.record()
	if err == nil || !strings.Contains(err.Error(), `lock "ttas": hang: `) || !strings.Contains(err.Error(), "CPU 1 at ") {
		t.Fatalf("record of a lock that gets stuck = %v, want a hang with the state of the CPUs", err)
	}
	var errs bytes.Buffer
	if code := program.Report(&errs, err); code != exitFailed {
		t.Errorf("exit status %d, want %d", code, exitFailed)
	}
	if primitives.Virtual() {
		t.Error("the engine is still there")
	}
}

// A lock that excludes nothing is named, and what it did is written; what is too much for
// a picture is not.
func TestTraceFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, test := range []struct {
		flags  string
		code   int
		stderr string
	}{
		{"--lock busted --out busted.json", exitFailed, `locksim: lock "busted": two workers were in the section at once` + "\n"},
		{"--lock busted --cpus 2 --out busted.svg --dark", exitFailed, `locksim: lock "busted": two workers were in the section at once` + "\n"},
		{"--lock mcs --out mcs.svg", exitOK, ""},
		{"--lock tas --cpus 64 --ops 20 --out large.svg", exitUsage, "locksim: --out large.svg: "},
		{"--lock mcs --out missing/dir/x.svg", exitOK, ""},
	} {
		code, stdout, stderr := locksim("trace " + test.flags)
		if code != test.code || !strings.HasPrefix(stderr, test.stderr) || strings.Count(stderr, "\n") != len(strings.Split(test.stderr, "\n"))-1 && code != exitUsage {
			t.Errorf("$ locksim trace %s\nexit status %d, want %d: %s", test.flags, code, test.code, stderr)
		}
		words := strings.Fields(test.flags)
		name := words[slices.Index(words, "--out")+1]
		_, err := os.Stat(name)
		if written := err == nil; written != (code != exitUsage) || written != strings.HasPrefix(stdout, name+": ") {
			t.Errorf("$ locksim trace %s: %s is there: %t; stdout %q", test.flags, name, written, stdout)
		}
	}
	if left, _ := filepath.Glob(".lockbench*"); len(left) > 0 {
		t.Errorf("%v are left", left)
	}
}

// The pictures of docs/simulator.md are what the commands on that page draw, each in a
// process of its own.
func TestTraceFigures(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var drawn []string
	blocks, _ := script.Pages(t, "../..")
	for _, b := range blocks {
		for _, line := range b.Commands {
			args, found := strings.CutPrefix(line, "locksim ")
			if !found || b.Page != "docs/simulator.md" || !strings.Contains(line, "--out docs/fig-trace-") {
				continue
			}
			for dark, procs := range map[string]string{"": "2", "-dark": "40"} { // the host does not matter
				before, name, _ := strings.Cut(args, "--out docs/")
				name = strings.TrimSuffix(name, ".svg") + dark + ".svg"
				out := filepath.Join(t.TempDir(), name)
				command := before + "--out " + out
				if dark != "" {
					command += " --dark"
				}
				cmd := exec.Command(self, strings.Fields(command)...) // see TestMain
				cmd.Env = append(os.Environ(), "GOMAXPROCS="+procs)
				if output, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("$ locksim %s\n%v: %s", command, err, output)
				}
				got, err := os.ReadFile(out)
				if err != nil {
					t.Fatal(err)
				}
				if want, err := os.ReadFile("../../docs/" + name); err != nil || !bytes.Equal(got, want) {
					t.Errorf("docs/%s is not what the command on the page draws (%v): go run ./tools/figures -measure traces", name, err)
				}
				drawn = append(drawn, name)
			}
		}
	}
	have, err := filepath.Glob("../../docs/fig-trace-*.svg")
	if err != nil {
		t.Fatal(err)
	}
	if len(drawn) < 8 || len(have) != len(drawn) {
		t.Errorf("the page has commands for %q, docs %d pictures: want four, and four for dark pages", drawn, len(have))
	}
}
