// Package measure runs the benchmarks of two versions of a module side by side. Package
// gate gets its rounds from it.
//
// # What it does
//
// [Prepare] copies both versions into a directory of its own (tree.go), finds the
// packages that may have benchmarks (build.go), sets those aside that are the same on
// both sides (unchanged.go), builds the others, lists their benchmarks (list.go), each
// with as many CPUs as it can use (concurrent.go), and finds out how many iterations
// take a few milliseconds (calibrate.go). [Source.Round] then runs one pair of
// processes of each benchmark that it is asked for (source.go, turns.go, exec.go),
// counts instructions where that is possible (count.go, perf_linux.go, callgrind.go),
// and records all readings (record.go).
//
// A benchmark that fails or hangs on either side is noticed when it is listed, and left
// out: its first round says why. [Config.Skip] has benchmarks that are never run.
//
// # Why processes take turns
//
// A machine changes its speed all the time. On the reference machine a process is 1.2
// to 1.9 times slower for 20 to 200 ms at a time, when a neighbour works on the other
// thread of its core. Measurements that are minutes apart differ by more than most
// changes are worth, and so may two processes that run one after the other.
//
// So both processes of a pair exist at the same time and take turns in slices of 3 ms:
// after the result of a slice, one is stopped and the other continues. Of up to eight
// slices the first is dropped: it fills caches and branch predictors. Of the others the
// fastest counts, because disturbances make code slower. With one CPU both processes
// are bound to the same one, a random one for each pair. With several, the median of
// the slices counts, and the processes run on the CPUs of [Config.Pin]: goroutines that
// affect each other may be fast by chance.
//
// The standard deviation between pairs of binaries of the same code (12 of them, the
// median of seven pairs of processes each; the fastest of seven slices), in percent:
//
//	                           one after   taking    taking turns
//	                           the other    turns      on one CPU
//	uuid.Parse                       3.7      1.7             1.8
//	uuid.ParseBytesCopy              7.5      2.9             2.2
//	uuid.UUID_String                 7.7      2.7             1.8
//	uuid.New                         5.2      7.1             2.5
//	uuid.UUID_MarshalJSON            7.8      6.3             5.7
//	gjson.Valid                      7.9      8.2             8.0
//
// The rest of the last column is the layout of the binaries. Both processes at the same
// time on two CPUs was worse than one after the other, and the median or the mean of
// the slices two to five times worse than the fastest.
//
// Slices have no cycles of the garbage collector: [testing] collects before each, and
// then there is none before 40 MB are garbage (GOGC=1000), unless the environment sets
// GOGC. With GOGC=100 a slice has one cycle or none, and uuid.UUID_String takes 30 ns in
// the one case and 50 to 60 ns in the other.
//
// Both sides run the same fixed number of iterations, so that neither b.N nor anything
// that grows with it (such as the size of a map) differs between them: as many as the
// slower side does in a slice.
//
// # Why many binaries
//
// The linker decides at which address a function is, and that alone may make a loop
// slower by several percent: up to 8.6 % here, and by 20 to 32 % in code that
// allocates, and in the same way in each run. So there are many pairs of binaries. Both
// binaries of a pair are linked with one seed for the order of functions
// (-ldflags=-randlayout=N): functions that both sides have are in the same order. After
// [gate.PairsPerBuild] pairs of processes a benchmark goes on to the next pair of
// binaries, and to statistics such a pair is one observation. They are linked a few at
// a time, as they are needed, up to [Config.MaxBuilds].
//
// # What is not measured
//
// A package that is the same on both sides passes without being measured, and
// [Source.Unchanged] says so. It is the same if
//
//   - no file has changed that its test binary is made of, as the go command lists
//     them: Go, assembly, C, what is embedded, of the package and of all that it
//     imports; and no go.mod, go.sum or go.work; or else the test binaries of both
//     sides, built with -trimpath and -buildvcs=false and the same seed, are the same,
//     byte by byte (a comment that adds a line changes them); and
//   - no file has changed that a benchmark may read: any in the directory of the
//     package, or of a package of the repository that it imports, and in all
//     directories below, unless it is Go or prose, such as README.md and LICENSE. Go
//     and prose count in testdata and in directories with an underscore, prose counts
//     where the package's source has its name or a string that ends like it. Where the
//     source, or assembly of the binary, has a string that begins with "..", or the
//     directory a symbolic link, or the binary C, all files of the repository count.
//
// Toolchains, flags and go.work must be the same. If a file cannot be read or compared,
// the package is measured. Data that a benchmark reads elsewhere, such as from the
// network or outside the repository, is not noticed, nor is a path that it composes in
// another way.
//
// # How many CPUs
//
// Unless [Config.CPU] is set, a benchmark has one CPU if it starts no goroutines, so
// that it has one row. It starts some if its function, or anything that it mentions by
// name of what the package's own files declare, has a go statement, or calls
// RunParallel or a method Go. Goroutines that imported packages start are not noticed.
//
// # What it leaves alone
//
// Files of a commit come from git through an index of its own; neither the worktree nor
// anything in .git is written, not even for a moment, so nothing can be left behind
// there, even if the process is killed. All files are in one temporary directory, which
// [Source.Close] removes.
//
// Each side is built and run where its own go.mod is, with its own toolchain. A go.work
// in the repository applies to the side that has it; one outside does not. Submodules
// are copied as each side has them, if the clone has them. A replace directive that
// leads out of the repository leads to the directory as it is now, for both sides. What
// git ignores is not copied unless [Config.With] names it; if a failure may come from a
// missing file, the error says so.
package measure
