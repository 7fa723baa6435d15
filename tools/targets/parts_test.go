//go:build !race && !purego && !virtual

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"text/tabwriter"
)

// Every part measures what it claims: a busy machine may hide a claim only if it needs
// two CPUs at once. Two rounds show no more than that.
func TestParts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	for _, p := range parts {
		switch p.name {
		case "crowd", "starve", "mix": // those take long
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			var out bytes.Buffer
			j := judge{table: tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)}
			if err := p.measure(context.Background(), &j, 2); err != nil {
				t.Error(err)
			}
			j.table.Flush()
			for line := range strings.Lines(out.String()) {
				if strings.Contains(line, "not seen") && !strings.Contains(line, "near") && !strings.Contains(line, "far") && !strings.Contains(line, "2 CPUs") {
					t.Error(line)
				}
			}
		})
	}
}
