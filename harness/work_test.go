package harness

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/lockbench/lockbench/primitives"
)

func TestWorkText(t *testing.T) {
	for i := range works {
		var k Work
		text, err := Work(i).MarshalText()
		if err == nil {
			err = k.UnmarshalText(text)
		}
		if err != nil || k != Work(i) {
			t.Errorf("%v: read back as %v, %v", Work(i), k, err)
		}
	}
	if err := new(Work).UnmarshalText([]byte("disk")); err == nil {
		t.Error(`no error for work "disk"`)
	}
}

// Work in memory reaches all of its buffer, and writes what it reads.
func TestWorkInMemory(t *testing.T) {
	for k, bytes := range map[Work]int{MemoryL1: 16 << 10, MemoryL2: 256 << 10} {
		b := k.newBuffer()
		if len(b)*8 != bytes {
			t.Errorf("%v: a buffer of %d bytes, want %d", k, len(b)*8, bytes)
		}
		before := slices.Clone(b)
		workIn(b, 20*len(b), 1)
		same := 0
		for i := range b {
			if b[i] == before[i] {
				same++
			}
		}
		if same > len(b)/1000 {
			t.Errorf("%v: %d of %d words are as they were", k, same, len(b))
		}
	}
	if Registers.newBuffer() != nil || Serialized.newBuffer() != nil {
		t.Error("a buffer for work that touches no memory")
	}
}

// Every kind of work is measured, over every form of the loop, and is in the
// sample's name; serialized work pauses even if there is nothing to think about.
func TestWorks(t *testing.T) {
	for i := range works {
		k := Work(i)
		s := Scenario{Subject: rwmutex, CPUs: 1, Workers: 1, Work: k, Hold: 10 * time.Nanosecond, Think: 10 * time.Nanosecond, Duration: 50 * time.Microsecond}
		if k == Serialized && !primitives.CanSerialize {
			if err := s.Validate(); err == nil {
				t.Errorf("%v: no error where nothing can be serialized", k)
			}
			continue
		}
		for _, s.Reads = range []int{0, 50, 100} {
			sample, err := Run(context.Background(), s)
			if err != nil {
				t.Fatalf("%v: %v", k, err)
			}
			want := k.String()
			if k == Registers {
				want = ""
			}
			if sample.Work != want {
				t.Errorf("%v: work %q in the sample, want %q", k, sample.Work, want)
			}
		}
		if w := newWorker(newRun(s, s.New(), 0), 0, s.New()); w.buffer != nil {
			for what, compute := range map[string]func(){"hold": w.stay, "think": w.pause} {
				before := slices.Clone(w.buffer)
				if compute(); slices.Equal(w.buffer, before) {
					t.Errorf("%v: %s leaves the buffer as it was", k, what)
				}
			}
		}
		s.Think = 0
		if w := newWorker(newRun(s, s.New(), 0), 0, s.New()); w.thinks != (k == Serialized) {
			t.Errorf("%v: thinks of nothing: %t, want %t", k, w.thinks, k == Serialized)
		}
	}
}
