package claims

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// What is far from a limit is told, and what is not is not.
func TestVerdicts(t *testing.T) {
	spread := func(middle float64) (values []float64) {
		for i := range 25 {
			values = append(values, middle+float64(i-12)/10)
		}
		return values
	}
	for _, test := range []struct {
		middle float64
		want   Verdict
	}{{20, Holds}, {5, DoesNotHold}, {10.1, CannotTell}} {
		if got := least(spread(test.middle), 10); got != test.want {
			t.Errorf("least of about %v, want 10: %s, want %s", test.middle, got, test.want)
		}
	}
	if got := least([]float64{100, 100, 100}, 10); got != CannotTell {
		t.Errorf("three values are enough: %s", got)
	}
	if got := most(spread(5), 10); got != Holds {
		t.Errorf("most of about 5, want 10: %s", got)
	}
	for _, test := range [][3]Verdict{{Holds, Holds, Holds}, {Holds, CannotTell, CannotTell}, {CannotTell, DoesNotHold, DoesNotHold}} {
		if got := both(test[0], test[1]); got != test[2] {
			t.Errorf("both %s and %s: %s, want %s", test[0], test[1], got, test[2])
		}
	}
}

// Claims have names of their own, say something, and what is counted on the host holds.
func TestClaims(t *testing.T) {
	names := Names()
	if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) || len(names) < 10 {
		t.Errorf("names %q", names)
	}
	for _, c := range All() {
		if !strings.HasSuffix(c.Says, ".") || c.Try == nil {
			t.Errorf("claim %s says %q", c.Name, c.Says)
		}
	}
	for name, want := range map[string]Verdict{"bytes": Holds, "semaphore": Holds, "grace": Holds} {
		i := slices.IndexFunc(All(), func(c Claim) bool { return c.Name == name })
		o, err := All()[i].Try(context.Background())
		if err != nil || o.Verdict != want || o.Saw == "" || len(o.Bars) == 0 {
			t.Errorf("%s: %+v, error %v; want %s", name, o, err, want)
		}
		for _, b := range o.Bars {
			if b.Lo != b.Hi || All()[i].Measured {
				t.Errorf("%s: %+v: want what is counted, and no measured claim", name, b)
			}
		}
		if name != "grace" { // which counts milliseconds
			sameOnPage(t, Result{name, All()[i].Says, false, o})
		}
	}
}

var number = regexp.MustCompile(`\d+(\.\d+)?`)

// sameOnPage checks that docs/claims.md says the same of a claim: the same words, and numbers
// that are at most 15 % apart.
func sameOnPage(t *testing.T, r Result) {
	t.Helper()
	page, err := os.ReadFile("../../docs/claims.md")
	if err != nil {
		t.Fatal(err)
	}
	_, there, _ := strings.Cut(string(page), "\n## "+r.Name+"\n")
	there, _, _ = strings.Cut(there, "\n## ")
	var b bytes.Buffer
	if err := WriteMarkdown(&b, []Result{r}, "", func(name string) string { return "claims-" + name + ".svg" }); err != nil {
		t.Fatal(err)
	}
	_, here, _ := strings.Cut(b.String(), "\n## "+r.Name+"\n")
	words := func(s string) string { return strings.Join(strings.Fields(number.ReplaceAllString(s, "0")), " ") }
	if words(here) != words(there) {
		t.Errorf("docs/claims.md says of %s\n%s\nwant\n%s\nwrite it again: lockbench claims --out docs/claims.md", r.Name, there, here)
		return
	}
	was := number.FindAllString(there, -1)
	for i, text := range number.FindAllString(here, -1) {
		a, _ := strconv.ParseFloat(text, 64)
		b, _ := strconv.ParseFloat(was[i], 64)
		if math.Abs(a-b) > 0.15*math.Max(a, b) {
			t.Errorf("docs/claims.md: %s is %s there, want %s: write it again: lockbench claims --out docs/claims.md", r.Name, was[i], text)
		}
	}
}

