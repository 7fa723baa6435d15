package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// In a browser the search finds a page and goes there, every picture is there, and no page
// is wider than a narrow screen.
func TestBrowser(t *testing.T) {
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("LOCKBENCH_BROWSER") != "" {
			t.Fatal(err)
		}
		t.Skip("no chromium on this machine")
	}
	out := filepath.Join(t.TempDir(), "site")
	if _, err := write("../..", out); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU)...)
	defer cancel()
	ctx, cancel = chromedp.NewContext(ctx)
	defer cancel()
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatal(err)
		}
	}
	text := func(expression string) string {
		t.Helper()
		v, err := chromedp.Run(ctx, chromedp.Evaluate[string](expression))
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	address := func(page string) string { return "file://" + filepath.ToSlash(out) + "/" + page }
	do(chromedp.Navigate(address("index.html")), chromedp.EmulateViewport(1200, 900), chromedp.KeyEvent("/"), chromedp.KeyEvent("ticket lock"))
	if found := text(`document.getElementById("found").innerText`); !strings.Contains(found, "The ticket lock") {
		t.Errorf("the search finds %q", found)
	}
	do(chromedp.KeyEvent(kb.Enter))
	for range 100 { // until the browser is there
		if strings.HasPrefix(text(`document.title`), "The ticket lock") {
			break
		}
		do(chromedp.Sleep(50 * time.Millisecond))
	}
	if at := text(`location.pathname`); !strings.HasSuffix(at, "/docs/ticket.html") {
		t.Errorf("Enter leads to %s", at)
	}
	do(chromedp.EmulateViewport(390, 800))
	for _, page := range []string{"index.html", "docs/simulator.html", "docs/spinlocks.html", "docs/semaphore.html"} {
		do(chromedp.Navigate(address(page)))
		if bad := text(`[...document.images].filter((i) => !i.naturalWidth).map((i) => i.src).join()`); bad != "" {
			t.Errorf("%s: no pictures %s", page, bad)
		}
		if wide := text(`String(document.documentElement.scrollWidth)`); wide != fmt.Sprint(390) {
			t.Errorf("%s: %s pixels wide on a screen of 390", page, wide)
		}
	}
}
