package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/advice"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// adviceWidth is the width of the text, in characters.
const adviceWidth = 80

// advise writes answers for people. measure returns the command that measures a lock in the
// workload.
func advise(b *strings.Builder, q advice.Question, facts results.Facts, answers []advice.Answer, measure func(lock string) string) {
	wording.Wrap(b, describeWorkload(q), "", adviceWidth)
	from := "measured: " + strings.TrimSuffix(machine(facts)+", "+facts.CPU, ", ")
	if isSimulated(facts) {
		from = "simulated, not measured: " + strings.TrimPrefix(facts.Machine, "sim:")
	}
	wording.Wrap(b, wording.Clean(from), "", adviceWidth)
	var takes []string
	for _, a := range answers {
		b.WriteByte('\n')
		writeAnswer(b, q, a, measure)
		if a.NoData == nil && !slices.Contains(takes, a.Take) {
			takes = append(takes, a.Take)
		}
	}
	for _, take := range takes {
		writeUse(b, take)
	}
}

// describeWorkload returns the workload, and what the lock must be, in a line.
func describeWorkload(q advice.Question) string {
	parts := []string{wording.Count(q.CPUs, "CPU"), wording.Count(q.Workers, "goroutine"), fmt.Sprintf("%d%% reads", q.Reads), fmt.Sprintf("hold %v", q.Hold), fmt.Sprintf("think %v", q.Think)}
	for _, other := range []struct{ key, value string }{
		{"workload", q.Workload}, {"work", q.Work}, {"mode", q.Mode}, {"gc", q.GC}, {"place", q.Place},
	} {
		if other.value != "" {
			parts = append(parts, other.key+" "+other.value)
		}
	}
	if unit := asked[q.Unit]; unit.what != "" {
		parts = append(parts, "for "+unit.what)
	}
	if q.MaxBytes > 0 {
		parts = append(parts, "at most "+wording.Count(q.MaxBytes, "byte"))
	}
	if q.Fair {
		parts = append(parts, "fair")
	}
	if q.MayBlock {
		parts = append(parts, "sections may block")
	}
	return strings.Join(parts, ", ")
}

// shownLocks is how many locks the table of an answer has, in addition to those of
// package sync.
const shownLocks = 8

