package report

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A browser is a tab of headless Chromium with a page open.
type browser struct {
	t   *testing.T
	ctx context.Context

	mu       sync.Mutex
	problems []string // of its console
}

// start starts Chromium; without it the test is skipped. (Where there is to be one, as in
// CI, the variable LOCKBENCH_BROWSER makes that an error.)
func start(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("LOCKBENCH_BROWSER") != "" {
			t.Fatal(err)
		}
		t.Skip("no chromium on this machine")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx, chromedp.Navigate("about:blank")); err != nil {
		t.Fatal(err)
	}
	return ctx
}

// openPage opens a page in a tab of Chromium.
func openPage(t *testing.T, chromium context.Context, text string, width, height int64) *browser {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(chromium)
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
	b.do(chromedp.EmulateViewport(width, height), chromedp.Navigate("file://"+file))
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
					fmt.Fprintf(&b, "BenchmarkLock/lock=lock%d/reads=%d/workers=%d/hold=%dns/think=100ns-%d 1000 %.2f ns/op %.2f jain %.2f cpu-ns/op %.0f write-p99-ns\n",
						l, reads, n, c/9, n, ns, 1/float64(1+l%4), ns*float64(n), ns*float64(10*n))
				}
			}
		}
	}
	return b.String()
}

// sweep is a page of a measured machine and a simulated one.
func sweep(t *testing.T) string {
	return page(t, Page{Sources: []Source{sourceOf(t, "host.txt", sweepText("host", 12, 4, 7)), sourceOf(t, "sim.txt", sweepText("sim:milan-2s", 6, 8, 1))},
		Locks: []Lock{{Name: "lock0", Bytes: 4, Waiter: 48, Order: "FIFO", Waits: "spins"}, {Name: "lock1", Bytes: 8}, {Name: "lock3", Bytes: 8}}})
}

// sections are those that a page of sweep has figures in.
var sections = []string{"winners", "curves", "heat", "waits", "fair", "burn", "beside", "memory", "numbers"}

// In a browser the page is what its parts are tested for, each in a tab.
func TestBrowser(t *testing.T) {
	chromium := start(t)
	for _, test := range []struct {
		name string
		run  func(*testing.T, context.Context)
	}{
		{"figures", figures}, {"answers", answers}, {"filters", filters}, {"keys", keys}, {"contrast", contrast}, {"names", names}, {"large", large},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, chromium) })
	}
}

// The page shows every figure without an error on its console, and begins
// with the answer; no text lies over another, on any width.
func figures(t *testing.T, chromium context.Context) {
	text := sweep(t)
	b := openPage(t, chromium, text, 1200, 900)
	b.shoot("light")
	for _, id := range sections {
		if n := eval[int](b, `document.querySelectorAll("#`+id+`:not([hidden]) figure").length`); n == 0 {
			t.Errorf("no figure in %s", id)
		}
	}
	answer := eval[string](b, `document.getElementById("answer").innerText`)
	for _, want := range []string{"A CPU, 8 CPUs: a worker per CPU, hold 0s, think 100ns\n", "When every operation writes, lock", "At 99 % reads, lock0 is fastest: 34.3 ns/op, 1.4 times as fast as lock3.", "simulated milan-2s, 128 CPUs: ", "(one seed)"} {
		if !strings.Contains(answer, want) {
			t.Errorf("the answer does not say %q:\n%s", want, answer)
		}
	}
	if below := eval[float64](b, `document.getElementById("answer").getBoundingClientRect().bottom`); below > 450 {
		t.Errorf("the answer ends at %v pixels: want it above half of the first screen", below)
	}
	eval[chromedp.Void](b, `document.querySelector("#numbers summary").click()`)
	b.do(chromedp.Sleep(200 * time.Millisecond)) // the table is made when it is opened
	if n := eval[int](b, `document.querySelectorAll("#numbers tbody tr").length`); n < 100 {
		t.Errorf("%d rows of numbers", n)
	}
	if over := eval[[]string](b, overlaps); len(over) > 0 {
		t.Errorf("texts lie over each other: %q", over)
	}
	if said := b.said(); len(said) > 0 {
		t.Errorf("console: %q", said)
	}
	b.do(chromedp.EmulateViewport(390, 800), chromedp.Reload())
	b.shoot("narrow")
	if w := eval[int](b, `document.documentElement.scrollWidth`); w > 390 {
		t.Errorf("%d pixels wide on a screen of 390", w)
	}
	if eval[bool](b, `document.getElementById("choose").open`) {
		t.Error("the panel is open on a narrow screen, which it fills")
	}
	if over := eval[[]string](b, overlaps); len(over) > 0 {
		t.Errorf("texts lie over each other on a narrow screen: %q", over)
	}
}

