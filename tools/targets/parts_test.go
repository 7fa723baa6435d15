//go:build !race && !purego && !virtual

package main

import (
	"bytes"
	"context"
	"io"
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

// Each process is a round, and so is one after the other on another number of CPUs: a
// lock has its reference in the same round, and no other value of either.
func TestBenchmarkRounds(t *testing.T) {
	if testing.Short() {
		t.Skip("builds two test binaries")
	}
	measure := running(100, []int{1, 2}, benchmarks{"ticket", `^BenchmarkLock$/lock=(ticket|sync.Mutex)$`}, benchmarks{"qspinlock", `^BenchmarkLock$/lock=(qspinlock|sync.Mutex)$`})
	samples, err := measure(context.Background(), io.Discard, 2)
	if err != nil {
		t.Fatal(err)
	}
	type key struct{ round, cpus int }
	locks := make(map[key][]string)
	for _, s := range samples {
		k := key{s.Round, s.CPUs}
		locks[k] = append(locks[k], s.Lock)
	}
	want := map[key]string{}
	for _, cpus := range []int{1, 2} {
		for round, lock := range []string{"ticket", "qspinlock", "ticket", "qspinlock"} {
			want[key{round + 1, cpus}] = "sync.Mutex " + lock
		}
	}
	for k, w := range want {
		if got := strings.Join(locks[k], " "); got != w {
			t.Errorf("round %d, %d CPUs: %q, want %q", k.round, k.cpus, got, w)
		}
	}
	if len(locks) != len(want) {
		t.Errorf("got %v", locks)
	}
}
