package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
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
	Menu   []group
	Here   bool
	blocks []block
}

// A group is a part of the menu.
type group struct {
	Title string // "" has none
	Pages []*page
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
	copied := map[string]bool{} // all of docs, and what else pages refer to
	err = fs.WalkDir(os.DirFS(root), "docs", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil && name != "docs":
			return err
		case err != nil || d.IsDir():
		case path.Ext(name) == ".md":
			names = append(names, name)
		default:
			copied[name] = true
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	var all []*page
	var first []link // of README
	for _, name := range names {
		p := &page{name: name, Title: name, Link: linkOf(name), Root: strings.Repeat("../", strings.Count(name, "/"))}
		links, err := p.read(root, names, copied)
		if err != nil {
			return 0, err
		}
		if name == pages[0] {
			first = links
		}
		all = append(all, p)
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
		p.Menu = menu(all, first, p)
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

// A link is one to a page, below a heading.
type link struct{ heading, page string }

// menu returns the menu of the page here: the pages of docs below the headings of README
// that link to them, in the order of these links, so that a new page needs no list.
func menu(all []*page, first []link, here *page) (groups []group) {
	entry := func(p *page) *page {
		e := *p
		e.Here = p == here
		return &e
	}
	groups = []group{{"", []*page{entry(all[0])}}}
	add := func(title string, p *page) {
		if last := &groups[len(groups)-1]; last.Title == title {
			last.Pages = append(last.Pages, entry(p))
		} else {
			groups = append(groups, group{title, []*page{entry(p)}})
		}
	}
	docs := all[len(pages):]
	var linked []*page
	for _, l := range first {
		i := slices.IndexFunc(docs, func(p *page) bool { return p.name == l.page })
		if i >= 0 && !slices.Contains(linked, docs[i]) {
			linked = append(linked, docs[i])
			add(l.heading, docs[i])
		}
	}
	for _, p := range docs {
		if !slices.Contains(linked, p) {
			add("More", p)
		}
	}
	for _, p := range all[1:len(pages)] {
		add("Project", p)
	}
	return groups
}

// linkOf returns where the page of a Markdown file is.
func linkOf(name string) string {
	if name == "README.md" {
		return "index.html"
	}
	return strings.TrimSuffix(name, ".md") + ".html"
}

// htmlReference is an attribute of HTML that refers to a file.
var htmlReference = regexp.MustCompile(`\b(src|srcset|href)="([^"]+)"`)

// read reads the page, adds the files that it refers to, and returns its links to others.
func (p *page) read(root string, names []string, files map[string]bool) (links []link, err error) {
	source, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p.name)))
	if err != nil {
		return nil, err
	}
	md := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()), goldmark.WithRendererOptions(html.WithUnsafe()))
	doc := md.Parser().Parse(text.NewReader(source))
	p.index(doc, source)
	var wrong error
	refer := func(to string) string { return p.refer(root, to, names, files, &wrong) }
	// The lines of a node of HTML are places of the source, to which the new text is added.
	replace := func(lines *text.Segments) *text.Segments {
		var b bytes.Buffer
		for i := range lines.Len() {
			line := lines.At(i)
			b.Write(line.Value(source))
		}
		from := len(source)
		source = append(source, htmlReference.ReplaceAllFunc(b.Bytes(), func(found []byte) []byte {
			m := htmlReference.FindSubmatch(found)
			return fmt.Appendf(nil, `%s="%s"`, m[1], refer(string(m[2])))
		})...)
		segments := text.NewSegments()
		segments.Append(text.NewSegment(from, len(source)))
		return segments
	}
	heading := ""
	var images []*ast.Image
	err = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if n.Level == 2 {
				heading = string(plain(n, source))
			}
		case *ast.Link:
			to, _, _ := strings.Cut(string(n.Destination), "#")
			links = append(links, link{heading, path.Join(path.Dir(p.name), to)})
			n.Destination = []byte(refer(string(n.Destination)))
		case *ast.Image:
			images = append(images, n)
		case *ast.HTMLBlock:
			n.SetLines(replace(n.Lines()))
		case *ast.RawHTML:
			n.Segments = replace(n.Segments)
		}
		return ast.WalkContinue, nil
	})
	for _, n := range images {
		p.picture(root, n, refer)
	}
	if err := errors.Join(err, wrong); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := md.Renderer().Render(&b, source, doc); err != nil {
		return nil, err
	}
	p.Body = template.HTML(b.String())
	return links, nil
}

// picture makes an image fit for the dark: by its dark form, if there is such a file, or
// as the style has it for a picture that has none within itself.
func (p *page) picture(root string, n *ast.Image, refer func(string) string) {
	to := string(n.Destination)
	n.Destination = []byte(refer(to))
	ext := path.Ext(to)
	dark := strings.TrimSuffix(to, ext) + "-dark" + ext
	file := func(name string) string {
		return filepath.Join(root, filepath.FromSlash(path.Join(path.Dir(p.name), name)))
	}
	if _, err := os.Stat(file(dark)); err == nil {
		raw := func(html string) *ast.String {
			s := ast.NewString([]byte(html))
			s.SetCode(true) // written as it is
			return s
		}
		n.Parent().InsertBefore(n.Parent(), n, raw(`<picture><source media="(prefers-color-scheme: dark)" srcset="`+refer(dark)+`">`))
		n.Parent().InsertAfter(n.Parent(), n, raw("</picture>"))
		return
	}
	if svg, err := os.ReadFile(file(to)); err == nil && ext == ".svg" && !bytes.Contains(svg, []byte("prefers-color-scheme")) {
		n.SetAttributeString("class", []byte("light"))
	}
}

// refer returns a destination as the site has it: pages are HTML there, and other files of
// the checkout are copied.
func (p *page) refer(root, to string, names []string, files map[string]bool, wrong *error) string {
	if strings.Contains(to, "://") || strings.HasPrefix(to, "#") || strings.HasPrefix(to, "mailto:") {
		return to
	}
	file, anchor, has := strings.Cut(to, "#")
	name := path.Join(path.Dir(p.name), file)
	info, err := os.Stat(filepath.Join(root, filepath.FromSlash(name)))
	if err != nil {
		*wrong = errors.Join(*wrong, fmt.Errorf("%s: refers to %s, which is not there", p.name, to))
		return to
	}
	if info.IsDir() && slices.Contains(names, path.Join(name, "README.md")) {
		name = path.Join(name, "README.md")
	}
	switch {
	case slices.Contains(names, name):
		name = linkOf(name)
	case info.IsDir():
		// A browser does not list what is in it.
		return "https://github.com/lockbench/lockbench/tree/main/" + name
	default:
		files[name] = true
	}
	link := p.Root + name
	if has {
		link += "#" + anchor
	}
	return link
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
