package report

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A browser is headless Chromium with a page open.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string // of its console
}

// open opens a page in Chromium; without Chromium the test is skipped. (Where there is to
// be one, as in CI, the variable LOCKBENCH_BROWSER makes that an error.)
func open(t *testing.T, text string, width, height int) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("LOCKBENCH_BROWSER") != "" {
			t.Fatal(err)
		}
		t.Skip("no chromium on this machine")
	}
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	b.do(chromedp.Navigate("about:blank"))
	messages := chromedp.Console(ctx) // from now on
	go func() {
		for m, err := range messages {
			if err != nil {
				return
			}
			b.mu.Lock()
			b.problems = append(b.problems, fmt.Sprint(m))
			b.mu.Unlock()
		}
	}()
	b.do(chromedp.Navigate("file://" + file))
	return b
}

// said returns what the console has: the page writes nothing, so it is a problem.
func (b *browser) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.problems)
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx := b.ctx
	if chromedp.FromContext(ctx).Target != nil { // the first call starts the browser, which a timeout would stop
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Minute)
		defer cancel()
	}
	if err := chromedp.Do(ctx, steps...); err != nil {
		b.t.Fatalf("%v; console: %q", err, b.said())
	}
}

// eval returns the value of an expression.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v; console: %q", expression, err, b.said())
	}
	return v
}

// shoot writes a picture of the page, for a person to look at, into the directory that
// LOCKBENCH_SHOTS names.
func (b *browser) shoot(name string) {
	dir := os.Getenv("LOCKBENCH_SHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o666); err != nil {
		b.t.Fatal(err)
	}
}

// press presses the button of a fieldset with that text.
func (b *browser) press(fieldset, text string) {
	b.t.Helper()
	if !eval[bool](b, fmt.Sprintf("((button) => { if (button) button.click(); return Boolean(button); })([...document.querySelectorAll(%q)].find((b) => b.textContent === %q))", fieldset+" button", text)) {
		b.t.Fatalf("no button %s in %s", text, fieldset)
	}
}

// sweepText returns a results file of some locks over CPUs and shares of reads.
func sweepText(machine string, locks, cpus, samples int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "goos: linux\ngoarch: amd64\ncpu: A CPU\nmachine: %s\n", machine)
	for round := range samples {
		for l := range locks {
			for c := range cpus {
				for _, reads := range []int{0, 50, 90, 99, 100} {
					n := 1 << (c % 9)
					ns := float64(50+7*l)*(1+0.3*float64(c*(1+l%3)))*(1-float64(reads)/150) + float64((round*7+l*3+c)%5)
					fmt.Fprintf(&b, "BenchmarkLock/lock=lock%d/reads=%d/workers=%d/hold=%dns/think=100ns-%d 1000 %.2f ns/op %.2f jain %.2f cpu-ns/op\n",
						l, reads, n, c/9, n, ns, 1/float64(1+l%4), ns*float64(n))
				}
			}
		}
	}
	return b.String()
}

// In a browser the page shows every figure without an error on its console; its filters
// change what is shown, it can be used with the keys, and no text lies over another.
func TestBrowser(t *testing.T) {
	p := Page{Sources: []Source{sourceOf(t, "host.txt", sweepText("host", 12, 4, 7)), sourceOf(t, "sim.txt", sweepText("sim:milan-2s", 6, 8, 1))},
		Locks: []Lock{{Name: "lock0", Bytes: 4, Waiter: 48, Order: "FIFO", Waits: "spins"}, {Name: "lock1", Bytes: 8}}}
	b := open(t, page(t, p), 1200, 900)
	b.shoot("light")
	for _, id := range []string{"winners", "curves", "heat", "fair", "burn", "memory", "numbers"} {
		if n := eval[int](b, `document.querySelectorAll("#`+id+`:not([hidden]) figure").length`); n == 0 {
			t.Errorf("no figure in %s", id)
		}
	}
	cells := eval[string](b, `document.body.dataset.cells`)
	b.do(chromedp.Click(`#reads input`))
	if now := eval[string](b, `document.body.dataset.cells`); now == cells || now == "0" {
		t.Errorf("%s cells, and %s without a share of reads", cells, now)
	}
	b.press("#locks", "none")
	if now := eval[string](b, `document.body.dataset.cells`); now != "0" {
		t.Errorf("%s cells without locks", now)
	}
	b.press("#locks", "all")
	if hash := eval[string](b, `location.hash`); !strings.Contains(hash, "lock11") {
		t.Errorf("the address %s does not have what is chosen", hash)
	}
	b.do(chromedp.Focus(`#curves svg[tabindex]`), chromedp.KeyEvent(kb.ArrowRight), chromedp.KeyEvent(kb.ArrowRight))
	if text := eval[string](b, `document.getElementById("tip").hidden ? "" : document.getElementById("tip").textContent`); !strings.Contains(text, "ns/op") {
		t.Errorf("the arrow keys show %q", text)
	}
	eval[chromedp.Void](b, `document.querySelector("#numbers summary").click()`)
	b.do(chromedp.Sleep(200 * time.Millisecond)) // the table is made when it is opened
	if n := eval[int](b, `document.querySelectorAll("#numbers tbody tr").length`); n < 100 {
		t.Errorf("%d rows of numbers", n)
	}
	if over := eval[[]string](b, overlaps); len(over) > 0 {
		t.Errorf("texts lie over each other: %q", over)
	}
	eval[chromedp.Void](b, `document.getElementById("look").click()`)
	b.shoot("dark")
	if said := b.said(); len(said) > 0 {
		t.Errorf("console: %q", said)
	}
	narrow := open(t, page(t, p), 600, 800)
	narrow.do(chromedp.EmulateViewport(390, 800))
	narrow.shoot("narrow")
	if w := eval[int](narrow, `document.documentElement.scrollWidth`); w > 390 {
		t.Errorf("%d pixels wide on a screen of 390", w)
	}
}

// overlaps lists pairs of texts of one picture that lie over each other.
const overlaps = `[...document.querySelectorAll("figure svg")].flatMap((svg) => {
	const boxes = [...svg.querySelectorAll("text")].map((t) => [t.textContent, t.getBoundingClientRect()]);
	return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([, q]) =>
		Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 3).map(([b]) => a + " | " + b));
})`

// A report of ten thousand cells opens. How long that takes is reported.
func TestLarge(t *testing.T) {
	text := page(t, Page{Sources: []Source{sourceOf(t, "host.txt", sweepText("host", 60, 34, 1))}})
	if n := len(drawn(t, text).Cells); n < 10_000 {
		t.Fatalf("%d cells", n)
	}
	b := open(t, text, 1200, 900)
	if n := eval[int](b, `document.querySelectorAll("#winners figure").length`); n == 0 {
		t.Error("no map of winners")
	}
	t.Logf("%d bytes, drawn after %.0f ms", len(text), eval[float64](b, `performance.timing.loadEventEnd - performance.timing.navigationStart`))
}
