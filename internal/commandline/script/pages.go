package script

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A Block is a block of commands on a page of documentation. In a block fenced as sh
// each line can be pasted into a shell; in one fenced as console those lines begin with
// a dollar sign, and the others are their output. A comment before the block may say
// why it is not run, or what to run first:
//
//	<!-- not run: takes minutes -->
//	<!-- run after: lockbench run --quick -->
type Block struct {
	Page     string // its path in the repository
	Line     int    // of its first line
	Text     string // input for a shell; "" for a console block
	NotRun   string
	RunAfter string
	Commands []string // lines without comments; lines joined by a backslash are one
}

// Pages returns the blocks of commands in README.md and the pages of docs, and the
// pages' texts by their paths, of the repository at root.
func Pages(t *testing.T, root string) (blocks []Block, texts map[string]string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	texts = make(map[string]string)
	for _, name := range append(names, filepath.Join(root, "README.md")) {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		page, err := filepath.Rel(root, name)
		if err != nil {
			t.Fatal(err)
		}
		page = filepath.ToSlash(page)
		texts[page] = string(text)
		found, loose := blocksOf(page, string(text))
		blocks = append(blocks, found...)
		for _, line := range loose {
			t.Errorf("%s: want commands in a block that begins with ```sh or ```console", line)
		}
	}
	return blocks, texts
}

var (
	fence      = regexp.MustCompile("^\\s*```(\\w*)$")
	mark       = regexp.MustCompile(`^\s*<!-- (not run|run after): (.*) -->$`)
	isCommand  = regexp.MustCompile(`^(\$ |lockbench |locksim |go (test|run|build|tool|install|doc|mod) )`)
	isIndented = regexp.MustCompile(`^( {4}|\t)`)
)

// blocksOf returns the blocks of commands on a page, and the command lines outside of
// such blocks.
func blocksOf(page, text string) (blocks []Block, loose []string) {
	var before string // the line above
	var open *Block
	kind, inside := "", false
	for i, line := range strings.Split(text, "\n") {
		if m := fence.FindStringSubmatch(line); m != nil {
			switch {
			case inside && open != nil:
				open.Commands = commands(open.Text)
				if kind == "console" {
					open.Text = ""
				}
				blocks = append(blocks, *open)
				open, inside = nil, false
			case inside:
				inside = false
			default:
				inside, kind = true, m[1]
				if kind == "sh" || kind == "console" {
					open = &Block{Page: page, Line: i + 2}
					if m := mark.FindStringSubmatch(before); m != nil {
						open.NotRun, open.RunAfter = m[2], m[2]
						if m[1] == "not run" {
							open.RunAfter = ""
						} else {
							open.NotRun = ""
						}
					}
				}
			}
			before = line
			continue
		}
		before = line
		command, prompted := strings.CutPrefix(strings.TrimSpace(line), "$ ")
		switch {
		case open != nil && kind == "sh":
			open.Text += line + "\n"
		case open != nil && (prompted || strings.HasSuffix(open.Text, "\\\n")):
			open.Text += command + "\n"
		case open != nil:
		case (inside || isIndented.MatchString(line)) && isCommand.MatchString(strings.TrimSpace(line)):
			loose = append(loose, page+": "+strings.TrimSpace(line))
		}
	}
	return blocks, loose
}

// commands returns the command lines of a text.
func commands(text string) (lines []string) {
	for line := range strings.Lines(strings.ReplaceAll(text, "\\\n", "")) {
		line, _, _ = strings.Cut(line, " #")
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	return lines
}

// Simple splits a line at pipes, semicolons and ampersands into simple commands, as
// words, without leading assignments, parentheses and redirections.
func Simple(line string) (simple [][]string) {
	var words []string
	end := func() {
		for len(words) > 0 && regexp.MustCompile(`^[A-Z_]+=`).MatchString(words[0]) {
			words = words[1:]
		}
		if len(words) > 0 {
			simple = append(simple, words)
		}
		words = nil
	}
	skip := false
	for i, part := range strings.Split(line, "'") {
		if i%2 == 1 {
			words = append(words, part)
			continue
		}
		for _, word := range strings.Fields(strings.NewReplacer("(", " ", ")", " ", ";", " ; ").Replace(part)) {
			switch {
			case skip:
				skip = false
			case word == "|" || word == "&&" || word == "||" || word == ";":
				end()
			case word == ">" || word == "<" || word == ">>":
				skip = true
			case strings.HasPrefix(word, ">") || strings.HasPrefix(word, "<") || strings.HasPrefix(word, "2>"):
			default:
				words = append(words, word)
			}
		}
	}
	end()
	return simple
}