func writeAnswer(b *strings.Builder, q advice.Question, a advice.Answer, measure func(lock string) string) {
	head := ""
	switch a.Distance {
	case results.Near, results.Far:
		head = string(a.Distance) + ": "
	case results.Unknown:
		head = "distance of the CPUs unknown: "
	}
	if a.NoData != nil {
		wording.Wrap(b, fmt.Sprintf("%sno answer: %v", head, a.NoData), "  ", adviceWidth)
		return
	}
	wording.Wrap(b, head+takeIt(q, a), "  ", adviceWidth)
	if !slices.ContainsFunc(a.Ranked, func(e advice.Estimate) bool { return standard(q, e.Lock) }) && !slices.ContainsFunc(a.LeftOut, func(l advice.LeftOut) bool { return standard(q, l.Lock) }) {
		wording.Wrap(b, "sync.Mutex was not measured: "+measure("sync.Mutex"), "  ", adviceWidth)
	}
	if len(a.Cells) > 1 {
		wording.Wrap(b, "interpolated, so less certain than it looks, from "+wording.Count(len(a.Cells), "cell")+" around it: "+between(a.Cells), "  ", adviceWidth)
	}
	b.WriteByte('\n')

	unit := asked[q.Unit]
	rows := [][]string{{"", "LOCK", unit.head, "95%", "TIMES", "95%", "JAIN", "CPU NS/OP"}}
	hidden := 0
	for i, e := range a.Ranked {
		if i >= shownLocks && !standard(q, e.Lock) && e.Lock != a.Take {
			hidden++
			continue
		}
		mark := ""
		if e.Tied {
			mark = "="
		}
		times := fmt.Sprintf("%s-%s", factor(e.TimesLo), factor(e.TimesHi))
		if e.Lock == a.Take {
			times = ""
		}
		rows = append(rows, []string{mark, wording.Clean(e.Lock), wording.Number(e.NS), wording.Number(e.Lo) + "-" + wording.Number(e.Hi), "×" + factor(e.Times), times, factor(e.Jain), wording.Number(e.CPUNS)})
	}
	if q.Unit == "cpu-ns/op" { // it is there already
		for i, row := range rows {
			rows[i] = row[:len(row)-1]
		}
	}
	wording.Columns(b, rows, "<<")
	if hidden > 0 {
		fmt.Fprintf(b, "   and %s\n", wording.Count(hidden, "slower lock"))
	}
	interval := "95% interval"
	if q.Exact {
		interval += ", or the range if it has fewer than 6 samples"
	}
	wording.Wrap(b, fmt.Sprintf("%s: %s, with its %s; TIMES: %[1]s by that of %[4]s; =: not told apart from the fastest, or within %[5]s of it", unit.head, unit.is, interval, wording.Clean(a.Take), wording.Share(q.Margin)), "", adviceWidth)
	b.WriteByte('\n')

	for _, e := range a.Ranked {
		if e.Lock != a.Take {
			wording.Wrap(b, fmt.Sprintf("runner-up: %s, ×%s [%s, %s] of the time of %s", wording.Clean(e.Lock), factor(e.Times), factor(e.TimesLo), factor(e.TimesHi), a.Take), "  ", adviceWidth)
			break
		}
	}
	for _, f := range a.Flips {
		wording.Wrap(b, fmt.Sprintf("another lock wins at %s: %s, ×%s [%s, %s] of the time of %s", changed(f), wording.Clean(f.Lock), factor(f.Times), factor(f.TimesLo), factor(f.TimesHi), a.Take), "  ", adviceWidth)
	}
	switch {
	case len(a.Flips) > 0:
	case a.Scenarios == 1:
		b.WriteString("the files have no other workload, so when that changes is not known\n")
	default:
		b.WriteString("within the data, no other value of one of the numbers gives another answer\n")
	}
	if text := leftOut(a.LeftOut); text != "" {
		wording.Wrap(b, "left out: "+text, "  ", adviceWidth)
	}
}

// asked says of a unit what was asked for, how the column is called, and what it is.
var asked = map[string]struct{ what, head, is string }{
	"ns/op":        {"", "NS/OP", "wall time by the operations of all goroutines"},
	"cpu-ns/op":    {"cpu", "CPU NS/OP", "CPU time of all goroutines, waiting included, by their operations"},
	"write-p99-ns": {"latency", "WRITE P99 NS", "99th percentile of the wait of a writer"},
	"read-p99-ns":  {"latency", "READ P99 NS", "99th percentile of the wait of a reader"},
}

// standard reports whether a lock is of package sync.
func standard(q advice.Question, lock string) bool {
	return slices.ContainsFunc(q.Locks, func(l advice.Lock) bool { return l.Name == lock && l.Standard })
}

// takeIt says which lock to take, and why.
func takeIt(q advice.Question, a advice.Answer) string {
	take := "take " + wording.Clean(a.Take)
	switch {
	case standard(q, a.Take) && len(a.Ranked) == 1 && len(a.LeftOut) == 0:
		return take + ": the only lock measured there, so nothing is compared"
	case standard(q, a.Take) && a.Ranked[0].Lock == a.Take:
		return take + ": none is faster"
	case standard(q, a.Take):
		return fmt.Sprintf("%s: no difference beyond noise and %s", take, wording.Share(q.Margin))
	case a.Surely:
		for _, e := range a.Ranked { // the faster one first
			if standard(q, e.Lock) {
				return fmt.Sprintf("%s: %s takes ×%s [%s, %s] of its time", take, e.Lock, factor(e.Times), factor(e.TimesLo), factor(e.TimesHi))
			}
		}
	case a.Ranked[0].Lock != a.Take:
		return fmt.Sprintf("%s: none is faster beyond noise and %s, of those that ask for nothing else", take, wording.Share(q.Margin))
	}
	switch {
	case len(a.Ranked) == 1 && len(a.LeftOut) == 0:
		return take + ": the only lock measured there, so nothing is compared"
	case len(a.LeftOut) == 0:
		return take + ": the fastest of those measured"
	case len(a.Ranked) == 1:
		return take + ": the only one that suits"
	}
	take += ": the fastest of those that suit"
	for _, l := range a.LeftOut {
		if standard(q, l.Lock) && l.Why == advice.TooFew { // otherwise it does not suit
			take += "; " + l.Lock + " has too few samples there to compare"
		}
	}
	return take
}

