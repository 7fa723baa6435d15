package plots

import (
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/lockbench/lockbench/internal/atomicfile"
)

// PageName is the name of the file that [WritePage] writes.
const PageName = "index.html"

// An Answer is a figure at the top of the page, under the question that it answers.
type Answer struct {
	Question string // such as "What happens with more CPUs?"
	File
}

// maxLead is the largest number of figures at the top.
const maxLead = 3

// Lead returns the files that answer the questions that readers have first, each figure
// once, and the others. A figure of CPUs at an unknown distance is an answer only if
// there is no other.
func Lead(files []File) (lead []Answer, rest []File) {
	open := questions()
	each := slices.CompactFunc(slices.Clone(files), func(f, g File) bool { return f.Figure == g.Figure })
	sighted := make(map[string]bool) // kinds
	for _, f := range each {
		sighted[f.kind()] = sighted[f.kind()] || !f.blind
	}
	for _, f := range each {
		kind := f.kind()
		question, asked := open[kind]
		if !asked || sighted[kind] == f.blind || len(lead) == maxLead {
			rest = append(rest, f)
			continue
		}
		lead = append(lead, Answer{question, f})
		delete(open, kind)
	}
	return lead, rest
}

// kind returns the kind of the figure, which its name begins with.
func (f *Figure) kind() string {
	kind, _, _ := strings.Cut(f.Name, "_")
	return kind
}

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// A pictured is a figure on the page.
type pictured struct {
	Question, Title, Name string
	Source                template.URL
}

// WritePage writes one page into dir that contains all the figures of files, those
// first that answer the first questions, and text, such as tables. It needs no other
// file.
func WritePage(dir string, files []File, o Options, text, table string) (path string, err error) {
	page := struct {
		Machine     string
		Lead, Rest  []pictured
		Text, Table string
	}{Machine: o.machine(), Text: text, Table: table}
	lead, rest := Lead(files)
	for _, a := range lead {
		p, err := a.pictured(a.Question)
		if err != nil {
			return "", err
		}
		page.Lead = append(page.Lead, p)
	}
	for _, f := range rest {
		p, err := f.pictured("")
		if err != nil {
			return "", err
		}
		page.Rest = append(page.Rest, p)
	}
	path = filepath.Join(dir, PageName)
	return path, atomicfile.Write(path, func(w io.Writer) error { return pageTemplate.Execute(w, page) })
}

// pictured returns the file's picture as a part of a page.
func (f File) pictured(question string) (pictured, error) {
	data, err := os.ReadFile(f.Path)
	if err != nil {
		return pictured{}, err
	}
	kind := "image/svg+xml"
	if filepath.Ext(f.Path) == ".png" {
		kind = "image/png"
	}
	source := "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(data)
	return pictured{question, f.Title, f.Name, template.URL(source)}, nil
}
