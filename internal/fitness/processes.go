package fitness

import (
	"cmp"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Process is another process that used the CPUs.
type Process struct {
	PID  int
	Name string  // of its program, up to 15 bytes; it may contain anything
	CPUs float64 // how many CPUs it used, on average: 1 is all the time of one

	// Kernel says that it is a thread of the kernel, which works for programs and cannot be
	// stopped.
	Kernel bool
}

// Processes are the CPU times of all processes at one time.
type Processes struct {
	at   time.Time
	used map[int]used // by number
}

type used struct {
	name    string
	began   string // since the system was started: what has a number and a beginning is one process
	seconds float64
	kernel  bool
}

// Running reads the CPU times of all processes that this one may see.
func Running() Processes { return running(system) }

// running is Running on another system.
func running(system fs.FS) Processes {
	p := Processes{at: time.Now(), used: make(map[int]used)}
	names, _ := fs.Glob(system, "proc/[0-9]*/stat")
	for _, name := range names {
		pid, err := strconv.Atoi(path.Base(path.Dir(name)))
		if err != nil {
			continue
		}
		// pid (comm) state ppid pgrp session tty tpgid flags ... utime stime ... starttime ...,
		// where comm may contain anything.
		stat := read(system, name)
		open, shut := strings.IndexByte(stat, '('), strings.LastIndexByte(stat, ')')
		if open < 0 || shut < open {
			continue // it has ended meanwhile
		}
		fields := strings.Fields(stat[shut+1:])
		if len(fields) < 20 {
			continue
		}
		const (
			ticks    = 100     // in a second, on all that Go runs on
			ofKernel = 1 << 21 // PF_KTHREAD, of include/linux/sched.h
		)
		flags, _ := strconv.ParseUint(fields[6], 10, 64)
		p.used[pid] = used{stat[open+1 : shut], fields[19], (number(fields[11]) + number(fields[12])) / ticks, flags&ofKernel != 0}
	}
	return p
}

// Known reports whether the system says which processes there are.
func (p Processes) Known() bool { return len(p.used) > 0 }

// Since returns the other processes that used the CPUs since before, the busiest first.
// What a process used that ended meanwhile is not known.
func (p Processes) Since(before Processes) []Process {
	took := p.at.Sub(before.at).Seconds()
	var all []Process
	for pid, now := range p.used {
		then := before.used[pid]
		if then.began != now.began { // names change: a worker of the kernel is called what it works on
			then.seconds = 0 // another process had the number, or none
		}
		if n := (now.seconds - then.seconds) / took; pid != os.Getpid() && n > 0 {
			all = append(all, Process{pid, now.name, n, now.kernel})
		}
	}
	slices.SortFunc(all, func(a, b Process) int {
		return cmp.Or(cmp.Compare(b.CPUs, a.CPUs), cmp.Compare(a.PID, b.PID))
	})
	return all
}
