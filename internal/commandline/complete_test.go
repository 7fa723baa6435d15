package commandline_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lockbench/lockbench/internal/commandline"
)

type doCmd struct {
	What   string   `arg:"" complete:"this|that"`
	Files  []string `arg:"" optional:"" complete:"files"`
	Locks  string   `placeholder:"LOCK,..." complete:"locks"`
	Format string   `placeholder:"FORMAT" complete:"text|json"`
	Plots  string   `placeholder:"DIR" complete:"dirs"`
	Force  bool
}

func (doCmd) Help() string { return commandline.Examples("{program} do this") }

func (doCmd) Run(commandline.Console) error { return nil }

var completing = commandline.Program{
	Name: "prog", About: "Does things.",
	Commands: func() any {
		return new(struct {
			Do doCmd `cmd:"" help:"Do it."`
			commandline.Common
		})
	},
	Complete: map[string]func() []string{"locks": func() []string { return []string{"tas", "ticket", "mcs"} }},
}

func TestComplete(t *testing.T) {
	for _, test := range []struct{ shell, words, want string }{ // words with bars between them
		{"bash", "", "do help completion"},
		{"bash", "c", "completion"},
		{"bash", "--v", "--version"},
		{"bash", "completion|", "bash zsh fish"},
		{"bash", "help|d", "do"},
		{"bash", "do|", "this that"},
		{"bash", "do|tha", "that"},
		{"bash", "do|this|", ":files"},
		{"bash", "do|this|x|y", ":files"},
		{"bash", "do|--f", "--format --force"},
		{"bash", "do|--locks|t", "tas ticket"},
		{"bash", "do|--locks|mcs,t", "mcs,tas mcs,ticket"},
		{"bash", "do|--locks|tas,t", "tas,ticket"},
		{"bash", "do|--locks|!m", "!mcs"},
		{"bash", "do|--locks|tas,!m", "tas,!mcs"},
		{"bash", "do|--locks|=|m", "mcs"},
		{"bash", "do|--locks|=", "tas ticket mcs"},
		{"zsh", "do|--locks=tas,m", "tas,mcs"},
		{"fish", "do|--locks=tas,m", "--locks=tas,mcs"},
		{"bash", "do|--format|", "text json"},
		{"bash", "do|--format|j", "json"},
		{"fish", "do|--plots=", ":dirs"},
		{"bash", "do|--plots|x", ":dirs"},
		{"bash", "do|--force|", "this that"},
		{"bash", "do|--locks|tas|", "this that"},
		{"bash", "do|--nothing=", ""},
		{"bash", "nothing|", "do help completion"},
	} {
		var out, errs bytes.Buffer
		code := completing.Run(append([]string{"__complete", test.shell}, strings.Split(test.words, "|")...), &out, &errs)
		if got := strings.Join(strings.Fields(out.String()), " "); got != test.want || code != 0 || errs.Len() > 0 {
			t.Errorf("%s, %s: got %q, %d, %s, want %q", test.shell, test.words, got, code, &errs, test.want)
		}
	}
}

func TestHelpAndVersion(t *testing.T) {
	for _, test := range []struct {
		command string
		code    int
		out     string
		errs    string
	}{
		{"help", 0, "Usage: prog <command>", ""},
		{"help do", 0, "\n    prog do this\n", ""},
		{"do --help", 0, "\n    prog do this\n", ""},
		{"help help", 0, "prog help run\n    prog help completion", ""},
		{"help no", commandline.Usage, "", `prog: help: unknown command "no" (known: do, help, completion)`},
		{"--version", 0, "prog ", ""},
		{"do --version", 0, "prog ", ""},
		{"completion fish", 0, "complete -c prog", ""},
		{"completion ksh", commandline.Usage, "", `unknown shell "ksh" (known: bash, zsh, fish)`},
	} {
		var out, errs bytes.Buffer
		code := completing.Run(strings.Fields(test.command), &out, &errs)
		if code != test.code || !strings.Contains(out.String(), test.out) || !strings.Contains(errs.String(), test.errs) || test.errs == "" && errs.Len() > 0 {
			t.Errorf("$ prog %s\nexit status %d, %s%s, want %d, %q, %q", test.command, code, &out, &errs, test.code, test.out, test.errs)
		}
		if strings.Contains(test.command, "version") && !strings.Contains(out.String(), "go1.") {
			t.Errorf("$ prog %s\n%s, want the version of Go", test.command, &out)
		}
	}
}
