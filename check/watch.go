package check

import (
	"fmt"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A watch looks at the goroutines of a search from outside. It notices two things
// that the machine cannot: that a worker is blocked by something outside of the
// machine, and that a goroutine that is not a worker takes steps.
type watch struct {
	mu       sync.Mutex
	workers  map[string]int         // the number of each worker, by the number of its goroutine
	stranger atomic.Pointer[[]Call] // where a goroutine of a worker's go statement took a step
}

// knows notes that the caller is worker id.
func (w *watch) knows(id int) {
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
func (w *watch) takes() {
	buf := make([]byte, 16<<10)
	stack := string(buf[:runtime.Stack(buf, false)])
	if strings.Contains(stack, ownPath+".(*worker).runs") {
		select {}
	}
	w.mu.Lock()
	_, ours := w.workers[creator(stack)]
	w.mu.Unlock()
	if ours {
		where := calls(stack) // the go statement at least
		w.stranger.CompareAndSwap(nil, &where)
		runtime.Goexit()
	}
}

// await lets goroutines that workers started come to their first step, if any of
// them can run. before is how many goroutines there were before the search.
func (w *watch) await(before int) {
	w.mu.Lock()
	workers := len(w.workers)
	w.mu.Unlock()
	for range 1000 {
		if runtime.NumGoroutine() <= before+workers {
			return // without looking at all of them
		}
		if l, _ := w.looks(); !l.helped {
			return
		}
		runtime.Gosched()
	}
}

// A look is what a worker was doing at one moment.
type look struct {
	worker int
	state  string // as the runtime calls it: "running", "sync.Mutex.Lock"
	stack  string
	helped bool // whether a goroutine that a worker started runs
}

// looks returns what the running worker does, or false if no worker runs.
func (w *watch) looks() (l look, ok bool) {
	all := stacks()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range all {
		state, number := header(s)
		id, worker := w.workers[number]
		if _, ours := w.workers[creator(s)]; ours && !worker && (state == "runnable" || state == "running") {
			l.helped = true
		}
		if worker && state != "coroutine" && strings.Contains(s, ownPath+".(*worker).runs") {
			_, calls, _ := strings.Cut(s, "\n")
			l.worker, l.state, l.stack, ok = id, state, calls, true
		}
	}
	return l, ok
}

// blocked reports whether a worker waits for something outside of the machine.
func (l look) blocked() bool {
	if l.helped {
		return false // what it waits for makes progress
	}
	for _, state := range []string{"chan ", "select", "sync.", "semacquire", "sleep", "finalizer wait"} {
		if strings.HasPrefix(l.state, state) {
			return true
		}
	}
	return false
}

// How often the watch looks at a search, and how many looks in a row must show the
// same before the search is given up: that its worker is blocked, or that it runs
// and one schedule does not end although its steps are limited. A schedule takes
// microseconds, and a worker of a correct body is not blocked.
var (
	lookEvery    = time.Second
	looksBlocked = 10
	looksRunning = 120
)

// oversee waits for the end of a search, and returns a failure if the search makes
// no progress.
func (x *explorer) oversee(done <-chan struct{}) *Failure {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	var last look
	var began uint64
	same := 0
	for {
		select {
		case <-done:
			return nil
		case <-tick.C:
		}
		n := x.vm.begun.Load()
		if n != began || n == 0 {
			began, same = n, 0
			continue
		}
		now, ok := x.vm.watch.looks()
		if !ok || now.helped || now.blocked() != last.blocked() || now.blocked() && now.stack != last.stack {
			same = 0
		}
		last = now
		same++
		switch {
		case now.blocked() && same >= looksBlocked:
			return x.stuck(now, fmt.Sprintf("is blocked outside of package primitives (%s), and holds up all the others: want the words, Spin and Parker of primitives, and workers of Machine.Go", now.state))
		case !now.blocked() && same >= looksRunning:
			return x.stuck(now, fmt.Sprintf("makes no progress: one schedule has taken %v, so there is a loop that takes no steps: want a Spin in it", time.Duration(same)*lookEvery))
		}
	}
}

// stuck is a failure of a worker that does not come back to the machine.
func (x *explorer) stuck(l look, what string) *Failure {
	if c := x.vm.watch.stranger.Load(); c != nil {
		return foreign(*c)
	}
	// The worker does not continue, so the machine's state does not change any more.
	f := x.vm.failureOn(x.vm.script, Misuse, fmt.Sprintf("%v %s", x.vm.workers[l.worker], what))
	f.Stack = calls(l.stack)
	at := Call{}
	if len(f.Stack) > 0 {
		at = f.Stack[0]
	}
	f.Steps = []Step{{Worker: l.worker, Op: "is stuck", Failed: true, File: at.File, Line: at.Line, Func: at.Func, object: -1, from: -1}}
	return f
}

// foreign is the failure of a body that started a goroutine that takes steps.
func foreign(stack []Call) *Failure {
	c := stack[0]
	return &Failure{
		Kind: Misuse, Token: "-", Workers: []string{"goroutine"}, Stack: stack,
		Message: "a goroutine takes steps that the machine did not start, so its schedules are not searched: want Machine.Go or primitives.Go and not a go statement",
		Steps:   []Step{{Op: "takes a step", Failed: true, File: c.File, Line: c.Line, Func: c.Func, object: -1, from: -1}},
	}
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

var schedPath = strings.TrimSuffix(ownPath, "check") + "internal/engine"

var frames = regexp.MustCompile(`(?m)^(?:created by )?(\S+)(?:\(.*\)| in goroutine \d+)\n\t(.*):(\d+)`)

// calls returns the calls of the test and of the lock in a stack, the innermost
// first.
func calls(stack string) (all []Call) {
	for _, m := range frames.FindAllStringSubmatch(stack, -1) {
		f := runtime.Frame{Function: m[1], File: m[2]}
		if f.Function == ownPath+".(*worker).runs" {
			break
		}
		switch functionPackage(f.Function) {
		case "sync", "internal/sync", "time", schedPath:
			continue
		}
		if isMachine(f) {
			continue
		}
		line, _ := strconv.Atoi(m[3])
		all = append(all, Call{m[2], line, m[1]})
	}
	return all
}
