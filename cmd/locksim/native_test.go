//go:build !virtual

package main

import (
	"bytes"
	"strings"
	"testing"
)

// Without the tag there is one line that says how to build it.
func TestWithoutTag(t *testing.T) {
	var out, errs bytes.Buffer
	code := run([]string{"check", "--locks", "tikcet"}, &out, &errs)
	if got := errs.String(); code != exitUsage || out.Len() > 0 || strings.Count(got, "\n") != 1 || !strings.Contains(got, "go build -tags virtual ./cmd/locksim") {
		t.Errorf("exit status %d, want %d; stdout %q, stderr %q", code, exitUsage, &out, got)
	}
}
