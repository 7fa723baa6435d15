package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/catalog"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/fitness"
	"github.com/lockbench/lockbench/internal/sweeping"
	"github.com/lockbench/lockbench/internal/wording"
)

type tortureCmd struct {
	Locks    string `complete:"tortured" placeholder:"LOCK,..." help:"Names or patterns of locks, as for run, and of flavours of RCU: rcu-domain, rcu-pinned, rcu-registered, rcu-qsbr (all of both). A lock of yours is ./mypkg.MyLock or example.com/mod/pkg.Type."`
	Duration string `placeholder:"D" default:"60s" help:"Time for all locks together (${default})."`
	Seed     string `placeholder:"N" help:"Seed of the random choices (a different one each time)."`

	own ownChoice
}

// A tortureSubject is a lock or a flavour of RCU to torture.
type tortureSubject struct {
	name string // as --locks calls it
	run  func(context.Context, harness.Torture) (harness.Tortured, error)
}

func (c *tortureCmd) Run(con commandline.Console) error {
	var bad commandline.Problems
	subjects := c.subjects(&bad)
	total := commandline.One(&bad, "--duration", c.Duration, bad.Durations("--duration", c.Duration, time.Millisecond, 1000*time.Hour))
	t := harness.Torture{
		Seed: bad.Seed("--seed", cmp.Or(c.Seed, strconv.Itoa(time.Now().Nanosecond()))),
	}
	if len(bad) > 0 {
		return bad
	}
	if len(c.own.missing) > 0 {
		return c.own.become(con)
	}

	ctx, restore := commandline.UntilSignal()
	defer restore()

	warn(con, fitness.Look(ctx).Warnings())
	share := total / time.Duration(len(subjects))
	fmt.Fprintf(con.Err, "lockbench: %s, about %v each, seed %d\n", wording.Count(len(subjects), "lock"), share.Round(time.Millisecond), t.Seed)
	var all []harness.Tortured
	var failures []error
	var failed []string
	log := newTortureLog(con.Err, total, len(subjects))
	t.Report = log.report
	for i, m := range subjects {
		// If one takes longer than its share, the others get less.
		t.Duration = max(total-time.Since(log.began), time.Millisecond) / time.Duration(len(subjects)-i)
		done, err := m.run(ctx, t)
		all = append(all, done)
		log.done++
		if sweeping.Interruption(ctx, err) == sweeping.ErrInterrupted {
			break
		}
		if err != nil {
			failed = append(failed, m.name)
			failures = append(failures, commandline.Found(fmt.Errorf("%w\n\tagain: lockbench torture --locks %s --duration %v --seed %d", err, m.name, max(t.Duration.Round(time.Millisecond), time.Millisecond), t.Seed)))
		}
		if stuck := (*harness.StuckError)(nil); errors.As(err, &stuck) {
			fmt.Fprintln(con.Err, stuck.Stacks)
			break // workers that are stuck would disturb the next lock
		}
	}
	err := writeTortured(con.Out, all)
	switch {
	case len(failed) > 0:
		fmt.Fprintf(con.Out, "FAILURE of %s\n", strings.Join(failed, ", "))
	case ctx.Err() != nil:
		failures = append(failures, sweeping.ErrInterrupted)
	default:
		fmt.Fprintln(con.Out, "SUCCESS")
	}
	return errors.Join(append(failures, err)...)
}

// subjects returns the locks and flavours that the flags select.
func (c *tortureCmd) subjects(bad *commandline.Problems) []tortureSubject {
	var patterns []string
	c.own, patterns = chooseOwn(bad, c.Locks)
	if c.Locks == "" {
		patterns = []string{"!none"}
	}
	var locks []catalog.Entry
	var flavours []harness.RCU
	if len(patterns) > 0 {
		var err error
		locks, flavours, err = catalog.MatchAll(patterns...)
		bad.Add(err)
	}
	var all []tortureSubject
	add := func(name string, s harness.Subject) {
		all = append(all, tortureSubject{name, func(ctx context.Context, t harness.Torture) (harness.Tortured, error) {
			return t.RunLock(ctx, s)
		}})
	}
	for _, l := range locks {
		if l.Unlocked {
			bad.Addf("--locks: lock %q: does not claim to exclude, want one that does", l.Name)
		}
		add(l.Name, l.Subject)
	}
	for _, s := range c.own.subjects {
		add(c.own.args[s.Name], s)
	}
	for _, f := range flavours {
		all = append(all, tortureSubject{f.Name, func(ctx context.Context, t harness.Torture) (harness.Tortured, error) {
			return t.RunRCU(ctx, f)
		}})
	}
	return all
}

// A tortureLog writes a line every few seconds.
type tortureLog struct {
	meter    *commandline.Meter
	began    time.Time
	total    time.Duration
	done, of int
}

func newTortureLog(out io.Writer, total time.Duration, of int) *tortureLog {
	pace := commandline.Pace{First: 5 * time.Second, Every: 5 * time.Second, Lines: true} // they are a record
	return &tortureLog{meter: commandline.NewMeter(out, "lockbench", pace), began: time.Now(), total: total, of: of}
}

// report is called after each round.
func (l *tortureLog) report(d harness.Tortured) {
	l.meter.Show(func() string {
		return fmt.Sprintf("%v of %v, %d of %d done; %s: %s, %d reads, %d writes%s",
			time.Since(l.began).Round(time.Second), l.total.Round(time.Second), l.done, l.of,
			d.Name, wording.Count(d.Rounds, "round"), d.Reads, d.Writes, ages(d))
	})
}

// ages returns the ages of the objects that readers saw, or "" for a lock.
func ages(d harness.Tortured) string {
	if d.Ages == nil {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, ", %d grace periods, ages", d.GracePeriods)
	for _, n := range d.Ages {
		fmt.Fprintf(&b, " %d", n)
	}
	return b.String()
}

// writeTortured writes the results of locks, and then those of flavours of RCU.
func writeTortured(out io.Writer, all []harness.Tortured) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	header := "LOCK\tROUNDS\tREADS\tWRITES\tLONG\tSTARTS\tREFUSED\tTIMED OUT\tCANCELLED\tDOWNGRADES\tFLIPS\tCOLLECTIONS\tCANCELLATIONS\n"
	for _, d := range all {
		if d.Ages != nil {
			continue
		}
		fmt.Fprint(w, header)
		header = ""
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", d.Name, d.Rounds, d.Reads, d.Writes, d.Long, d.Starts,
			d.Refused, d.TimedOut, d.Cancelled, d.Downgrades, d.Flips, d.Collections, d.Cancellations)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	header = "RCU\tROUNDS\tREADS\tWRITES\tLONG\tSTARTS\tREADERS\tGRACE PERIODS\tCALLBACKS\tFLIPS\tCOLLECTIONS\tAGES 0 1 2 ...\n"
	for _, d := range all {
		if d.Ages == nil {
			continue
		}
		fmt.Fprint(w, header)
		header = ""
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t%s\n", d.Name, d.Rounds, d.Reads, d.Writes, d.Long, d.Starts,
			d.Registrations, d.GracePeriods, d.Callbacks, d.Flips, d.Collections, strings.Trim(fmt.Sprint(d.Ages), "[]"))
	}
	return w.Flush()
}
