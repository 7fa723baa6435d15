package machine

import (
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// A Watch looks at the goroutines of a search from outside. It notices two things
// that the machine cannot: that a worker is blocked by something outside of the
// machine, and that a goroutine that is not a worker takes steps.
type Watch struct {
	mu      sync.Mutex
	workers map[string]int          // the number of each worker, by the number of its goroutine
	stray   atomic.Pointer[[]Place] // where a goroutine of a worker's go statement took a step
}

// knows notes that the caller is worker id.
func (w *Watch) knows(id int) {
	var buf [64]byte
	_, number := header(string(buf[:runtime.Stack(buf[:], false)]))
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.workers == nil {
		w.workers = make(map[string]int)
	}
	w.workers[number] = id
}

// takes handles a goroutine that is about to take a step and is not the running
// worker. If a worker started it, takes notes that, and the goroutine ends. If it is
// a worker of a search that was given up, it stops. Otherwise the goroutine has
// nothing to do with the search, and takes its step on the host.
func (w *Watch) takes() {
	buf := make([]byte, 16<<10)
	stack := string(buf[:runtime.Stack(buf, false)])
	if strings.Contains(stack, bottom) {
		select {}
	}
	w.mu.Lock()
	_, ours := w.workers[creator(stack)]
	w.mu.Unlock()
	if ours {
		where := Calls(stack) // the go statement at least
		w.stray.CompareAndSwap(nil, &where)
		runtime.Goexit()
	}
}

// Stray returns where a goroutine of a worker's go statement took a step, or nil.
func (w *Watch) Stray() []Place {
	if where := w.stray.Load(); where != nil {
		return *where
	}
	return nil
}

// Await lets goroutines that workers started come to their first step, if any of
// them can run. before is how many goroutines there were before the search.
func (w *Watch) Await(before int) {
	w.mu.Lock()
	workers := len(w.workers)
	w.mu.Unlock()
	for range 1000 {
		if runtime.NumGoroutine() <= before+workers {
			return // without looking at all of them
		}
		if l, _ := w.Looks(); !l.Helped {
			return
		}
		runtime.Gosched()
	}
}

// A Look is what a worker was doing at one moment.
type Look struct {
	Worker int
	State  string // as the runtime calls it: "running", "sync.Mutex.Lock"
	Stack  string // the calls, without the line before them
	Helped bool   // whether a goroutine that a worker started runs
}

// Looks returns what the running worker does, or false if no worker runs.
func (w *Watch) Looks() (l Look, ok bool) {
	all := stacks()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range all {
		state, number := header(s)
		id, worker := w.workers[number]
		if _, ours := w.workers[creator(s)]; ours && !worker && (state == "runnable" || state == "running") {
			l.Helped = true
		}
		if worker && state != "coroutine" && strings.Contains(s, bottom) {
			_, stack, _ := strings.Cut(s, "\n")
			l.Worker, l.State, l.Stack, ok = id, state, stack, true
		}
	}
	return l, ok
}

// Blocked reports whether a worker waits for something outside of the machine.
func (l Look) Blocked() bool {
	if l.Helped {
		return false // what it waits for makes progress
	}
	for _, state := range []string{"chan ", "select", "sync.", "semacquire", "sleep", "finalizer wait"} {
		if strings.HasPrefix(l.State, state) {
			return true
		}
	}
	return false
}

// stacks returns the stacks of all goroutines.
func stacks() []string {
	for n := 1 << 18; ; n *= 2 {
		buf := make([]byte, n)
		if got := runtime.Stack(buf, true); got < n {
			return strings.Split(string(buf[:got]), "\n\n")
		}
	}
}

var headers = regexp.MustCompile(`^goroutine (\d+)[^\[]*\[([^\],]*)`)

// header returns the state and the number of the goroutine of a stack.
func header(stack string) (state, number string) {
	if m := headers.FindStringSubmatch(stack); m != nil {
		return m[2], m[1]
	}
	return "", ""
}

var creators = regexp.MustCompile(`(?m)^created by .* in goroutine (\d+)$`)

// creator returns the number of the goroutine that started the goroutine of a stack.
func creator(stack string) string {
	if m := creators.FindStringSubmatch(stack); m != nil {
		return m[1]
	}
	return ""
}

var frames = regexp.MustCompile(`(?m)^(?:created by )?(\S+)(?:\(.*\)| in goroutine \d+)\n\t(.*):(\d+)`)

// Calls returns the calls of the test and of the lock in a stack, the innermost
// first.
func Calls(stack string) (all []Place) {
	for _, m := range frames.FindAllStringSubmatch(stack, -1) {
		f := runtime.Frame{Function: m[1], File: m[2]}
		if f.Function == bottom {
			break
		}
		switch PackageOf(f.Function) {
		case "sync", "internal/sync", "time", enginePath:
			continue
		}
		if isMachine(f) {
			continue
		}
		line, _ := strconv.Atoi(m[3])
		all = append(all, Place{File: m[2], Line: line, Func: m[1]})
	}
	return all
}
