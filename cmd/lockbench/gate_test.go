package main

import (
	"strings"
	"testing"
)

// Each of these makes no sense, or is no results file. None passes.
func TestGateBadInput(t *testing.T) {
	for _, test := range []struct{ command, want string }{
		{"gate", "want --base REF, --files BASE HEAD, or --self-test"},
		{"gate good.txt good.txt", "good.txt good.txt: want --files before files to compare"},
		{"gate --files good.txt", "--files: want two files, the base's and the head's, have 1"},
		{"gate --files good.txt good.txt good.txt", "--files: want two files, the base's and the head's, have 3"},
		{"gate --files good.txt none.txt", "none.txt"},
		{"gate --files torn.txt good.txt", "torn.txt:6: last line is cut off"},
		{"gate --files good.txt notes.txt", "notes.txt:"},
		{"gate --files plain.txt good.txt", "plain.txt:1: "},
		{"gate --files dir good.txt", "dir"},
		{"gate --files good.txt other.txt", "other"},
		{"gate --files good.txt good.txt --bench nothing", "nothing"},
		{"gate --files good.txt good.txt --metric hops/op", "hops/op"},
		{"gate --files good.txt good.txt --base main", "--files: want neither --base, --self-test nor --history"},
		{"gate --base x --margin 0%", "--margin 0%: want a share above 0 and up to 1"},
		{"gate --base x --margin -3%", "--margin"},
		{"gate --base x --margin lots", "--margin lots: want a share"},
		{"gate --base x --fdr 200%", "--fdr 200%: want a share"},
		{"gate --base x --budget 0", "--budget 0: must be at least 1s"},
		{"gate --base x --min-rounds 1", "--min-rounds 1: must be at least 6"},
		{"gate --base x --builds 1", "--builds 1: must be at least 2"},
		{"gate --base x --confirm-builds 4", "--confirm-builds 4: must be at least 5"},
		{"gate --base x --metric ns/op,,", "--metric ns/op,,: want units"},
		{"gate --base x --metric ns/op --exact", "--exact --metric: want one of them"},
		{"gate --base x --bench (", "--bench: "},
		{"gate --base x --new (", "--new: "},
		{"gate --base x --format xml", `--format xml: want one of text, markdown, github, json, junit`},
		{"gate --base x --cannot-tell maybe", "--cannot-tell maybe: want pass or fail"},
		{"gate --base x --config none.toml", "none.toml"},
		{"gate --base x --config shapes.toml", "shapes.toml: has shapes"},
		{"gate --base x --out plain.txt", "--out: plain.txt is no directory"},
		{"gate --base x --cpu 0", "--cpu 0: must be at least 1"},
		{"gate --base x --slice 1ns", "--slice 1ns: must be at least"},
		{"gate --self-test --base x", "--self-test: want neither --base nor --history"},
		{"gate --self-test --slowdown much", "--slowdown much: want a share"},
		{"gate --base x --margin 0 --fdr 2 --budget y --format z", "--margin 0: \n--fdr 2: \n--budget y: \n--format z: "},
	} {
		code, stdout, stderr := lockbench(t, test.command)
		if code != exitUsage || stdout != "" {
			t.Errorf("$ lockbench %s\nexit status %d, want %d; stdout %q; stderr:\n%s", test.command, code, exitUsage, stdout, stderr)
		}
		for want := range strings.SplitSeq(test.want, "\n") {
			if !strings.Contains(stderr, want) {
				t.Errorf("$ lockbench %s\ngot:\n%s\nwant:\n%s", test.command, stderr, want)
			}
		}
	}
}
