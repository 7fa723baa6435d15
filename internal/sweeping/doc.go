// Package sweeping is what the commands that measure sweeps have in common: the flags that
// ask for a sweep, the file of its samples, the processes that measure, the progress, and
// what is shown at the end.
//
// Files, in order: axes.go, workload.go and arrivals.go have the flags of a sweep, output.go
// those of its file and pictures, resume.go says whether a file fits them, forks.go has the
// processes, meter.go the progress, errors.go how a sweep ends, show.go what is printed, and
// draw.go what is drawn.
package sweeping
