package report

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"io"
	"path/filepath"

	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A Source is a results file.
type Source struct {
	File *results.File // what was read
	Raw  []byte        // its text, which the page offers for download; nil leaves it out
}

// A Page is a report on results of one machine or several.
type Page struct {
	Sources []Source // of one machine or several
	Locks   []Lock   // what is known of locks: their memory, and what to call them
}

// Mark is in every page, so that it can be told from files of others.
const Mark = `<meta name="generator" content="lockbench report">`

var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS string
	//go:embed page.js
	pageJS string
)

var pageTemplate = template.Must(template.New("page").Parse(pageHTML))

// A described is a source as the page lists it.
type described struct {
	Name     string
	Machine  string
	Samples  string
	Fitness  string // of the machine, as the run found it
	Facts    []results.Note
	Warnings []string
	Download template.URL // "" is none
	Saved    string       // name of the download
}

// Write writes the page to w. It is an error if there is nothing to show.
func (p Page) Write(w io.Writer) error {
	samples := 0
	var sources []described
	for _, s := range p.Sources {
		d, err := s.describe()
		if err != nil {
			return err
		}
		sources = append(sources, d)
		samples += len(s.File.Samples)
	}
	if samples == 0 {
		return errors.New("no samples to report on")
	}
	d, mixed := gather(p.Sources, p.Locks)
	text, err := json.Marshal(d)
	if err != nil {
		return err
	}
	var note string
	if mixed > 0 {
		note = fmt.Sprintf("%s left out, during which the distance of the CPUs changed.", wording.Count(mixed, "sample"))
	}
	return pageTemplate.Execute(w, struct {
		Mark    template.HTML
		CSS     template.CSS
		JS      template.JS
		Data    template.JS
		Sources []described
		Note    string
	}{Mark, template.CSS(pageCSS), template.JS(pageJS), template.JS(text), sources, note})
}

// describe returns s as the page lists it.
func (s Source) describe() (described, error) {
	label, _ := labelOf(s.File.Facts)
	d := described{
		Name: filepath.Base(s.File.Name), Machine: label,
		Samples:  wording.Count(len(s.File.Samples), "sample"),
		Facts:    s.File.Notes,
		Fitness:  s.File.Noted("fitness"),
		Warnings: s.File.Warnings,
	}
	if s.File.Torn != "" {
		d.Warnings = append(d.Warnings[:len(d.Warnings):len(d.Warnings)], "its last line was cut off, and is left out")
	}
	if s.Raw == nil {
		return d, nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write(s.Raw)
	if err := errors.Join(err, z.Close()); err != nil {
		return d, err
	}
	d.Download = template.URL("data:application/gzip;base64," + base64.StdEncoding.EncodeToString(b.Bytes()))
	d.Saved = d.Name + ".gz"
	return d, nil
}