// The answer says what the samples show, and no more.
func answers(t *testing.T, chromium context.Context) {
	var p Page
	for _, source := range []struct {
		name  string
		locks map[string][]float64 // samples
	}{
		{"One", map[string][]float64{"a": {60}}},
		{"Tied", map[string][]float64{"a": {60, 61, 62, 60, 61, 62}, "b": {61, 62, 63, 61, 62, 63}}},
		{"Noise", map[string][]float64{"a": {60, 61, 62, 60, 61, 62}, "sync.Mutex": {61, 62, 63, 61, 62, 63}}},
		{"Few", map[string][]float64{"a": {60, 60}, "b": {90, 90}}},
		{"Fewer", map[string][]float64{"a": {60, 60, 60, 60, 60, 60}, "b": {90, 90, 90, 90, 90, 90}, "c": {10, 10}}},
		{"Sure", map[string][]float64{"a": {60, 60, 60, 60, 60, 60}, "b": {90, 90, 90, 90, 90, 90}, "sync.Mutex": {180, 180, 180, 180, 180, 180}}},
		{"Zero", map[string][]float64{"a": {0, 0, 0, 0, 0, 0}, "b": {1e300, 1e300, 1e300, 1e300, 1e300, 1e300}, "c": {1e-300, 1e-300, 1e-300, 1e-300, 1e-300, 1e-300}}},
		{"Close", map[string][]float64{"a": {60, 60, 60, 60, 60, 60}, "b": {61, 61, 61, 61, 61, 61}}},
	} {
		text := "machine: host\ncpu: " + source.name + "\n"
		for _, lock := range slices.Sorted(maps.Keys(source.locks)) {
			for _, ns := range source.locks[lock] {
				text += fmt.Sprintf("BenchmarkLock/lock=%s/reads=0/workers=2/hold=0s/think=100ns-2 100 %g ns/op\n", lock, ns)
			}
		}
		p.Sources = append(p.Sources, sourceOf(t, "x.txt", text))
	}
	b := openPage(t, chromium, page(t, p), 1200, 900)
	got := eval[string](b, `[...document.querySelectorAll("#answer p")].map((p) => p.textContent).join("\n")`)
	if want := `One, 2 CPUs: a worker per CPU, hold 0s, think 100ns
When every operation writes, a takes 60 ns/op; there is no other to compare it with.
Tied, 2 CPUs: a worker per CPU, hold 0s, think 100ns
When every operation writes, a and b tie for fastest: 61 to 62 ns/op.
Noise, 2 CPUs: a worker per CPU, hold 0s, think 100ns
When every operation writes, nothing beats sync.Mutex beyond the noise: 62 ns/op; a is not told apart from it.
Few, 2 CPUs: a worker per CPU, hold 0s, think 100ns
When every operation writes, too few samples to tell which is fastest: a has the best median, 60 ns/op; an interval needs 6 samples.
Fewer, 2 CPUs: a worker per CPU, hold 0s, think 100ns
When every operation writes, a is fastest: 60 ns/op, 1.5 times as fast as b.
Sure, 2 CPUs: a worker per CPU, hold 0s, think 100ns
When every operation writes, a is fastest: 60 ns/op, 1.5 times as fast as b and 3.0 times as fast as sync.Mutex.
Zero, 2 CPUs: a worker per CPU, hold 0s, think 100ns
When every operation writes, a is fastest: 0 ns/op, ahead of c.
Close, 2 CPUs: a worker per CPU, hold 0s, think 100ns
When every operation writes, a is fastest: 60 ns/op, just ahead of b.`; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if said := b.said(); len(said) > 0 {
		t.Errorf("console: %q", said)
	}
	text := "machine: host\ncpu: Open\n"
	for i, lock := range []string{"a", "b"} {
		text += strings.Repeat(fmt.Sprintf("BenchmarkLock/lock=%s/reads=0/workers=2/hold=0s/think=100ns/load=0.5-2 100 60 ns/op 5 offered-ops/s %d write-p99-ns\n", lock, 1500*(i+1)), 6)
	}
	b = openPage(t, chromium, page(t, Page{Sources: []Source{sourceOf(t, "x.txt", text)}}), 1200, 900)
	if got, want := eval[string](b, `document.querySelector("#answer p:last-child").textContent`), "When every operation writes, by the wait that 99 % of writers stay below, a is best: 1.5 µs, 2.0 times as good as b."; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// What is chosen filters every figure and table, and the answer; and the address has it.
func filters(t *testing.T, chromium context.Context) {
	b := openPage(t, chromium, sweep(t), 1200, 900)
	only := func(fieldset, label string) {
		t.Helper()
		eval[chromedp.Void](b, fmt.Sprintf(`document.querySelectorAll("#%s input").forEach((e) => {
			if (e.checked !== (e.parentElement.textContent.trim() === %q)) e.click();
		})`, fieldset, label))
	}
	all := `document.querySelectorAll("main details:not([open]) > summary").forEach((e) => e.click())`
	shown := func() string {
		eval[chromedp.Void](b, all)
		b.do(chromedp.Sleep(100 * time.Millisecond)) // tables are made when they are opened
		return eval[string](b, `[document.getElementById("answer"), ...document.querySelectorAll("main figure, main .legend")].map((e) => e.textContent).join("\n")`)
	}
	for _, test := range []struct {
		fieldset, label string
		other           string // what is no longer shown
	}{
		{"locks", "lock3", `lock([0-24-9]|1[01])`},
		{"reads", "50 %", `(^|[^0-9])(0|90|99|100) % reads`},
		{"cpus", "4", `[^0-9](1|2|8|16|32|64|128) CPU`},
		{"machines", "A CPU", `milan`},
	} {
		if was := shown(); !regexp.MustCompile(test.other).MatchString(was) {
			t.Errorf("before there is no %s", test.other)
		}
		only(test.fieldset, test.label)
		if got := regexp.MustCompile(test.other).FindString(shown()); got != "" {
			t.Errorf("with %s %s alone the page shows %q", test.fieldset, test.label, got)
		}
	}
	if n := eval[string](b, `document.body.dataset.cells`); n != "1" {
		t.Errorf("%s cells: want one", n)
	}
	if hash := eval[string](b, `location.hash`); !strings.Contains(hash, "lock=lock3") || !strings.Contains(hash, "cpus=4") || !strings.Contains(hash, "reads=50") {
		t.Errorf("the address %s does not have what is chosen", hash)
	}
	b.press("#locks", "none")
	if text := shown(); !strings.Contains(text, "Nothing is chosen") {
		t.Errorf("without locks:\n%s", text)
	}
	b.press("#locks", "all")
	if n := eval[string](b, `document.body.dataset.cells`); n != "12" {
		t.Errorf("%s cells with all locks", n)
	}
	if said := b.said(); len(said) > 0 {
		t.Errorf("console: %q", said)
	}
}

// Everything can be reached with Tab, in the order of the page, and shows that it has the
// focus; in a figure, keys go from mark to mark.
func keys(t *testing.T, chromium context.Context) {
	b := openPage(t, chromium, sweep(t), 1200, 900)
	tip := func() string {
		return eval[string](b, `document.getElementById("tip").hidden ? "" : document.getElementById("tip").textContent`)
	}
	var order []string
	for range 70 {
		b.do(chromedp.KeyEvent(kb.Tab))
		order = append(order, eval[string](b, `(() => {
			const e = document.activeElement, style = getComputedStyle(e);
			const ring = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
			return (ring ? "" : "no ring: ") + (e.closest("[id]") || e).id + " " + e.tagName.toLowerCase();
		})()`))
	}
	at := 0
	for _, want := range []string{"look button", "sources a", "choose summary", "situation select", "unit select", "machines input", "cpus input", "reads input", "locks input", "locks button", "winners svg", "winners summary", "curves svg", "heat svg"} {
		i := slices.Index(order[at:], want)
		if i < 0 {
			t.Fatalf("Tab does not reach %s behind stop %d: %q", want, at, order)
		}
		at += i
	}
	if i := slices.IndexFunc(order, func(s string) bool { return strings.HasPrefix(s, "no ring") }); i >= 0 {
		t.Errorf("%s has the focus", order[i])
	}
	b.do(chromedp.Focus(`#curves svg[tabindex]`))
	var told []string
	for _, key := range []string{kb.Enter, kb.ArrowRight, kb.ArrowDown, kb.End, kb.Home, kb.Escape, " ", " "} {
		b.do(chromedp.KeyEvent(key))
		told = append(told, tip())
	}
	for i, text := range told {
		if hidden := i == 5 || i == 7; hidden != (text == "") || !hidden && !strings.Contains(text, "ns/op") {
			t.Errorf("key %d shows %q", i, text)
		}
	}
	if told[0] == told[1] || told[1] == told[2] || told[2] == told[3] || told[4] != told[0] || told[6] != told[0] {
		t.Errorf("the keys show %q", told)
	}
	if n := eval[int](b, `document.querySelectorAll("svg.chart:not([aria-label]), input:not([type]), select:not(label select)").length`); n > 0 {
		t.Errorf("%d elements without a label", n)
	}
}

// In either look, text can be read on its ground: by WCAG, a contrast of 4.5 at least; and
// so can the colours of locks.
func contrast(t *testing.T, chromium context.Context) {
	b := openPage(t, chromium, sweep(t), 1200, 900)
	for _, look := range []string{"light", "dark"} {
		eval[chromedp.Void](b, fmt.Sprintf(`document.documentElement.dataset.look = %q`, look))
		if faint := eval[[]string](b, faint); len(faint) > 0 {
			t.Errorf("%s: hard to read: %q", look, faint)
		}
		b.shoot(look + "-look")
	}
}

// faint lists texts and colours whose contrast with their ground is below 4.5.
const faint = `(() => {
	const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
	const rgb = (...colors) => { // the last over those before it
		pen.clearRect(0, 0, 1, 1);
		colors.forEach((c) => { pen.fillStyle = c; pen.fillRect(0, 0, 1, 1); });
		return [...pen.getImageData(0, 0, 1, 1).data];
	};
	const light = (c) => c.slice(0, 3).map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)).reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
	const contrast = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
	const ground = (e) => { for (; e; e = e.parentElement) { const c = getComputedStyle(e).backgroundColor; if (rgb(c)[3] === 255) return c; } return "white"; };
	const bad = new Map();
	const check = (name, color, under) => { const c = contrast(rgb(under, color), rgb(under)); if (c < 4.5) bad.set(name + ": " + color + " on " + under, c.toFixed(2)); };
	for (const e of document.querySelectorAll("body *")) {
		if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== "") || e.getClientRects().length === 0) continue;
		const style = getComputedStyle(e);
		if (e.tagName !== "text") { check(e.tagName + " " + e.className, style.color, ground(e)); continue; }
		const box = e.getBoundingClientRect(), x = box.x + box.width / 2, y = box.y + box.height / 2;
		const on = [...e.closest("svg").querySelectorAll("rect.mark")].filter((r) => { const q = r.getBoundingClientRect(); return q.left <= x && x <= q.right && q.top <= y && y <= q.bottom; }).at(-1);
		check("text in " + e.closest("[id]").id, style.fill, on ? getComputedStyle(on).fill : ground(e));
	}
	const probe = document.body.appendChild(document.createElement("i"));
	for (let i = 0; i < 8; i++) { probe.style.color = "var(--hue" + i + ")"; check("hue " + i, getComputedStyle(probe).color, ground(document.body)); }
	probe.remove();
	return [...bad].map((b) => b.join(": "));
})()`

// Names are text, whatever is in them.
func names(t *testing.T, chromium context.Context) {
	all := []string{"<b>bold<img-src=x>", `a"b'c`, "锁é", "&amp;${x}", "__proto__", "constructor", "a,b", strings.Repeat("long", 60)}
	text := "machine: host\ncpu: <i>A CPU</i> & more\n# <b>key: </script><b>\n"
	for i, name := range all {
		for _, n := range []int{2, 4} {
			for range 6 {
				text += fmt.Sprintf("BenchmarkLock/lock=%s/reads=0/workers=%d/hold=0s/think=100ns-%d 100 %d ns/op 0.5 jain\n", name, n, n, 60+i)
			}
		}
	}
	b := openPage(t, chromium, page(t, Page{Sources: []Source{sourceOf(t, "<b>.txt", text)}}), 390, 800)
	legend := eval[string](b, `document.querySelector("#curves .legend").textContent`)
	for _, name := range all {
		if !strings.Contains(legend, name) {
			t.Errorf("the legend has no %q: %q", name, legend)
		}
	}
	if n := eval[int](b, `document.querySelectorAll("main b, main i, main img, #about b, #about i, #answer b").length`); n > 0 {
		t.Errorf("%d elements are from names", n)
	}
	if w := eval[int](b, `document.documentElement.scrollWidth`); w > 390 {
		t.Errorf("%d pixels wide on a screen of 390", w)
	}
	b.do(chromedp.Reload()) // by what the address has
	if n := eval[string](b, `document.body.dataset.cells`); n != "16" {
		t.Errorf("%s cells after a reload", n)
	}
	if said := b.said(); len(said) > 0 {
		t.Errorf("console: %q", said)
	}
}

// overlaps lists pairs of texts of one picture that lie over each other.
const overlaps = `[...document.querySelectorAll("figure svg")].flatMap((svg) => {
	const boxes = [...svg.querySelectorAll("text")].map((t) => [t.textContent, t.getBoundingClientRect()]);
	return boxes.flatMap(([a, p], i) => boxes.slice(i + 1).filter(([, q]) =>
		Math.min(p.right, q.right) - Math.max(p.left, q.left) > 1 && Math.min(p.bottom, q.bottom) - Math.max(p.top, q.top) > 3).map(([b]) => a + " | " + b));
})`

// A report of ten thousand cells opens. How long that takes is reported.
func large(t *testing.T, chromium context.Context) {
	text := page(t, Page{Sources: []Source{sourceOf(t, "host.txt", sweepText("host", 60, 34, 1))}})
	if n := len(drawn(t, text).Cells); n < 10_000 {
		t.Fatalf("%d cells", n)
	}
	b := openPage(t, chromium, text, 1200, 900)
	if n := eval[int](b, `document.querySelectorAll("#winners figure").length`); n == 0 {
		t.Error("no map of winners")
	}
	t.Logf("%d bytes, drawn after %.0f ms", len(text), eval[float64](b, `performance.timing.loadEventEnd - performance.timing.navigationStart`))
}
