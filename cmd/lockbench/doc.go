// Lockbench measures locks, those of this module and others, and shows which is the
// fastest on this machine: over CPU counts, over shares of reads, for critical sections
// and pauses of any length.
//
// # The main job
//
// Without flags, run measures every lock, in less than a minute, writes results.txt,
// prints a summary, and draws pictures into plots-out, where index.html shows all of
// them and table.txt has every cell:
//
//	$ lockbench run --locks ticket,sync.Mutex --quick --out quick.txt --plots pictures
//	...
//	lockbench: 2 locks in ... situations, 6 samples of each; about 1s
//	...
//	lockbench: ... samples in quick.txt
//	...
//	what an uncontended pair costs: 1 CPU, 1 worker, hold 0s, think 0s
//	...
//	pictures/alone_...
//		What does a lock cost alone?
//	...
//	pictures/index.html
//	...
//	lockbench: not drawn: ... run with --latency...
//	lockbench: ... pictures in pictures
//
// The file is in the Go benchmark format: benchstat reads it, and plot draws it again.
// Each sample is written as soon as it is taken. After an interrupt the table and the
// pictures show the samples so far; after an interrupt or a crash the same command with
// --resume measures what is missing, and nothing twice:
//
//	$ lockbench run --locks ticket,sync.Mutex --quick --out quick.txt --plots pictures
//	lockbench: --out quick.txt: exists: want --resume to add what is missing, --extend to add to it with other flags, --force to replace it, or another name
//	exit status 2
//	$ lockbench run --locks ticket,sync.Mutex --quick --out quick.txt --plots pictures --resume
//	...
//	lockbench: 2 locks in ... situations, 6 samples of each; have ...
//	...
//	lockbench: ... samples in quick.txt
//	...
//
// Export writes every sample as CSV or JSON, for other programs, and run --format
// csv prints them instead of the digest:
//
//	lockbench export --format json quick.txt
//
// With other flags it would be another sweep; --extend adds that to the file:
//
//	$ lockbench run --locks ticket,mcs --quick --out quick.txt --plots pictures --resume
//	lockbench: --resume: quick.txt is of another sweep, with locks sync.Mutex,ticket and not mcs,ticket: want ...
//	exit status 2
//
// A second run on a file to which another run writes ends with exit code 2. Reasons not
// to measure now, such as a busy machine or a quota of CPU time, are printed first, as
// warnings, and are in the file.
//
// Report writes all of it on one page for a browser, without a need of other files or a
// network, and shows it with --open:
//
//	$ lockbench report --out quick.html quick.txt
//	quick.html
//		... cells of 1 file: open it in a browser
//
// With --counters each sample also has the counts of the CPUs and of the kernel per
// operation, as far as this machine has them: cycles, instructions, cache misses, lines
// that came from another core, switches of threads. Missing counters are reported, with
// the reason:
//
//	lockbench run --counters --locks mcs,sync.Mutex --out counted.txt
//
// Advise says which of the measured locks to take for a workload, and interpolates
// between the cells around it; if nothing near it was measured, it says how to measure
// that:
//
//	$ lockbench advise --cpus 1 --reads 45 quick.txt
//	1 CPU, 1 goroutine, 45% reads, hold 0s, think 100ns
//	measured: host...
//
//	take ...
//	interpolated, so less certain than it looks, from 2 cells around it: reads 0%,
//	  90%
//	...
//	$ lockbench advise --cpus 1 --reads 0 --hold 1ms quick.txt
//	lockbench: no data near that: no samples around hold 1ms: have 0s; measure it: lockbench run --cpus 1 --reads 0 --hold 1ms --think 100ns --extend --out quick.txt
//	exit status 3
//
// With --shard a run measures a part of a sweep, so that several machines can share it.
// Merge puts their files together, and says what is missing and what is there twice:
//
//	lockbench run --shard 1/2 --out 1.txt
//	lockbench run --shard 2/2 --out 2.txt
//	lockbench merge --out both.txt 1.txt 2.txt
//
// Doctor says how fit the machine is to measure on, what to do about that, and what
// margin a gate can have here:
//
//	lockbench doctor
//
// # Which locks
//
// A pattern names several locks, and one that begins with ! leaves locks out:
//
//	$ lockbench list ticket* !*-pinned
//	LOCK       FAMILY  FAIRNESS  WAITERS  HOLDER  BYTES  +WAITER  SOURCE
//	ticket     ticket  FIFO      spins    yields  8      0        Reed and Kanodia 1979; Linux 2.6.25 to 4.1
//	ticket-pb  ticket  FIFO      spins    yields  8      0        Mellor-Crummey and Scott 1991, proportional backoff
//
// None, which does nothing, shows the cost of the harness itself. Busted, which does
// nothing either but claims to be a lock, shows that every run verifies what the lock
// protects:
//
//	$ lockbench run --locks busted --out busted.txt
//	...
//	lockbench: 1 lock in ... situations, 6 to ... samples of each; about ...
//	...
//	lockbench: 0 samples in busted.txt
//	lockbench: ... lock "busted" is broken: ...
//	exit status 1
//
// Your own types are locks, too: name one by a directory or an import path, a dot, and
// its name. It must be a sync.Locker whose zero value is ready, or that NewMyLock
// makes. The command compiles itself again with it, and runs the result:
//
//	lockbench run --locks ./mypkg.MyLock
//	lockbench run --locks ./mypkg.MyLock,example.com/mod/pkg.Type,sync.Mutex
//
// If --locks names only your own locks, they are measured together with all that are
// measured by default.
//
//	$ lockbench run --locks ./mypkg.MyLock
//	lockbench: lock "./mypkg.MyLock": no directory mypkg
//	exit status 2
//
// Init writes a test and a benchmark of a package's locks into the package, and says
// how to run them:
//
//	lockbench init mypkg
//
// # What critical sections do
//
// By default they do almost nothing: they touch the one cache line that is protected.
// Workloads do what locks are really used for, and verify that no data was torn or
// lost:
//
//	$ lockbench list --workloads
//	WORKLOAD ...
//	bare       two words on one cache line: change both; compare them
//	counter    a statistic: add one; look
//	log        a ring of log records: append one; read the next
//	clock      a 128-bit time: tick; tell the time
//	config     a configuration: replace all of it; consult a part
//	record     a struct of 8 words: replace it; read it
//	list10     a linked list of 10: replace an element; traverse it
//	list100    a linked list of 100: replace an element; traverse it
//	list1000   a linked list of 1000: replace an element; traverse it
//	map1000    a map of 1000 keys: replace, delete or insert one; look one up
//	intervals  an address space: map and unmap; look up a page
//	freelist   a list of free buffers: take one or give it back; count them
//	pool       a bounded pool under a semaphore: fill a buffer; look at one
//	$ lockbench run --workload bare,log --locks ticket,none --quick --out log.txt --plots=
//	...
//	lockbench: 2 locks in ... situations, 6 samples of each; about ...
//	...
//
// RCU runs workloads in which its readers follow a pointer, and a lock whose readers
// retry runs those in which they cannot follow a wrong link:
//
//	$ lockbench run --workload record --locks rcu-*,seqlock,rwsem --cpus 1 --reads 90 --count 1 --out record.txt --plots=
//	...
//	lockbench: 14 locks in 1 situation, 1 sample of each; about ...
//	...
//	$ lockbench run --workload list100,log --locks rcu-domain,seqlock
//	lockbench: lock "seqlock": its readers look at what is half written, want another lock for workload list100: they would follow a link that leads anywhere
//	lockbench: lock "rcu-domain": its readers keep no writer out, want a lock for workload log: its data cannot be read while it is changed
//	exit status 2
//
// The pool needs a counting semaphore, with a permit for every two workers:
//
//	$ lockbench run --workload pool --locks semaphore,chan,mutex
//	lockbench: lock "mutex": cannot count, want a semaphore for workload pool
//	exit status 2
//	$ lockbench run --workload pool --workers 4 --quick --count 1 --out pool.txt --plots=
//	...
//	lockbench: 4 locks in ... situations, 1 sample of each; about ...
//	...
//
// # Torture
//
// Torture does not measure. It uses each lock, and each flavour of RCU, as roughly as a
// program may, and checks that it keeps its promises:
//
//	$ lockbench torture --locks ticket,rcu-qsbr --duration 400ms --seed 7
//	...
//	lockbench: 2 locks, about 200ms each, seed 7
//	LOCK    ROUNDS  ...
//	ticket  ...
//	RCU       ROUNDS  ... AGES 0 1 2 ...
//	rcu-qsbr  ...
//	SUCCESS
//
// The ages are of the objects that readers saw; only the first two may be above 0.
// Without flags, all of them run for a minute in total. Busted and busted-rcu, which
// never wait, run only if they are named, and must fail:
//
//	$ lockbench torture --locks busted-rcu --duration 1s --seed 7
//	...
//	FAILURE of busted-rcu
//	lockbench: flavour "busted-rcu" is broken: at the end of a read-side critical section: want ...
//		again: lockbench torture --locks busted-rcu --duration 1s --seed 7
//	exit status 1
//
// # What textbooks say
//
// Claims tries what textbooks say of locks, such as that a test-and-set lock is unfair. Each
// claim holds here, does not, or cannot be told, by a number:
//
//	lockbench claims unfair burns
//
// # The word of a lock
//
// Decode explains what a lock held, as found in a crash dump:
//
//	$ lockbench decode qspinlock 0x00100101
//	0x00100101: locked, pending, tail CPU 3, context 0
//	$ lockbench decode mutex 0x305
//	0x00000305: locked, 3 in line, hand-off pending
//	$ lockbench decode rwsem 0x302
//	0x0000000000000302: 3 readers, others wait
//	$ lockbench decode rwlock 0x500
//	0x00000500: 2 readers, a writer waits
//	$ lockbench decode semaphore 0x880000003
//	0x0000000880000003: 8 of 3 permits held, others wait
//
// # The gate
//
// Gate says whether a change made the benchmarks of a Go module slower. It
// builds the base and the head, each several times with its functions in
// another order, and runs their benchmarks side by side:
//
//	lockbench gate --base origin/main --packages ./... --margin 3% --budget 10m
//
// The exit code is 0 if all pass, 1 if one regressed, 3 if none did but one cannot be
// told (--cannot-tell=pass or fail maps that), and 2 if there is no verdict: a build or
// a benchmark that fails, a filter that selects nothing, a benchmark that only the base
// has and that was not declared by --removed. One that only the head has is new and
// passes, unless --new says otherwise. A benchmark that fails, or takes longer than
// --timeout, does not keep the others from being judged; --skip leaves it out. With
// --out DIR the report is written there in all formats, with a forest plot and every
// reading. A file can set the flags as well: --config gate.toml. In files, benchmarks
// that were measured together are judged by pairs, and the others more weakly:
//
//	$ lockbench gate --files none.txt none.txt
//	no verdict, because
//	...
//	lockbench: open none.txt: no such file or directory
//	...
//	exit status 2
//
// With --sim it compares the locks of this repository, or of a fork, in the simulator: on
// described machines (--machine), with as many CPUs as they have (--cpus). There the
// values do not vary, and what is worse by more than the --tolerance has regressed:
//
//	lockbench gate --sim --base origin/main --machine milan-2s --cpus 1,8,64
//
// With --self-test it compares the head with itself, and with itself made slower by
// --slowdown, and fails if it did not notice. Compare prints the same table without a
// verdict; history finds the runs in a directory of results at which benchmarks became
// slower or faster.
//
// The files may be the output of go test or of go test -json, or the log of a CI job
// with its time stamps, colours and indentation: all commands that read benchmarks
// remove these, and say so.
//
// # Help
//
// Help shows how a command is used, with examples; --version shows how this one was
// built. Completion writes a script for bash, zsh or fish:
//
//	$ lockbench completion bash
//	_lockbench() {
//	...
//
// The value of a flag must not be empty, as an unset variable of a shell would make it.
// Only --plots= has a meaning: no pictures.
//
// # What can go wrong
//
// All errors of a command line are reported at once, before anything is measured:
//
//	$ lockbench run --locks tikcet --cpus 0,1 --reads 101
//	lockbench: --reads 101: must be at most 100
//	lockbench: --cpus 0: must be at least 1
//	lockbench: unknown lock "tikcet", did you mean "ticket"? (known: ...)
//	exit status 2
//
// The exit code is 0 if all went well; 1 if the command found a fault: a lock is broken
// or stuck, or a benchmark regressed; 2 if the command could not do its work: the
// command line, or a file that it names, makes no sense, a build failed, or something
// could not be written, to a file or to stdout; 3 if the gate cannot tell, or if advise
// has no data; and 130 after an interrupt (SIGINT or SIGTERM). If several apply, 1
// takes precedence over 2, and 2 over the others. A second interrupt ends the process
// at once.
//
// A lock is stuck if no worker makes progress for ten seconds. The report has the cause
// if it is known, such as an AA deadlock (a worker waits for the lock that it holds
// itself), the state of the lock and, if they can be taken, the stacks of all
// goroutines:
//
//	lockbench: ... lock "mine" is stuck: no worker made progress for 10s
//		cause: AA deadlock: worker 0 waits for the lock that no other worker has held: it has not been released
//		state: locked, 1 in line
//		worker 0 waits to write, for 10s, after 17 operations
package main
