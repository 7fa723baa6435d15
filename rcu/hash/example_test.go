package hash_test

import (
	"fmt"
	"sync"

	"github.com/lockbench/lockbench/rcu"
	"github.com/lockbench/lockbench/rcu/hash"
)

type session struct{ user string }

func (s *session) Close() { fmt.Println("closed the session of", s.user) }

// A session is closed when the last reader that looked it up is done with it.
func ExampleMap() {
	var mu sync.Mutex
	sessions := hash.New[int, *session](&mu)
	d := rcu.NewDomain(rcu.Config{})
	defer d.Close()
	sessions.Store(7, &session{"ada"})

	reader := d.ReadLock()
	s, _ := sessions.Load(7)

	if old, ok := sessions.Delete(7); ok {
		d.Call(old.Close)
	}
	_, ok := sessions.Load(7)
	fmt.Println("there:", ok)
	fmt.Println("still open for its reader:", s.user)
	d.ReadUnlock(reader)

	d.Barrier()
	// Output:
	// there: false
	// still open for its reader: ada
	// closed the session of ada
}