// factor writes a ratio or an index to three digits at most.
func factor(v float64) string {
	switch {
	case math.IsNaN(v):
		return "-"
	case v < 99.5:
		return fmt.Sprintf("%.2f", v)
	}
	return wording.Number(v)
}

// between says where cells differ: "reads 90%, 99%; CPUs 1, 4".
func between(cells []results.Cell) string {
	var parts []string
	for _, axis := range []struct {
		name string
		of   func(results.Cell) string
	}{
		{"CPUs", func(c results.Cell) string { return fmt.Sprint(c.CPUs) }},
		{"goroutines", func(c results.Cell) string { return fmt.Sprint(c.Workers) }},
		{"reads", func(c results.Cell) string { return fmt.Sprintf("%d%%", c.Reads) }},
		{"hold", func(c results.Cell) string { return c.Hold.String() }},
		{"think", func(c results.Cell) string { return c.Think.String() }},
	} {
		var values []string
		for _, c := range cells {
			if v := axis.of(c); !slices.Contains(values, v) {
				values = append(values, v)
			}
		}
		if len(values) > 1 {
			parts = append(parts, axis.name+" "+strings.Join(values, ", "))
		}
	}
	return strings.Join(parts, "; ")
}

// changed says what is another at a flip.
func changed(f advice.Flip) string {
	switch f.Axis {
	case "cpus":
		return wording.Count(f.Cell.CPUs, "CPU")
	case "workers":
		return wording.Count(f.Cell.Workers, "goroutine")
	case "reads":
		return fmt.Sprintf("%d%% reads", f.Cell.Reads)
	case "hold":
		return fmt.Sprintf("hold %v", f.Cell.Hold)
	}
	return fmt.Sprintf("think %v", f.Cell.Think)
}

// leftOut says which locks are not ranked, by reason.
func leftOut(all []advice.LeftOut) string {
	var reasons []string
	by := make(map[string][]string)
	for _, l := range all {
		if by[l.Why] == nil {
			reasons = append(reasons, l.Why)
		}
		by[l.Why] = append(by[l.Why], wording.Clean(l.Lock))
	}
	for i, why := range reasons {
		reasons[i] = strings.Join(by[why], ", ") + " (" + why + ")"
	}
	return strings.Join(reasons, "; ")
}

// writeUse writes how a program uses a lock, if that is known.
func writeUse(b *strings.Builder, lock string) {
	e, ok := entry(lock)
	if !ok {
		return
	}
	text := fmt.Sprintf("%s is %s", lock, e.Type())
	if lock != e.Name {
		text += ", of which a model was simulated"
	}
	if needs := e.Needs(); needs != "" {
		text += "; " + needs
	}
	b.WriteByte('\n')
	wording.Wrap(b, text+":", "  ", adviceWidth)
	b.WriteString("\n" + e.Snippet())
}

// An advised is an answer as advise --json writes it. Numbers that are not known are
// null.
type advised struct {
	Distance string         `json:"distance"`          // local, near, far, or "" if unknown
	NoData   string         `json:"no_data,omitempty"` // why there is no answer
	Take     string         `json:"take,omitempty"`
	Type     string         `json:"type,omitempty"` // in Go; "" if it is not known
	Needs    string         `json:"needs,omitempty"`
	Surely   bool           `json:"surely"`
	Cells    []string       `json:"cells,omitempty"` // the scenarios that it is from
	Ranked   []advisedLock  `json:"ranked,omitempty"`
	Flips    []advisedFlip  `json:"flips,omitempty"`
	LeftOut  []advisedOther `json:"left_out,omitempty"`
}

