package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	reference = regexp.MustCompile(`(?:href|src|srcset)="([^"]*)"`)
	image     = regexp.MustCompile(`<img |!\[[^\]]*\]\([^)]`)
)

// The site of this checkout has every page; each of its links and pictures leads to a file
// of the site, and to a heading that is there; and nothing comes from the network.
func TestSite(t *testing.T) {
	out := filepath.Join(t.TempDir(), "site")
	n, err := write("../..", out)
	if err != nil {
		t.Fatal(err)
	}
	texts := make(map[string]string)
	err = filepath.WalkDir(out, func(name string, d os.DirEntry, err error) error {
		if err == nil && filepath.Ext(name) == ".html" {
			data, err := os.ReadFile(name)
			texts[name] = string(data)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(texts) != n || n < 20 {
		t.Errorf("%d pages, said %d", len(texts), n)
	}
	for name, text := range texts {
		if strings.Contains(text, "raw HTML omitted") {
			t.Errorf("%s: HTML of the page is left out", name)
		}
		md := strings.TrimSuffix(strings.Replace(strings.TrimPrefix(name, out), "index.html", "README.html", 1), ".html") + ".md"
		source, err := os.ReadFile("../.." + filepath.ToSlash(md))
		if err != nil {
			t.Fatal(err)
		}
		source = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`").ReplaceAll(source, nil)
		if got, want := strings.Count(text, "<img "), len(image.FindAll(source, -1)); got != want {
			t.Errorf("%s: %d pictures, want %d", name, got, want)
		}
		for _, found := range reference.FindAllStringSubmatch(text, -1) {
			to := strings.ReplaceAll(found[1], "&amp;", "&")
			if strings.Contains(to, "://") {
				if strings.HasPrefix(found[0], "src") {
					t.Errorf("%s: %s is loaded from the network", name, to)
				}
				continue
			}
			file, anchor, _ := strings.Cut(to, "#")
			at := name
			if file != "" {
				at = filepath.Join(filepath.Dir(name), filepath.FromSlash(file))
			}
			if _, err := os.Stat(at); err != nil {
				t.Errorf("%s: %s: %v", name, to, err)
			} else if page, ok := texts[at]; ok && anchor != "" && !strings.Contains(page, `id="`+anchor+`"`) {
				t.Errorf("%s: %s: no such heading", name, to)
			}
		}
	}
	for _, name := range []string{"docs/data/README.html", "docs/data/map.txt", "docs/fig-throughput-dark.svg"} {
		if _, err := os.Stat(filepath.Join(out, filepath.FromSlash(name))); err != nil {
			t.Error(err)
		}
	}
	script, err := os.ReadFile(filepath.Join(out, "search.js"))
	if err != nil || !bytes.Contains(script, []byte(`"heading":"`)) {
		t.Errorf("nothing to search, error %v", err)
	}
}

// In the dark a picture has its dark form if there is one, or that within itself; of others
// the colours are turned. The menu has pages in the order of README, below its headings.
func TestPictures(t *testing.T) {
	root := t.TempDir()
	for name, text := range map[string]string{
		"README.md":          "# Title\n\n## First\n\n[b](docs/b.md)\n\n## Second\n\n[a](docs/a.md), [b](docs/b.md)\n",
		"CONTRIBUTING.md":    "# Contributing\n",
		"CHANGELOG.md":       "# Changelog\n",
		"SECURITY.md":        "# Security\n",
		"docs/a.md":          "# Page A\n\n![one](one.svg) ![two](two.svg) ![three](three.svg)\n\n<p><img alt=\"x\" src=\"one.svg\"> <a href=\"b.md#page-b\">b</a></p>\n",
		"docs/b.md":          "# Page B\n",
		"docs/c.md":          "# Page C\n",
		"docs/data/raw.csv":  "1\n",
		"docs/one.svg":       "<svg/>",
		"docs/two.svg":       "<svg/>",
		"docs/two-dark.svg":  "<svg/>",
		"docs/three.svg":     "<svg><style>@media (prefers-color-scheme: dark) {}</style></svg>",
		"docs/sub/README.md": "# Page D\n",
	} {
		if err := save(filepath.Join(root, filepath.FromSlash(name)), []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	out := filepath.Join(root, "site")
	if _, err := write(root, out); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(out, "docs", "a.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<img src="../docs/one.svg" alt="one" class="light">`,
		`<picture><source media="(prefers-color-scheme: dark)" srcset="../docs/two-dark.svg"><img src="../docs/two.svg" alt="two"></picture>`,
		`<img src="../docs/three.svg" alt="three">`,
		`<p><img alt="x" src="../docs/one.svg"> <a href="../docs/b.html#page-b">b</a></p>`,
	} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	menu := regexp.MustCompile(`(?s)<li[ >].*?</li>`).FindAllString(string(text), -1)
	for i := range menu {
		menu[i] = strings.TrimSpace(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(menu[i], ""))
	}
	if got, want := strings.Join(menu, ", "), "Title, First, Page B, Second, Page A, More, Page C, Page D, Project, Contributing, Changelog, Security"; got != want {
		t.Errorf("menu %s, want %s", got, want)
	}
	if _, err := os.Stat(filepath.Join(out, "docs", "data", "raw.csv")); err != nil {
		t.Error(err)
	}
}

// A directory of others is not replaced, a site is.
func TestReplaceable(t *testing.T) {
	dir := t.TempDir()
	var out, errs bytes.Buffer
	if err := os.WriteFile(filepath.Join(dir, "precious"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if code := run([]string{"-out", dir}, &out, &errs); code != 2 || !strings.Contains(errs.String(), "is no site") {
		t.Errorf("exit status %d: %s", code, &errs)
	}
	if code := run([]string{"x"}, &out, &errs); code != 2 {
		t.Errorf("an argument: exit status %d", code)
	}
	t.Chdir("../..")
	site := filepath.Join(dir, "site")
	for range 2 {
		if code := run([]string{"-out", site}, &out, &errs); code != 0 {
			t.Errorf("exit status %d: %s", code, &errs)
		}
	}
}

// A link that leads nowhere is an error.
func TestBrokenLink(t *testing.T) {
	root := t.TempDir()
	for _, name := range pages {
		if err := os.WriteFile(filepath.Join(root, name), []byte("# Title\n\n[x](missing.md)\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := write(root, filepath.Join(root, "site")); err == nil || !strings.Contains(err.Error(), "README.md: refers to missing.md") {
		t.Errorf("error %v", err)
	}
}
