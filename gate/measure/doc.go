// Package measure runs the benchmarks of two versions of a module side by side.
// It is where package gate gets its rounds from.
//
// # What it does
//
// [Prepare] copies both versions into a directory of its own, builds their test
// binaries, lists their benchmarks and finds out how many iterations of each
// take a few milliseconds. [Source.Round] then runs each benchmark that it is
// asked for three times, directly one after another and in random order: as
// the base has it, once more as the base has it, and as the head has it.
//
// A benchmark that fails, or hangs, on either side is found out when it is listed,
// and left out: its first round says why. [Config.Skip] has those that are never run.
//
// # Why many short pairs
//
// A machine changes its speed all the time: its clock, its neighbours, the
// distance of its CPUs. What is measured minutes apart differs by more than
// most changes are worth. On the reference machine 100 runs of a benchmark and
// the 100 runs after them, of the same code, had medians up to 3.2 % apart (22.7 %
// if contended); the median ratio of 100 alternating pairs of 3 ms was within
// 0.25 % (1.6 %). Longer slices were worse by an order: the machine has more
// time to change within a pair. So a slice is short and a process of its own,
// which costs some milliseconds more ([Stats] says how many), and there are
// many.
//
// All sides run the same fixed number of iterations, so that neither b.N nor
// what grows with it (the size of a map, say) differs between them.
//
// # Why many binaries
//
// The linker decides at which address a function comes to lie, and that alone
// may make a loop slower by several percent. Each side has several binaries of
// the same code, in which the functions are in another order
// (-ldflags=-randlayout=N), and a slice is of a random one of them. The base's
// are divided: half of them are Base, half are Again. So what two binaries of
// the same code differ by shows as noise. [Source.Fresh] makes new ones.
//
// # What it leaves alone
//
// Files of a commit come from git through an index of its own; neither the
// worktree nor anything in .git is written, not even for a moment, so nothing
// can be left behind there, whatever kills the process. All that there is lies
// in one temporary directory, which [Source.Close] removes.
//
// Each side is built and run where its own go.mod is, with its own toolchain.
// A go.work in the repository holds for the side that has it; one outside does
// not. Submodules are copied as each side has them, if the clone has them. A replace
// directive that leads out of the repository leads to the directory as it is now, for
// both sides. What git ignores is not copied unless [Config.With] names it; where
// something fails that may be for its lack, that is said.
package measure
