package rcu_test

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/lockbench/lockbench/rcu"
)

// gblFoo is replaced as a whole: no reader sees the a of one foo with the b of
// another, and an old foo is used again when no reader has it.
func ExamplePointer() {
	type foo struct{ a, b int }
	var (
		gblFoo rcu.Pointer[foo]
		mu     sync.Mutex // excludes updaters
		d      = rcu.NewDomain(rcu.Config{})
		spare  = new(foo)
	)
	gblFoo.Assign(&foo{1, 1})

	read := func() foo {
		s := d.ReadLock()
		defer d.ReadUnlock(s)
		return *gblFoo.Dereference()
	}
	update := func(a int) {
		mu.Lock()
		defer mu.Unlock()
		*spare = *gblFoo.Access()       // read, copy …
		spare.a, spare.b = a, spare.b+1 // … update
		spare = gblFoo.Replace(spare)
		d.Synchronize() // now no reader has the old one
	}

	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for f := read(); f.b < 10; f = read() {
				if f.a != f.b*f.b {
					fmt.Println("half a foo:", f)
				}
			}
		})
	}
	for i := 2; i <= 10; i++ {
		update(i * i)
	}
	readers.Wait()
	fmt.Println(read())
	// Output: {100 10}
}

// Routes are looked up all the time and replaced now and then. The connection of a
// route that is gone is closed when the last reader has left it.
func ExampleDomain() {
	type route struct{ name string }
	var (
		d       = rcu.NewDomain(rcu.Config{Name: "routes"})
		current rcu.Pointer[route]
	)
	defer d.Close()
	current.Assign(&route{"old"})

	s := d.ReadLock() // may block, and end in another goroutine
	found := current.Dereference()

	gone := current.Replace(&route{"new"})
	d.Call(func() { fmt.Println("closed", gone.name) }) // after a grace period
	fmt.Println("read", found.name)
	d.ReadUnlock(s)

	d.Barrier() // waits for the callback
	fmt.Println(current.Access().name)
	// Output:
	// read old
	// closed old
	// new
}

// A reader of a Pinned cannot be preempted, so its sections are short and do not block.
func ExamplePinned() {
	type limits struct{ requests int }
	var (
		p       = rcu.NewPinned(rcu.Config{Name: "limits"})
		current rcu.Pointer[limits]
	)
	defer p.Close()
	current.Assign(&limits{100})

	s := p.ReadLock()
	n := current.Dereference().requests
	p.ReadUnlock(s) // by the same goroutine

	old := current.Replace(&limits{200})
	p.Synchronize() // no reader has old any more
	old.requests = 0
	fmt.Println(n, current.Access().requests)
	// Output: 100 200
}

// A goroutine that reads for long registers once: then a section is two plain stores.
func ExampleRegistered() {
	type table struct{ rows int }
	var (
		r       = rcu.NewRegistered(rcu.Config{Name: "tables"})
		current rcu.Pointer[table]
		seen    = make(chan int)
	)
	defer r.Close()
	current.Assign(&table{7})

	go func() {
		reader := r.Register() // of this goroutine alone
		defer reader.Unregister()
		reader.ReadLock()
		seen <- current.Dereference().rows
		reader.ReadUnlock()
		close(seen)
	}()
	fmt.Println(<-seen)
	<-seen
	// Output: 7
}

// A loop over requests reads without any cost, and says between two of them that it has
// nothing in its hands.
func ExampleQSBR() {
	type config struct{ name string }
	var (
		q        = rcu.NewQSBR(rcu.Config{Name: "config"})
		current  rcu.Pointer[config]
		requests = make(chan int)
		done     = make(chan bool)
	)
	defer q.Close()
	current.Assign(&config{"first"})

	go func() {
		defer close(done)
		reader := q.Register()
		defer reader.Unregister()
		for {
			reader.Offline() // while it blocks
			n, more := <-requests
			reader.Online()
			if !more {
				return
			}
			fmt.Println(n, current.Dereference().name)
			reader.Quiescent()
		}
	}()
	requests <- 1
	close(requests)
	<-done

	old := current.Replace(&config{"second"})
	q.Synchronize()
	fmt.Println("no goroutine reads", old.name)
	// Output:
	// 1 first
	// no goroutine reads first
}