type advisedLock struct {
	Lock    string             `json:"lock"`
	NS      wording.JSONNumber `json:"ns_per_op"` // or nanoseconds of the unit
	Lo      wording.JSONNumber `json:"ns_per_op_lo"`
	Hi      wording.JSONNumber `json:"ns_per_op_hi"`
	Times   wording.JSONNumber `json:"times"` // over the lock to take
	TimesLo wording.JSONNumber `json:"times_lo"`
	TimesHi wording.JSONNumber `json:"times_hi"`
	Tied    bool               `json:"tied"`
	Jain    wording.JSONNumber `json:"jain"`
	CPUNS   wording.JSONNumber `json:"cpu_ns_per_op"`
}

type advisedFlip struct {
	Axis    string             `json:"axis"`
	Cell    string             `json:"cell"`
	Lock    string             `json:"lock"`
	Times   wording.JSONNumber `json:"times"`
	TimesLo wording.JSONNumber `json:"times_lo"`
	TimesHi wording.JSONNumber `json:"times_hi"`
}

type advisedOther struct {
	Lock string `json:"lock"`
	Why  string `json:"why"`
}

// adviseJSON writes answers for programs. Scenarios have names as in results files,
// with a lock of no name.
func adviseJSON(w io.Writer, q advice.Question, facts results.Facts, answers []advice.Answer) error {
	var all struct {
		Schema   int       `json:"schema"` // 1
		Machine  string    `json:"machine"`
		Workload string    `json:"workload"`
		Unit     string    `json:"unit"`                // that locks are ranked by; nanoseconds
		MaxBytes int       `json:"max_bytes,omitempty"` // 0 for any number
		Fair     bool      `json:"fair"`
		MayBlock bool      `json:"may_block"`
		Margin   float64   `json:"margin"`
		Answers  []advised `json:"answers"`
	}
	all.Schema, all.Machine, all.Workload = 1, machine(facts), q.Cell.String()
	all.Unit, all.MaxBytes = q.Unit, q.MaxBytes
	all.Fair, all.MayBlock, all.Margin = q.Fair, q.MayBlock, q.Margin
	for _, a := range answers {
		to := advised{Distance: string(a.Distance), Take: a.Take, Surely: a.Surely}
		if a.NoData != nil {
			to.NoData = a.NoData.Error()
		}
		if e, ok := entry(a.Take); ok {
			to.Type, to.Needs = e.Type(), e.Needs()
		}
		for _, c := range a.Cells {
			to.Cells = append(to.Cells, c.String())
		}
		for _, e := range a.Ranked {
			to.Ranked = append(to.Ranked, advisedLock{e.Lock, wording.JSONNumber(e.NS), wording.JSONNumber(e.Lo), wording.JSONNumber(e.Hi),
				wording.JSONNumber(e.Times), wording.JSONNumber(e.TimesLo), wording.JSONNumber(e.TimesHi), e.Tied, wording.JSONNumber(e.Jain), wording.JSONNumber(e.CPUNS)})
		}
		for _, f := range a.Flips {
			to.Flips = append(to.Flips, advisedFlip{f.Axis, f.Cell.String(), f.Lock, wording.JSONNumber(f.Times), wording.JSONNumber(f.TimesLo), wording.JSONNumber(f.TimesHi)})
		}
		for _, l := range a.LeftOut {
			to.LeftOut = append(to.LeftOut, advisedOther{l.Lock, l.Why})
		}
		all.Answers = append(all.Answers, to)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(all)
}

// entry returns a lock of the catalogue: of a model, the lock that it stands in for.
func entry(lock string) (e catalog.Entry, ok bool) {
	all := catalog.All()
	i := slices.IndexFunc(all, func(e catalog.Entry) bool {
		s, ok := e.Simulated()
		return e.Name == lock || ok && s.Name == lock
	})
	if i < 0 {
		return e, false
	}
	return all[i], true
}
