package report

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// A browser is headless Chromium with a page open.
type browser struct {
	t        *testing.T
	ctx      context.Context
	problems []string // errors of its console
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
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(width, height),
		chromedp.Flag("disable-quic", true), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	b := &browser{t: t, ctx: ctx}
	chromedp.ListenTarget(ctx, func(event any) {
		switch e := event.(type) {
		case *runtime.EventExceptionThrown:
			b.problems = append(b.problems, e.ExceptionDetails.Error())
		case *runtime.EventConsoleAPICalled:
			if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
				b.problems = append(b.problems, fmt.Sprint(e.Args))
			}
		}
	})
	b.do(chromedp.Navigate("file://" + file))
	return b
}

func (b *browser) do(actions ...chromedp.Action) {
	b.t.Helper()
	if err := chromedp.Run(b.ctx, actions...); err != nil {
		b.t.Fatalf("%v; console: %s", err, strings.Join(b.problems, "\n"))
	}
}

// eval returns the value of an expression.
func eval[T any](b *browser, expression string) (v T) {
	b.t.Helper()
	b.do(chromedp.Evaluate(expression, &v))
	return v
}

// shoot writes a picture of the page, for a person to look at, into the directory that
// LOCKBENCH_SHOTS names.
func (b *browser) shoot(name string) {
	dir := os.Getenv("LOCKBENCH_SHOTS")
	if dir == "" {
		return
	}
	var picture []byte
	b.do(chromedp.FullScreenshot(&picture, 100))
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o666); err != nil {
		b.t.Fatal(err)
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
	b.do(chromedp.Click(`#reads input`, chromedp.ByQuery))
	if now := eval[string](b, `document.body.dataset.cells`); now == cells || now == "0" {
		t.Errorf("%s cells, and %s without a share of reads", cells, now)
	}
	b.do(chromedp.Click(`//fieldset[@id="locks"]/button[text()="none"]`, chromedp.BySearch))
	if now := eval[string](b, `document.body.dataset.cells`); now != "0" {
		t.Errorf("%s cells without locks", now)
	}
	b.do(chromedp.Click(`//fieldset[@id="locks"]/button[text()="all"]`, chromedp.BySearch))
	if hash := eval[string](b, `location.hash`); !strings.Contains(hash, "lock11") {
		t.Errorf("the address %s does not have what is chosen", hash)
	}
	b.do(chromedp.Focus(`#curves svg[tabindex]`, chromedp.ByQuery), chromedp.KeyEvent("\ue014"), chromedp.KeyEvent("\ue014")) // arrow to the right
	if text := eval[string](b, `document.getElementById("tip").hidden ? "" : document.getElementById("tip").textContent`); !strings.Contains(text, "ns/op") {
		t.Errorf("the arrow keys show %q", text)
	}
	b.do(chromedp.Click(`#numbers summary`, chromedp.ByQuery), chromedp.Sleep(200*time.Millisecond))
	if n := eval[int](b, `document.querySelectorAll("#numbers tbody tr").length`); n < 100 {
		t.Errorf("%d rows of numbers", n)
	}
	if over := eval[[]string](b, overlaps); len(over) > 0 {
		t.Errorf("texts lie over each other: %q", over)
	}
	b.do(chromedp.Click(`#look`, chromedp.ByQuery))
	b.shoot("dark")
	if len(b.problems) > 0 {
		t.Errorf("console: %s", strings.Join(b.problems, "\n"))
	}
	narrow := open(t, page(t, p), 390, 800)
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
