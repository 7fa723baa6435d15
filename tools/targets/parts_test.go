//go:build !race && !purego && !virtual

package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
)

// Every part measures what its claims are about: a busy machine may hide a claim only if
// it needs two CPUs at once. Two rounds show no more than that.
func TestParts(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute")
	}
	for _, p := range parts {
		switch p.name {
		case "crowd", "shares", "waits", "starve", "mix": // those take long
			continue
		}
		t.Run(p.name, func(t *testing.T) {
			var out bytes.Buffer
			samples, err := p.run(context.Background(), &out, 2)
			if err != nil {
				t.Fatal(err)
			}
			claims := claimsOf(t, p.name)
			if _, err := p.judge(&out, claims, samples); err != nil {
				t.Error(err)
			}
			if missing := unmeasured(t, claims, samples); len(missing) > 0 {
				t.Errorf("claims about %s, which it does not measure", strings.Join(missing, ", "))
			}
			for _, s := range claims.Shapes {
				if d := s.Filter.Distance; d == nil && strings.Contains(out.String(), s.Place()+":") {
					t.Errorf("no samples for a claim:\n%s", &out)
				}
			}
		})
	}
}
