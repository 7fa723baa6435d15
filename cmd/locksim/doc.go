// Locksim runs locks on a virtual machine: one that executes every schedule, or one that
// has any number of CPUs, caches and a clock. It must be built for that:
//
//	go build -tags virtual ./cmd/locksim
//
// # Every schedule
//
// Check checks the claims of a lock with a few workers: that it admits one holder at a
// time, that a TryLock does not wait, that waiters are served in the order of arrival,
// that no more permits are out than there are, that writers exclude readers and readers
// do not exclude each other, that a sequence lock's readers see one moment, and always
// that every worker makes progress. Without flags it checks every lock that is written
// against package primitives. Other properties are checked only in the model tests of
// the packages: the grace periods of RCU, waiters that give up, and which waiters of a
// mutex may be overtaken.
//
//	$ locksim check --locks ticket,rw-queued --workers 2
//	LOCK       PROPERTY   VERDICT              SCHEDULES        STEPS    TIME  SEARCHED
//	ticket     exclusion  holds ... every schedule of 2 workers × 1 acquisition
//	ticket     trylock    holds ... every schedule of 2 workers × 1 attempt
//	ticket     tries      holds ... every schedule of 2 workers × 1 attempt
//	ticket     fifo       holds ... every schedule of 1 waiter and one that comes later
//	rw-queued  exclusion  holds ... every schedule of 2 workers × 1 acquisition, each worker on a CPU of its own
//	rw-queued  trylock    holds ... every schedule of 2 workers × 1 attempt, each worker on a CPU of its own
//	rw-queued  tries      holds ... every schedule of 2 workers × 1 attempt
//	rw-queued  readers    holds ... every schedule of 2 workers × 1 acquisition, one writes, each worker on a CPU of its own
//	rw-queued  meeting    holds ... every schedule of 2 workers × 1 acquisition
//
// "Holds" is a proof for that many workers: of schedules that differ only in the order
// of steps that do not conflict it ran one, and it left none out. If a wait may end at
// any time, before its waiter parks, the search ends it after a while, and says "holds
// within bounds". A search that leaves schedules out says "not refuted":
//
//	$ locksim check --locks mcs --properties exclusion --mode bounded --bound 1
//	LOCK ...
//	mcs   exclusion  not refuted ... every schedule of 3 workers × 1 acquisition with at most 1 preemption, each worker on a CPU of its own
//	$ locksim check --locks mcs --properties exclusion --workers 6 --mode pct --schedules 500
//	LOCK ...
//	mcs   exclusion  not refuted                500 ... schedules of 6 workers × 1 acquisition with random priorities and 3 changes of them, seed 1: what 4 steps in order show is found with a probability of at least ...
//	$ locksim check --locks mcs --properties exclusion --workers 6 --budget 100ms
//	LOCK ...
//	mcs   exclusion  not refuted ... not every schedule of 6 workers × 1 acquisition...the budget ended the search
//	locksim: the budget ended a search early: 1 of 1; want a longer --budget, fewer --workers or --ops, or another --mode
//	exit status 3
//
// # A violation
//
// Busted is in the catalogue so that a check fails. The schedule is a table with a
// column for each worker; the last line runs it again:
//
//	$ locksim check --locks busted --properties exclusion
//	LOCK    PROPERTY   VERDICT              SCHEDULES        STEPS    TIME  SEARCHED
//	busted  exclusion  violated                     1 ... data race: step 2 (worker 1) and step 3 (worker 2) access n, and nothing orders them; no step of package primitives was seen: ...
//
//	busted, exclusion
//
//	  step  │ worker 1 │ worker 2 │ source
//	────────┼──────────┼──────────┼─...
//	     1  │ Get n    │          │ property/exclusion.go:...  section
//	   ✗ 2  │ Set n    │          │ property/exclusion.go:...  section
//	   ✗ 3  │          │ Get n    │ property/exclusion.go:...  section
//
//	data race: step 2 (worker 1) and step 3 (worker 2) access n, and nothing orders them; no step of package primitives was seen: ...
//	  step 2, worker 1: Set n, property/exclusion.go:... in section
//	  step 3, worker 2: Get n, property/exclusion.go:... in section
//	again: locksim check --locks busted --properties exclusion --workers 3 --ops 1 --replay -
//	locksim: violations by busted
//	exit status 1
//
// With --plots it also draws a figure; docs/verification.md says how to read both.
//
// # Many CPUs
//
// Run is lockbench run in virtual time, on a machine that is simulated. It takes the same
// flags, except those that have no meaning there, and writes the same files and pictures. A
// file also has, for each operation, how many cache lines came from another CPU and from
// another socket, and how long CPUs spun:
//
//	$ locksim run --machine xeon-8176-8s --locks ticket,mcs --cpus 1,8 --reads 0 --plots=
//	locksim: xeon-8176-8s: 2 locks in 2 situations, 1 sample of each
//	...
//	ns/op, less is better
//
//	hold 0s, think 100ns, 0% reads
//	           1 CPU     8 CPUs
//	        1 worker  8 workers
//	...
//	$ locksim run --machine xeon-8176-8s --locks ticket,mcs,tas --cpus 1,8 --reads 0 --plots= --extend
//	locksim: xeon-8176-8s: 3 locks in 2 situations, 1 sample of each
//	locksim: have 4 of 6
//	...
//	ns/op, less is better
//	...
//
// A file does not depend on the host, on the number of processes, or on interruptions: the
// same flags give the same bytes. docs/simulator.md says more.
//
// # What a lock does, in time
//
// Trace lets a few workers use a lock on a simulated machine, and writes what each CPU
// does when: as a file for ui.perfetto.dev or chrome://tracing, or as a picture.
//
//	$ locksim trace --lock ticket --cpus 12 --ops 1 --think 0s --out ticket.json
//	ticket.json: 12 sections in ... µs; ... lines from CPU to CPU, ... a section; handoffs in ... ns to ... ns, ... ns on average
//	$ locksim trace --lock mcs --cpus 12 --ops 1 --think 0s --out mcs.svg
//	mcs.svg: 12 sections in ...
//
// The times are virtual: they depend on the lock, the machine, the flags and the seed, and
// on nothing else. docs/simulator.md shows pictures and how to read them.
//
// # This machine, for the simulator
//
// Calibrate measures what operations cost on the machine that it runs on, and writes a
// machine file: how long a cache line takes from one CPU to another, what a park takes.
// docs/simulator.md says how each cost is measured. It takes 20 seconds.
//
//	locksim calibrate --out mine.toml
//
// # What can go wrong
//
//	$ locksim calibrate --budget 0s --distance middling
//	locksim: --budget 0s: must be at least 1s
//	locksim: --distance middling: want near or far
//	exit status 2
//	$ locksim check --locks tikcet --workers 0 --mode dpor --bound 2
//	locksim: --workers 0: must be at least 1
//	locksim: --bound 2: want --mode bounded or pct with it
//	locksim: unknown lock "tikcet", did you mean "ticket"? (known: ...)
//	exit status 2
//	$ locksim run --machine i7-8750h --cpus 16 --locks chan --gc off --extend
//	locksim: --gc: cannot be simulated: the collector takes no virtual time
//	locksim: --cpus 16: must be at most 12: machine i7-8750h has no more
//	locksim: lock "chan": cannot be simulated: it is not written against package primitives, and there is no model of it
//	exit status 2
//	$ locksim trace --lock busted --out busted.svg
//	busted.svg: 16 sections in ...
//	locksim: lock "busted": two workers were in the section at once
//	exit status 1
//
// The exit code is 0 if nothing was violated; 1 if something was, or if a lock is broken or
// stuck; 2 if the command could not do its work: the command line makes no sense, locksim
// was built without the tag virtual, or something could not be written; 3 if the budget
// ended a search early; and 130 after an interrupt (SIGINT or SIGTERM), which ends the
// search, or the sweep: the table, or the file, has what was done. If several apply, 1 takes
// precedence over 2, and 2 over the others.
package main
