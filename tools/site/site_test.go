package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var reference = regexp.MustCompile(`(?:href|src)="([^"]*)"`)

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
	script, err := os.ReadFile(filepath.Join(out, "search.js"))
	if err != nil || !bytes.Contains(script, []byte(`"heading":"`)) {
		t.Errorf("nothing to search, error %v", err)
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
