//go:build !virtual

package main

import (
	"bytes"
	"strings"
	"testing"
)

// Without the tag there is one line that says how to build it.
func TestWithoutTag(t *testing.T) {
	for _, args := range []string{"check --locks tikcet", "trace --lock tikcet"} {
		var out, errs bytes.Buffer
		code := run(strings.Fields(args), &out, &errs)
		if got := errs.String(); code != exitUsage || out.Len() > 0 || strings.Count(got, "\n") != 1 || !strings.Contains(got, "go build -tags virtual ./cmd/locksim") {
			t.Errorf("%s: exit status %d, want %d; stdout %q, stderr %q", args, code, exitUsage, &out, got)
		}
	}
}
