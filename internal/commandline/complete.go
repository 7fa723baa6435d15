package commandline

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// completeCommand is the command by which the scripts ask for the completions of a
// word. Its arguments are the shell and the words so far, the last of which is to be
// completed; it prints a candidate on each line, or the line ":files" or ":dirs" to
// leave the completion to the shell.
const completeCommand = "__complete"

var completionScripts = map[string]string{
	"bash": `_PROGRAM() {
	local line IFS=$'\n' word=${COMP_WORDS[COMP_CWORD]}
	[ "$word" != = ] || word=
	COMPREPLY=()
	while read -r line; do
		case $line in
		:files) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -f -- "$word")) ;;
		:dirs) compopt -o filenames 2>/dev/null; COMPREPLY+=($(compgen -d -- "$word")) ;;
		*) COMPREPLY+=("$line") ;;
		esac
	done < <("${COMP_WORDS[0]}" COMMAND bash "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -F _PROGRAM PROGRAM
`,
	"zsh": `#compdef PROGRAM
_PROGRAM() {
	local line
	local -a found
	found=("${(@f)$("${words[1]}" COMMAND zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}")
	[[ $PREFIX != --*=* ]] || compset -P '*='
	for line in $found; do
		case $line in
		:files) _files ;;
		:dirs) _files -/ ;;
		*) compadd -- "$line" ;;
		esac
	done
}
compdef _PROGRAM PROGRAM
`,
	"fish": `function __PROGRAM_complete
	set -l tokens (commandline -opc)
	set -l current (commandline -ct)
	for line in ($tokens[1] COMMAND fish $tokens[2..] "$current" 2>/dev/null)
		switch $line
			case :files
				__fish_complete_path (commandline -ct)
			case :dirs
				__fish_complete_directories (commandline -ct)
			case '*'
				echo $line
		end
	end
end
complete -c PROGRAM -f -a '(__PROGRAM_complete)'
`,
}

// complete prints the completions of the last of words.
func (p Program) complete(con Console, words []string) {
	if len(words) < 2 {
		return
	}
	shell, words := words[0], joinAssignments(words[1:])
	current := words[len(words)-1]
	c := completion{p: p, node: p.Model().Node, whole: shell == "fish"}
	for _, word := range words[:len(words)-1] {
		c.pass(word)
	}
	for _, candidate := range c.candidates(current) {
		fmt.Fprintln(con.Out, candidate)
	}
}

// joinAssignments joins words that bash has split at "=".
func joinAssignments(words []string) (joined []string) {
	for i := 0; i < len(words); i++ {
		n := len(joined)
		switch {
		case words[i] == "=" && n > 0 && strings.HasPrefix(joined[n-1], "--"):
			joined[n-1] += "="
			if i+1 < len(words) {
				i++
				joined[n-1] += words[i]
			}
		default:
			joined = append(joined, words[i])
		}
	}
	return joined
}

// A completion is the state of reading a command line.
type completion struct {
	p     Program
	node  *kong.Node
	flag  *kong.Flag // the flag whose value comes next
	args  int        // arguments so far
	whole bool       // candidates for the value in --flag=value have the flag in them
}

// pass reads a complete word.
func (c *completion) pass(word string) {
	switch {
	case c.flag != nil:
		c.flag = nil
	case strings.HasPrefix(word, "-"):
		if f := c.find(word); f != nil && !f.IsBool() {
			c.flag = f
		}
	default:
		for _, child := range c.node.Children {
			if child.Name == word {
				c.node = child
				return
			}
		}
		c.args++
	}
}

// find returns the flag that word names, which may be hidden.
func (c *completion) find(word string) *kong.Flag {
	for _, group := range c.node.AllFlags(false) {
		for _, f := range group {
			if word == "--"+f.Name {
				return f
			}
		}
	}
	return nil
}

func (c *completion) candidates(current string) (all []string) {
	name, value, assigned := strings.Cut(current, "=")
	switch {
	case c.flag != nil:
		return c.values(c.flag.Value, c.flag.PlaceHolder, current)
	case assigned && strings.HasPrefix(name, "--"):
		f := c.find(name)
		if f == nil {
			return nil
		}
		all = c.values(f.Value, f.PlaceHolder, value)
		for i := range all {
			if c.whole && !strings.HasPrefix(all[i], ":") {
				all[i] = name + "=" + all[i]
			}
		}
		return all
	case strings.HasPrefix(current, "-"):
		for _, group := range c.node.AllFlags(true) {
			for _, f := range group {
				all = append(all, "--"+f.Name)
			}
		}
	case len(c.node.Children) > 0:
		all = c.p.commandNames()
	case len(c.node.Positional) > 0:
		arg := c.node.Positional[min(c.args, len(c.node.Positional)-1)]
		return c.values(arg, "", current)
	}
	return slices.DeleteFunc(all, func(s string) bool { return !strings.HasPrefix(s, current) })
}

// values returns the possible values of a flag or an argument, as its tag "complete"
// says: files, dirs, a kind that the program knows, or words with bars between them.
func (c *completion) values(of *kong.Value, placeholder, current string) (all []string) {
	kind := of.Tag.Get("complete")
	before := ""
	if strings.HasSuffix(placeholder, ",...") {
		before = current[:strings.LastIndexByte(current, ',')+1]
	}
	if kind == "locks" && strings.HasPrefix(current[len(before):], "!") {
		before += "!"
	}
	known := c.p.Complete[kind]
	switch {
	case kind == "":
		return nil
	case kind == "files" || kind == "dirs":
		return []string{":" + kind}
	case kind == "commands":
		all = c.p.commandNames()
	case known != nil:
		all = known()
	default:
		all = strings.Split(kind, "|")
	}
	chosen := strings.Split(before, ",")
	var candidates []string
	for _, v := range all {
		if strings.HasPrefix(before+v, current) && !slices.Contains(chosen, v) {
			candidates = append(candidates, before+v)
		}
	}
	return candidates
}
