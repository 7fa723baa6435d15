package main

import (
	"bytes"
	"strings"
	"testing"
)

// The module in testdata is correct on one machine, and has a different fault on each
// of the others.
func TestMachines(t *testing.T) {
	for machine, want := range map[string]string{
		"linux/amd64":   "",
		"linux/arm64":   "add_arm64.s:5:1: [arm64] add: invalid offset b+16(FP); expected b+8(FP)",
		"windows/amd64": `m.go:3:28: cannot use answer (untyped string constant "42") as int value in return statement`,
		"freebsd/386":   "m.go:3:28: cannot use answer (untyped int constant 1099511627776) as int value in return statement (overflows)",
		"freebsd/amd64": "",
		"netbsd/amd64":  "m_test.go:5:33: undefined: answers",
	} {
		var stdout, stderr bytes.Buffer
		code := run("testdata/module", []string{machine}, &stdout, &stderr)
		if wantCode := min(len(want), 1); code != wantCode || !strings.Contains(stderr.String(), want) || want == "" && stderr.Len() > 0 || want != "" && strings.Count(stderr.String(), "\n") > 2 {
			t.Errorf("%s: exit status %d, want %d with %q:\n%s", machine, code, wantCode, want, &stderr)
		}
	}
	var stdout, stderr bytes.Buffer
	for _, machines := range [][]string{nil, {"linux"}, {"plan10/amd64"}} {
		if code := run("testdata/module", machines, &stdout, &stderr); code != 2 {
			t.Errorf("%q: exit status %d, want 2", machines, code)
		}
	}
}
