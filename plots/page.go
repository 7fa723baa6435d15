package plots

import (
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/lockbench/lockbench/internal/wholefile"
)

// PageName is the name of the file that [WritePage] writes.
const PageName = "index.html"

// questions are what people come with, and the kind of figure that answers.
var questions = []struct{ kind, question string }{
	{"alone", "What does a lock cost alone?"},
	{"throughput", "What happens with more CPUs?"},
	{"reads", "What happens with reads?"},
}

// An Answer is a figure that leads, under the question that it answers.
type Answer struct {
	Question string
	File
}

// Lead returns those of the files that answer what people ask first, each
// figure once, and the others.
func Lead(files []File) (lead []Answer, rest []File) {
	answered := make(map[string]*Figure)
	for _, f := range once(files) {
		kind, _, _ := strings.Cut(f.Name, "_")
		question := ""
		for _, q := range questions {
			if q.kind == kind {
				question = q.question
			}
		}
		if question != "" && answered[kind] == nil {
			answered[kind] = f.Figure
			lead = append(lead, Answer{question, f})
		} else {
			rest = append(rest, f)
		}
	}
	return lead, rest
}

// once returns one file for each figure, the first.
func once(files []File) (out []File) {
	for _, f := range files {
		if len(out) == 0 || out[len(out)-1].Figure != f.Figure {
			out = append(out, f)
		}
	}
	return out
}

//go:embed page.html
var pageHTML string

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// A pictured is a figure as the page has it.
type pictured struct {
	Question, Title, Name string
	Source                template.URL
}

// WritePage writes one page into dir that has all the figures of files in it,
// those first that answer what people ask first, and text, such as tables. It
// needs no other file.
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
	return path, wholefile.Write(path, func(w io.Writer) error { return pageTemplate.Execute(w, page) })
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