// A Pool uses buffers again when the readers are gone that may still look at them.
func ExamplePool() {
	var (
		d       = rcu.NewDomain(rcu.Config{})
		made    int
		buffers = rcu.Pool[[]byte]{Updater: d, New: func() *[]byte { made++; b := make([]byte, 1<<16); return &b }}
		current rcu.Pointer[[]byte]
	)
	defer d.Close()
	for range 3 {
		if old := current.Replace(buffers.Get()); old != nil {
			buffers.Retire(old)
		}
		d.Barrier() // only so that the example has one outcome
	}
	fmt.Println(made, "buffers for 3 versions")
	// Output: 2 buffers for 3 versions
}

// Code for any flavour takes a Flavour, and a Handle for each goroutine that reads.
func ExampleFlavour() {
	count := func(f rcu.Flavour) (sum int) {
		defer f.Close()
		var p rcu.Pointer[int]
		reader := f.NewHandle()
		defer reader.Unregister()
		for n := range 3 {
			p.Assign(&n)
			reader.ReadLock()
			sum += *p.Dereference()
			reader.ReadUnlock()
			reader.Quiescent()
		}
		reader.Offline()
		f.Synchronize()
		return sum
	}
	fmt.Println(count(rcu.NewDomain(rcu.Config{})), count(rcu.NewPinned(rcu.Config{})),
		count(rcu.NewRegistered(rcu.Config{})), count(rcu.NewQSBR(rcu.Config{})))
	// Output: 3 3 3 3
}

// Under Trace a mistake of a reader panics at once, with the stacks of both places.
func ExampleConfig() {
	d := rcu.NewDomain(rcu.Config{Name: "sessions", Trace: true})
	defer d.Close()
	s := d.ReadLock()
	d.ReadUnlock(s)
	func() {
		defer func() {
			says, _, _ := strings.Cut(fmt.Sprint(recover()), "\n")
			fmt.Println(says)
		}()
		d.ReadUnlock(s) // a second time
	}()
	// Output: rcu: ReadUnlock of a section that has ended
}

// A program that must not wait asks for a grace period, goes on, and looks later.
func ExampleUpdater_StartPoll() {
	d := rcu.NewDomain(rcu.Config{})
	defer d.Close()
	var p rcu.Pointer[string]
	first := "first"
	p.Assign(&first)

	s := d.ReadLock()
	second := "second"
	old, cookie := p.Replace(&second), d.StartPoll()
	fmt.Println("over beside the reader:", d.Poll(cookie))
	d.ReadUnlock(s)

	d.Synchronize()
	fmt.Println("over now:", d.Poll(cookie), *old)
	// Output:
	// over beside the reader: false
	// over now: true first
}

// Readers that keep a grace period from ending are named.
func ExampleStall() {
	stalls := make(chan rcu.Stall, 1)
	d := rcu.NewDomain(rcu.Config{
		Name: "orders", Trace: true, StallAfter: time.Millisecond,
		Logger: slog.New(slog.DiscardHandler),
		OnStall: func(s rcu.Stall) {
			select {
			case stalls <- s:
			default:
			}
		},
	})
	defer d.Close()
	s := d.ReadLock()
	over := make(chan bool)
	go func() { d.Synchronize(); close(over) }()

	stall := <-stalls
	fmt.Println(stall.Name, len(stall.Holdups), strings.Contains(stall.Holdups[0].Stack, "ExampleStall"))
	d.ReadUnlock(s)
	<-over
	// Output: orders 1 true
}

// What a flavour has done says whether grace periods are long, and callbacks many.
func ExampleStats() {
	d := rcu.NewDomain(rcu.Config{})
	defer d.Close()
	for range 3 {
		d.Call(func() {})
	}
	d.Barrier()
	s := d.Stats()
	fmt.Println(s.Run, "callbacks are over,", s.Waiting, "wait; grace periods:", s.GracePeriods > 0 && s.Longest > 0)
	// Output: 3 callbacks are over, 0 wait; grace periods: true
}
