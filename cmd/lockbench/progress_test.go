package main

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/sweeping"
)

// The meter reports a sample that takes long, at growing intervals, until it is done.
func TestSlowSample(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		m := sweeping.NewMeter(commandline.Console{Err: &out, Name: "lockbench"}, 3)
		s := harness.Scenario{Subject: harness.Subject{Name: "tas"}, CPUs: 1, Workers: 64}
		const said = "lockbench: a sample of Lock/lock=tas/reads=0/workers=64/hold=0s/think=0s/work=registers-1 has taken "
		take := func(d time.Duration, want string) {
			t.Helper()
			out.Reset()
			m.Begin(s.Cell(), why(s))
			time.Sleep(d) // in the bubble's time
			synctest.Wait()
			got := out.String()
			m.Show(1, 1./3)
			time.Sleep(time.Hour)
			if got != want || strings.Contains(out.String()[len(got):], "has taken") {
				t.Errorf("a sample of %v:\ngot  %qand then %q\nwant %q", d, got, out.String()[len(got):], want)
			}
		}
		const turns = ": each of 64 workers must have its turn on 1 CPU\n"
		take(time.Second, "")
		take(7*time.Second, said+"2s so far"+turns+said+"6s so far"+turns)
		s.Workers = 1
		take(3*time.Second, strings.ReplaceAll(said, "64", "1")+"2s so far\n")
	})
}

// The estimate includes the workers' waits for their turns.
func TestEstimate(t *testing.T) {
	sweep := sweepOf(nil)
	sweep.Subjects[0].Name = "ticket"
	alone := estimate(sweep)
	sweep.CPUs, sweep.WorkersPerCPU = []int{1}, []int{10_000}
	inOrder := estimate(sweep)
	sweep.Subjects[0].Name = "sync.Mutex"
	barging := estimate(sweep)
	if alone > 20*time.Millisecond || inOrder < 20*time.Second || barging > time.Second || barging <= alone {
		t.Errorf("one worker %v, 10,000 that are served in order %v, others %v; want some milliseconds, half a minute or so, and less than a second", alone, inOrder, barging)
	}
	sweep.CPUs, sweep.WorkersPerCPU = []int{100 * runtime.NumCPU()}, []int{1}
	if more := estimate(sweep); more <= alone {
		t.Errorf("more CPUs than there are: %v, want more than %v", more, alone)
	}
}
