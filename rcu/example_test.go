package rcu_test

import (
	"fmt"
	"sync"

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