// The page has all claims, with their words, and no others.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/claims.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(string(page)) {
		if row, ok := strings.CutPrefix(line, "| ["); ok {
			name, rest, _ := strings.Cut(row, "](#")
			_, rest, _ = strings.Cut(rest, "| ")
			says, verdict, _ := strings.Cut(rest, " | ")
			rows = append(rows, name+": "+says)
			verdict = upper(strings.TrimSuffix(verdict, " |\n"))
			_, section, _ := strings.Cut(string(page), "\n## "+name+"\n\n")
			section, _, _ = strings.Cut(strings.ReplaceAll(section, "\n", " "), "  ")
			if want := "**" + says + "** *" + verdict + ".*"; section != want {
				t.Errorf("%s: the section begins with %q, want %q as in the table", name, section, want)
			}
		}
	}
	var want []string
	for _, c := range All() {
		want = append(want, c.Name+": "+c.Says)
		if _, err := os.Stat("../../docs/claims-" + c.Name + ".svg"); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(rows, want) {
		t.Errorf("docs/claims.md has %q, want %q: write it again: lockbench claims --out docs/claims.md", rows, want)
	}
}

// A lostPermit is a semaphore whose permit an Up loses.
type lostPermit struct{}

func (lostPermit) Down()         {}
func (lostPermit) Up()           {}
func (lostPermit) TryDown() bool { return false }

// Two ticket locks are not two sizes, a lock of two words is not one of four bytes, and a
// permit that is lost is not free.
func TestExactTwins(t *testing.T) {
	for name, try := range map[string]func() (Outcome, error){
		"a ticket lock for a queue": func() (Outcome, error) { return sizes("ticket", "ticket", "qspinlock") },
		"a ticket lock for a word":  func() (Outcome, error) { return sizes("ticket", "mcs-queue", "ticket") },
		"a lost permit":             func() (Outcome, error) { return semaphore(lostPermit{}) },
	} {
		if o, err := try(); err != nil || o.Verdict != DoesNotHold {
			t.Errorf("%s: %+v, error %v: want a verdict that it does not hold", name, o, err)
		}
	}
}

// A lock in place of RCU lets later readers in, so its writer waits for them.
func TestGraceTwin(t *testing.T) {
	if o, err := grace(newGraceTwin()); err != nil || o.Verdict != DoesNotHold {
		t.Errorf("%+v, error %v: want a verdict that it does not hold", o, err)
	}
}

// The measured claims flip where the locks do: two that spin, two locks.
// What is measured may be undecided on a busy machine, but not the opposite of the truth.
func TestMeasuredTwins(t *testing.T) {
	if testing.Short() {
		t.Skip("measures")
	}
	for _, test := range []struct {
		name string
		try  func(context.Context) (Outcome, error)
	}{
		{"burns", func(ctx context.Context) (Outcome, error) { return burns(ctx, "tas", "ttas") }},
		{"readers-1", func(ctx context.Context) (Outcome, error) {
			return cheaper(ctx, "rw-readerpref", []string{"rw-queued"})
		}},
	} {
		o, err := test.try(context.Background())
		if err != nil || o.Verdict == Holds {
			t.Errorf("%s: %+v, error %v: want that it does not hold", test.name, o, err)
		}
		t.Logf("%s: %s. %s", test.name, o.Verdict, o.Saw)
	}
}

func TestShow(t *testing.T) {
	all := []Result{{"a-claim", "This < that.", true, Outcome{Verdict: DoesNotHold, Saw: "It was 3.", Asked: "at least 5", On: "paper", Unit: "lines/op",
		Bars: []Bar{{"this & that", 3, 2, 4}, exact("zero", 0)}}}}
	var b bytes.Buffer
	if err := WriteText(&b, all); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if len(line) > 81 {
			t.Errorf("a line of %d characters: %s", len(line), line)
		}
	}
	for _, want := range []string{"does not hold  This < that. (a-claim)", "It was 3.", "Wanted: at least 5. On paper."} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
	b.Reset()
	if err := WriteMarkdown(&b, all, "lockbench claims", func(name string) string { return "claim-" + name + ".svg" }); err != nil || !strings.Contains(b.String(), "![lines/op](claim-a-claim.svg)") {
		t.Errorf("error %v in\n%s", err, &b)
	}
	for d := xml.NewDecoder(bytes.NewReader(all[0].Figure())); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	b.Reset()
	if err := WriteJSON(&b, all); err != nil {
		t.Fatal(err)
	}
	if read, err := ReadJSON(&b); err != nil || !reflect.DeepEqual(read, all) {
		t.Errorf("read %+v, error %v", read, err)
	}
	if _, err := ReadJSON(strings.NewReader("[]")); err == nil {
		t.Error("no claims are no error")
	}
	if bar := measuredBar("few", []float64{3, 1, 2}); bar.Lo != 1 || bar.Hi != 3 || math.IsNaN(bar.Value) {
		t.Errorf("%+v", bar)
	}
}
