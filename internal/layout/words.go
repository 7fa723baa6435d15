package layout

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A Glossary is a list of words that comments and docs do not use, each with the
// words to use instead.
type Glossary []Term

// A Term is a row of the glossary.
type Term struct {
	Say string // the words to use
	Not []Phrase
}

// A Phrase is a word or words not to use.
type Phrase struct {
	hint    string // without it in the text, in lower case, there is no match
	pattern *regexp.Regexp
}

// maxColumns is the length of a line of comment in characters.
const maxColumns = 100

// ReadGlossary returns the glossary in a Markdown file: the table in the section
// with the heading "## Words". A row has the words to use, what they mean, and the
// words not to use. Of the third cell only what is quoted in backticks counts, since
// many a word has a second meaning that is allowed.
func ReadGlossary(markdown string) (Glossary, error) {
	var g Glossary
	for _, line := range strings.Split(section(markdown), "\n") {
		cells := strings.Split(strings.Trim(line, "| "), "|")
		if !strings.HasPrefix(line, "|") || strings.HasPrefix(line, "|-") || strings.TrimSpace(cells[0]) == "Say" {
			continue
		}
		if len(cells) != 3 {
			return nil, fmt.Errorf("row of the glossary with %d cells, want 3: %s", len(cells), line)
		}
		var not []Phrase
		for i, s := range strings.Split(cells[2], "`") {
			if i%2 == 1 {
				not = append(not, phrase(s))
			}
		}
		g = append(g, Term{strings.TrimSpace(cells[0]), not})
	}
	if len(g) == 0 {
		return nil, fmt.Errorf("no table below %q", wordsHeading)
	}
	return g, nil
}

const wordsHeading = "## Words"

// section returns the section of the glossary with its heading, or "".
func section(markdown string) string {
	_, after, ok := strings.Cut(markdown, "\n"+wordsHeading+"\n")
	if !ok {
		return ""
	}
	text, _, _ := strings.Cut(after, "\n## ")
	return "\n" + wordsHeading + "\n" + text
}

// Check reads the comments of every Go file in fsys, every Markdown file, except the
// glossary itself, and the text of every SVG file. It returns a line for each word of
// the glossary that is used and must not be, and one for each line of comment that is
// too long, beginning with the file's name and the line's number.
//
// A word that the glossary writes in lower case is found in either case, with the
// ending of a plural or a verb too; one that begins with a capital letter is found
// only so, which is at the beginning of a sentence. An error is one of reading or
// parsing.
func (g Glossary) Check(fsys fs.FS) ([]string, error) {
	var broken []string
	err := eachFile(fsys, func(name string) error {
		switch path.Ext(name) {
		case ".go":
			found, err := g.checkGo(fsys, name)
			broken = append(broken, found...)
			return err
		case ".svg":
			text, err := fs.ReadFile(fsys, name)
			broken = append(broken, g.find(name, 1, strings.Split(markup.ReplaceAllString(string(text), " "), "\n"))...)
			return err
		case ".md":
			text, err := fs.ReadFile(fsys, name)
			broken = append(broken, g.checkMarkdown(name, string(text))...)
			return err
		}
		return nil
	})
	return broken, err
}

var markup = regexp.MustCompile(`<[^<>]*>`) // of SVG

var output = regexp.MustCompile(`(?i)^(unordered )?output:`) // as package doc has it

func (g Glossary) checkGo(fsys fs.FS, name string) ([]string, error) {
	src, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, name, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(src), "\n")
	var broken []string
	for _, group := range file.Comments {
		// A phrase may begin on one line of the group and end on the next.
		var text []string
		first := set.Position(group.Pos()).Line
		for _, c := range group.List {
			for _, l := range strings.Split(c.Text, "\n") {
				text = append(text, strings.TrimLeft(l, "/ \t*"))
			}
		}
		broken = append(broken, g.find(name, first, text)...)
		if output.MatchString(text[0]) {
			continue // what an example prints has the lines that it has
		}

		for n := first; n <= set.Position(group.End()).Line; n++ {
			line := strings.TrimLeft(lines[n-1], "\t ")
			prose, ok := strings.CutPrefix(line, "// ")
			if ok && strings.ContainsRune(prose, ' ') && utf8.RuneCountInString(line) > maxColumns {
				broken = append(broken, fmt.Sprintf("%s:%d: a line of comment with %d characters: at most %d",
					name, n, utf8.RuneCountInString(line), maxColumns))
			}
		}
	}
	return broken, nil
}

var code = regexp.MustCompile("`[^`\n]*`") // quotes what it says

func (g Glossary) checkMarkdown(name, text string) []string {
	if glossary := section(text); glossary != "" {
		text = strings.Replace(text, glossary, strings.Repeat("\n", strings.Count(glossary, "\n")), 1)
	}
	text = code.ReplaceAllString(text, "``")
	return g.find(name, 1, strings.Split(text, "\n"))
}

// find looks for the glossary's words in consecutive lines of text.
func (g Glossary) find(name string, first int, lines []string) []string {
	type finding struct {
		line int
		text string
	}
	var found []finding
	text := strings.Join(lines, "\n")
	lower := strings.ToLower(text)
	for _, term := range g {
		for _, not := range term.Not {
			if !strings.Contains(lower, not.hint) {
				continue // an expression takes long
			}
			for _, at := range not.pattern.FindAllStringIndex(text, -1) {
				line := first + strings.Count(text[:at[0]], "\n")
				found = append(found, finding{line, fmt.Sprintf("%s:%d: not %q: say %s",
					name, line, strings.Join(strings.Fields(text[at[0]:at[1]]), " "), term.Say)})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b finding) int { return a.line - b.line })
	var broken []string
	for _, f := range found {
		broken = append(broken, f.text)
	}
	return broken
}

// phrase returns the Phrase of words.
func phrase(words string) Phrase {
	fields := strings.Fields(words)
	expr := `\b` + strings.Join(strings.Fields(regexp.QuoteMeta(words)), `\s+`)
	if r, _ := utf8.DecodeRuneInString(words); unicode.IsUpper(r) {
		expr += `\b`
	} else {
		expr = `(?i)` + expr + `(s|es|d|ed|ing)?\b`
	}
	return Phrase{strings.ToLower(fields[0]), regexp.MustCompile(expr)}
}
