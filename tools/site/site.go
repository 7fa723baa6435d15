package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// mark is a file of each site.
const mark = "search.js"

var (
	//go:embed page.html
	pageHTML string
	//go:embed site.css
	siteCSS []byte
	//go:embed search.js
	searchJS string
)

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// A page is a Markdown file of the checkout.
type page struct {
	name   string // from the root, with slashes
	Title  string
	Body   template.HTML
	Root   string // how to get to the site's root from it
	Link   string // from the root
	Pages  []*page
	Here   bool
	blocks []block
}

// A block is what the search finds: a heading with the text below it.
type block struct {
	Page    string `json:"page"`
	Link    string `json:"link"`
	Heading string `json:"heading"`
	Text    string `json:"text"`
}

// pages are what the site has besides docs, in order.
var pages = []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"}

// write writes the site of the checkout in root, and returns how many pages it has.
func write(root, out string) (n int, err error) {
	names := slices.Clone(pages)
	docs, err := fs.Glob(os.DirFS(root), "docs/*.md")
	if err != nil {
		return 0, err
	}
	names = append(names, docs...)
	var all []*page
	copied := map[string]bool{}
	for _, name := range names {
		p, files, err := read(root, name, names)
		if err != nil {
			return 0, err
		}
		all = append(all, p)
		maps.Copy(copied, files)
	}
	if err := os.RemoveAll(out); err != nil {
		return 0, err
	}
	for name := range copied {
		if err := copyAll(filepath.Join(root, filepath.FromSlash(name)), filepath.Join(out, filepath.FromSlash(name))); err != nil {
			return 0, err
		}
	}
	var blocks []block
	for _, p := range all {
		blocks = append(blocks, p.blocks...)
		list := make([]*page, len(all))
		for i, q := range all {
			is := *q
			is.Here = q == p
			list[i] = &is
		}
		p.Pages = list
		var b bytes.Buffer
		if err := pageTemplate.Execute(&b, p); err != nil {
			return 0, err
		}
		if err := save(filepath.Join(out, filepath.FromSlash(p.Link)), b.Bytes()); err != nil {
			return 0, err
		}
	}
	found, err := json.Marshal(blocks)
	if err != nil {
		return 0, err
	}
	script := strings.Replace(searchJS, "/* blocks */ []", string(found), 1)
	return len(all), errors.Join(save(filepath.Join(out, mark), []byte(script)), save(filepath.Join(out, "site.css"), siteCSS))
}

// linkOf returns where the page of a Markdown file is.
func linkOf(name string) string {
	if name == "README.md" {
		return "index.html"
	}
	return strings.TrimSuffix(name, ".md") + ".html"
}

// read reads a page, and returns which files it refers to.
func read(root, name string, names []string) (*page, map[string]bool, error) {
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		return nil, nil, err
	}
	p := &page{name: name, Title: name, Link: linkOf(name), Root: strings.Repeat("../", strings.Count(name, "/"))}
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	doc := md.Parser().Parse(text.NewReader(source))
	files := make(map[string]bool)
	var wrong error
	err = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Link:
			n.Destination = p.refer(root, string(n.Destination), names, files, &wrong)
		case *ast.Image:
			n.Destination = p.refer(root, string(n.Destination), names, files, &wrong)
		}
		return ast.WalkContinue, nil
	})
	if err := errors.Join(err, wrong); err != nil {
		return nil, nil, err
	}
	p.index(doc, source)
	var b bytes.Buffer
	if err := md.Renderer().Render(&b, source, doc); err != nil {
		return nil, nil, err
	}
	p.Body = template.HTML(b.String())
	return p, files, nil
}

// refer returns a destination as the site has it: pages are HTML there, and other files of
// the checkout are copied.
func (p *page) refer(root, to string, names []string, files map[string]bool, wrong *error) []byte {
	if strings.Contains(to, "://") || strings.HasPrefix(to, "#") || strings.HasPrefix(to, "mailto:") {
		return []byte(to)
	}
	file, anchor, has := strings.Cut(to, "#")
	name := path.Join(path.Dir(p.name), file)
	info, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		*wrong = errors.Join(*wrong, fmt.Errorf("%s: refers to %s, which is not there", p.name, to))
		return []byte(to)
	}
	if slices.Contains(names, name) {
		name = linkOf(name)
	} else {
		if info.IsDir() {
			// A browser does not list what is in it.
			return []byte("https://github.com/lockbench/lockbench/tree/main/" + name)
		}
		files[name] = true
	}
	link := p.Root + name
	if has {
		link += "#" + anchor
	}
	return []byte(link)
}

// index notes what the search finds.
func (p *page) index(doc ast.Node, source []byte) {
	for n := doc.FirstChild(); n != nil; n = n.NextSibling() {
		if h, ok := n.(*ast.Heading); ok {
			title := string(plain(h, source))
			if h.Level == 1 {
				p.Title = title
			}
			link := p.Link
			if id, ok := h.AttributeString("id"); ok {
				link += "#" + string(id.([]byte))
			}
			p.blocks = append(p.blocks, block{Page: p.Title, Link: link, Heading: title})
			continue
		}
		if len(p.blocks) == 0 {
			p.blocks = append(p.blocks, block{Page: p.Title, Link: p.Link, Heading: p.Title})
		}
		b := &p.blocks[len(p.blocks)-1]
		b.Text = strings.TrimSpace(b.Text + " " + string(plain(n, source)))
	}
}

// plain returns the text of a node without its form.
func plain(n ast.Node, source []byte) []byte {
	var b bytes.Buffer
	ast.Walk(n, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Text:
			b.Write(n.Segment.Value(source))
			if n.SoftLineBreak() || n.HardLineBreak() {
				b.WriteByte(' ')
			}
		case *ast.String:
			b.Write(n.Value)
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			for i := range n.Lines().Len() {
				line := n.Lines().At(i)
				b.Write(line.Value(source))
			}
		case *ast.HTMLBlock:
			return ast.WalkSkipChildren, nil
		}
		if n.Type() == ast.TypeBlock {
			b.WriteByte(' ')
		}
		return ast.WalkContinue, nil
	})
	return bytes.Join(bytes.Fields(b.Bytes()), []byte(" "))
}

// copyAll copies a file.
func copyAll(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return save(to, data)
}

// save writes a file, and the directories that it is in.
func save(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
		return err
	}
	return os.WriteFile(name, data, 0o666)
}
