// Package catalog is the table of every lock by name: those of this module, the peers
// that they are measured against, and three that are no locks at all.
package catalog

import (
	"container/list"
	"slices"
	"sync"
	"unsafe"

	"github.com/puzpuzpuz/xsync/v4"
	"golang.org/x/sync/semaphore"

	"github.com/lockbench/lockbench/anderson"
	"github.com/lockbench/lockbench/blocking"
	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/models"
	"github.com/lockbench/lockbench/internal/waiter"
	"github.com/lockbench/lockbench/mcs"
	"github.com/lockbench/lockbench/qspinlock"
	"github.com/lockbench/lockbench/reciprocating"
	"github.com/lockbench/lockbench/rwlock"
	"github.com/lockbench/lockbench/seqlock"
	"github.com/lockbench/lockbench/spinlock"
	"github.com/lockbench/lockbench/ticket"
)

// An Entry is a lock with the facts that matter for choosing it.
type Entry struct {
	harness.Subject

	Family string // the idea, such as "test-and-set" or "queue"
	Order  Order  // which waiter is next
	Except string // what Order leaves out, in words that continue it, such as ", FIFO after 1 ms"
	Waits  Wait   // what a waiter does

	// Bytes is the size of the lock, WaiterBytes what each waiter adds. Memory that
	// they point to, and the runtime's memory for a parked goroutine, are not counted.
	Bytes, WaiterBytes uintptr

	Source string // where the algorithm is from

	// Updaters names the lock by which the updaters of a flavour of RCU exclude each
	// other. It is "" for locks.
	Updaters string

	// Peer says that the lock is not written against package primitives: no
	// engine can run it.
	Peer bool

	// Model returns a fresh lock that stands in for a peer where an engine runs. Nil if
	// there is none: see [Entry.Simulated].
	Model func() sync.Locker

	// Control says that it is no lock at all: it is there to show what the harness
	// costs, or that a run finds what is broken.
	Control bool
}

// Fairness says in words which waiter is next.
func (e Entry) Fairness() string { return e.Order.String() + e.Except }

// Holder says whether a holder can be preempted: it yields, or it pins; or, of some
// flavours of RCU, readers pin.
func (e Entry) Holder() string {
	switch {
	case e.Pins:
		return "pins"
	case e.PinsReaders:
		return "readers pin"
	}
	return "yields"
}

// All returns every lock, every flavour of RCU and every map that needs no lock, in the
// order in which tables list them. A lock that can be held with preemption off is there
// twice, the second time in that form, with a name that ends in -pinned.
func All() []Entry { return listed(locks, rcuLocks(), peers, gvisorPeers, maps, controls) }

// Locks returns the entries of [All] without the flavours of RCU and without maps that
// need no lock.
func Locks() []Entry {
	return slices.DeleteFunc(All(), func(e Entry) bool { return e.Updaters != "" || e.New == nil })
}

func listed(tables ...[]Entry) []Entry {
	var all []Entry
	for _, e := range slices.Concat(tables...) {
		all = append(all, e)
		if e.Pinned != nil && !e.Control {
			all = append(all, e.pinned())
		}
	}
	return all
}

// Simulated returns e as an engine can run it: e itself or, under a name that ends in
// -model, the model of a peer. ok is false for a peer that has none. A model's numbers are
// not the peer's: on the host, only the peer is measured.
func (e Entry) Simulated() (simulated Entry, ok bool) {
	switch {
	case !e.Peer:
		return e, true
	case e.Model == nil:
		return e, false
	}
	e.Name += "-model"
	e.New, e.Model, e.Peer = e.Model, nil, false
	e.Source = "a model of it, by what " + e.Source + " documents"
	return e, true
}

func (e Entry) pinned() Entry {
	e.Name += "-pinned"
	e.New, e.Pins = e.Pinned, true
	e.Waits = Spins
	return e
}

var locks = []Entry{
	{
		Subject: harness.Subject{Name: "tas", New: fresh[spinlock.TAS], Pinned: fresh[pinnedTAS]},
		Family:  "test-and-set", Order: Barging, Waits: Spins,
		Bytes:  unsafe.Sizeof(spinlock.TAS{}),
		Source: "Anderson 1990, The Performance of Spin Lock Alternatives",
	},
	{
		Subject: harness.Subject{Name: "ttas", New: fresh[spinlock.TTAS], Pinned: fresh[pinnedTTAS]},
		Family:  "test-and-set", Order: Barging, Waits: Spins,
		Bytes:  unsafe.Sizeof(spinlock.TTAS{}),
		Source: "Rudolph and Segall 1984; Anderson 1990",
	},
	{
		Subject: harness.Subject{Name: "backoff", New: fresh[spinlock.Backoff], Pinned: fresh[pinnedBackoff]},
		Family:  "test-and-set", Order: Barging, Waits: Spins,
		Bytes:  unsafe.Sizeof(spinlock.Backoff{}),
		Source: "Anderson 1990, exponential backoff",
	},
	{
		Subject: harness.Subject{Name: "ticket", New: fresh[ticket.Lock], Pinned: fresh[pinnedTicket]},
		Family:  "ticket", Order: FIFO, Waits: Spins,
		Bytes:  unsafe.Sizeof(ticket.Lock{}),
		Source: "Reed and Kanodia 1979; Linux 2.6.25 to 4.1",
	},
	{
		Subject: harness.Subject{Name: "ticket-pb", New: fresh[ticket.Proportional], Pinned: fresh[pinnedProportional]},
		Family:  "ticket", Order: FIFO, Waits: Spins,
		Bytes:  unsafe.Sizeof(ticket.Proportional{}),
		Source: "Mellor-Crummey and Scott 1991, proportional backoff",
	},
	{
		Subject: harness.Subject{Name: "anderson", New: fresh[anderson.Lock], Pinned: fresh[pinnedAnderson]},
		Family:  "array", Order: FIFO, Waits: Spins,
		Bytes:  unsafe.Sizeof(anderson.Lock{}),
		Source: "Anderson 1990, array-based queueing",
	},
	{
		Subject: harness.Subject{Name: "mcs", New: fresh[mcs.Lock], Pinned: fresh[pinnedMCS]},
		Family:  "queue", Order: FIFO, Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(mcs.Lock{}), WaiterBytes: unsafe.Sizeof(waiter.Waiter{}),
		Source: "Mellor-Crummey and Scott 1991",
	},
	{
		Subject: harness.Subject{Name: "mcs-queue", New: fresh[queueLock], Pinned: fresh[pinnedQueue]},
		Family:  "queue", Order: FIFO, Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(mcs.Queue{}), WaiterBytes: unsafe.Sizeof(mcs.Node{}),
		Source: "Mellor-Crummey and Scott 1991, each caller with a node of its own",
	},
	{
		Subject: harness.Subject{Name: "clh", New: fresh[mcs.CLH], Pinned: fresh[pinnedCLH]},
		Family:  "queue", Order: FIFO, Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(mcs.CLH{}), WaiterBytes: unsafe.Sizeof(waiter.Waiter{}),
		Source: "Craig 1993; Landin and Hagersten 1994",
	},
	{
		Subject: harness.Subject{Name: "cna", New: fresh[mcs.CNA], Pinned: fresh[pinnedCNA]},
		Family:  "queue", Order: NearlyFIFO, Except: ", waiters on the holder's node first, up to 256 times", Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(mcs.CNA{}), WaiterBytes: unsafe.Sizeof(waiter.Waiter{}),
		Source: "Dice and Kogan 2019, Compact NUMA-aware Locks",
	},
	{
		Subject: harness.Subject{Name: "reciprocating", New: fresh[reciprocating.Lock], Pinned: fresh[pinnedReciprocating]},
		Family:  "queue", Order: Segments, Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(reciprocating.Lock{}), WaiterBytes: unsafe.Sizeof(waiter.Waiter{}),
		Source: "Dice and Kogan 2025, Reciprocating Locks",
	},
	{
		Subject: harness.Subject{Name: "qspinlock", New: fresh[qspinlock.Lock], Pinned: fresh[pinnedQspinlock]},
		Family:  "queue", Order: FIFO, Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(qspinlock.Lock{}), WaiterBytes: unsafe.Sizeof(waiter.Waiter{}),
		Source: "Linux kernel/locking/qspinlock.c",
	},

	{
		Subject: harness.Subject{Name: "mutex", New: fresh[blocking.Mutex]},
		Family:  "mutex", Order: Barging, Except: ", FIFO once overtaken 16 times", Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(blocking.Mutex{}), WaiterBytes: blocking.WaiterBytes,
		Source: "Linux kernel/locking/mutex.c",
	},
	{
		Subject: harness.Subject{Name: "semaphore", New: func() sync.Locker { return newPermits(1) }, Counting: newPermits},
		Family:  "semaphore", Order: FIFO, Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(blocking.Semaphore{}), WaiterBytes: blocking.WaiterBytes,
		Source: "Linux kernel/locking/semaphore.c, of one permit, or as many as a workload wants",
	},
	{
		Subject: harness.Subject{Name: "rwsem", New: fresh[blocking.RWSem]},
		Family:  "reader-writer", Order: NearlyFIFO, Except: ", readers in batches", Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(blocking.RWSem{}), WaiterBytes: blocking.WaiterBytes,
		Source: "Linux kernel/locking/rwsem.c",
	},

	{
		Subject: harness.Subject{Name: "rw-readerpref", New: fresh[rwlock.ReaderPref], Pinned: fresh[pinnedReaderPref]},
		Family:  "reader-writer", Order: ReadersFirst, Except: "; writers starve", Waits: Spins,
		Bytes:  unsafe.Sizeof(rwlock.ReaderPref{}),
		Source: "Courtois, Heymans and Parnas 1971; Linux before 3.16",
	},
	{
		Subject: harness.Subject{Name: "rw-queued", New: fresh[rwlock.Queued], Pinned: fresh[pinnedQueued]},
		Family:  "reader-writer", Order: NearlyFIFO, Except: ", but for a newcomer between two of the line", Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(rwlock.Queued{}), WaiterBytes: unsafe.Sizeof(waiter.Waiter{}),
		Source: "Linux kernel/locking/qrwlock.c",
	},
	{
		Subject: harness.Subject{Name: "rw-phasefair", New: fresh[rwlock.PhaseFair], Pinned: fresh[pinnedPhaseFair]},
		Family:  "reader-writer", Order: Phases, Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(rwlock.PhaseFair{}), WaiterBytes: unsafe.Sizeof(waiter.Waiter{}),
		Source: "Brandenburg and Anderson 2010",
	},
	{
		Subject: harness.Subject{Name: "rw-distributed", New: fresh[rwlock.Distributed], Pinned: fresh[pinnedDistributed]},
		Family:  "reader-writer", Order: FIFO, Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(rwlock.Distributed{}), WaiterBytes: unsafe.Sizeof(waiter.Waiter{}),
		Source: "Hsieh and Weihl 1992; Linux percpu_rwsem, brlock",
	},
	{
		Subject: harness.Subject{Name: "rw-biased", New: fresh[rwlock.Biased], Pinned: fresh[pinnedBiased]},
		Family:  "reader-writer", Order: NearlyFIFO, Except: ", but for a newcomer between two of the line", Waits: SpinsThenParks,
		Bytes: unsafe.Sizeof(rwlock.Biased{}), WaiterBytes: unsafe.Sizeof(waiter.Waiter{}),
		Source: "Dice and Kogan 2019, BRAVO, over rw-queued",
	},

	{
		Subject: harness.Subject{Name: "seqlock", New: fresh[seqlock.Lock], Pinned: fresh[pinnedSeqlock]},
		Family:  "sequence", Order: Barging, Except: "; readers wait for writers", Waits: Spins,
		Bytes:  unsafe.Sizeof(seqlock.Lock{}),
		Source: "Linux include/linux/seqlock.h; Lameter 2005",
	},
}

var peers = []Entry{
	{
		Subject: harness.Subject{Name: "sync.Mutex", New: fresh[sync.Mutex]},
		Family:  "mutex", Order: Barging, Except: ", FIFO after 1 ms", Waits: SpinsThenParks,
		Bytes:  unsafe.Sizeof(sync.Mutex{}),
		Source: "Go, sync", Peer: true,
		Model: func() sync.Locker { return models.NewMutex() },
	},
	{
		Subject: harness.Subject{Name: "sync.RWMutex", New: fresh[sync.RWMutex]},
		Family:  "reader-writer", Order: Phases, Waits: Parks,
		Bytes:  unsafe.Sizeof(sync.RWMutex{}),
		Source: "Go, sync", Peer: true,
		Model: func() sync.Locker { return models.NewRWMutex() },
	},
	{
		Subject: harness.Subject{Name: "chan", New: func() sync.Locker { return newChan(1) }, Counting: newChan},
		Family:  "semaphore", Order: FIFO, Waits: Parks,
		Bytes:  unsafe.Sizeof(chanSemaphore(nil)),
		Source: "Go, a channel of capacity 1, or as many", Peer: true,
	},
	{
		Subject: harness.Subject{Name: "semaphore.Weighted", New: func() sync.Locker { return newWeighted(1) }, Counting: newWeighted},
		Family:  "semaphore", Order: FIFO, Waits: Parks,
		Bytes: unsafe.Sizeof(semaphore.Weighted{}), WaiterBytes: unsafe.Sizeof(list.Element{}),
		Source: "golang.org/x/sync v0.24.0, of weight 1, or as much", Peer: true,
	},
	{
		Subject: harness.Subject{Name: "xsync.RBMutex", New: newRBMutex},
		Family:  "reader-writer", Order: ReadersFirst, Except: " while biased", Waits: SpinsThenParks,
		Bytes:  unsafe.Sizeof(xsync.RBMutex{}),
		Source: "github.com/puzpuzpuz/xsync/v4 v4.5.0; Dice and Kogan 2019, BRAVO", Peer: true,
	},
}

// maps need no lock.
var maps = []Entry{
	{
		Subject: harness.Subject{Name: "sync.Map", NewTable: func() harness.Table { return new(syncMap) }},
		Family:  "map", Order: ReadersNeverWait, Except: "; updaters of neighbours as sync.Mutex", Waits: UpdatersPark,
		Bytes:  unsafe.Sizeof(sync.Map{}),
		Source: "Go, sync", Peer: true,
	},
	{
		Subject: harness.Subject{Name: "xsync.Map", NewTable: newXsyncMap},
		Family:  "map", Order: ReadersNeverWait, Except: "; updaters of neighbours as sync.Mutex", Waits: UpdatersPark,
		Bytes:  unsafe.Sizeof(xsync.Map[uint64, *harness.Item]{}),
		Source: "github.com/puzpuzpuz/xsync/v4 v4.5.0; David, Guerraoui and Trigonakis 2015, CLHT", Peer: true,
	},
}

// controls are no locks at all.
var controls = []Entry{
	{
		Subject: harness.Subject{Name: "none", New: fresh[noLock], Pinned: fresh[noLock], Counting: newNoSemaphore, Unlocked: true},
		Family:  "none", Order: NoOrder, Waits: Never, Control: true,
		Bytes:  unsafe.Sizeof(noLock{}),
		Source: "nothing: what the harness itself costs",
	},
	{
		Subject: harness.Subject{Name: "swap", New: fresh[swapAlone], Pinned: fresh[swapAlone], Unlocked: true},
		Family:  "none", Order: NoOrder, Waits: Never, Control: true,
		Bytes:  unsafe.Sizeof(swapAlone{}),
		Source: "one locked instruction: the least that a lock costs",
	},
	{
		Subject: harness.Subject{Name: "busted", New: fresh[noLock], Pinned: fresh[noLock], Counting: newNoSemaphore},
		Family:  "none", Order: NoOrder, Waits: Never, Control: true,
		Bytes:  unsafe.Sizeof(noLock{}),
		Source: "nothing: a lock that every run must find broken",
	},
	{
		Subject: harness.Subject{Name: bustedName, New: newBustedLock, NewTable: newHash, Reclaim: harness.ReclaimSync},
		Family:  "none", Order: NoOrder, Waits: SpinsThenParks, Updaters: "mutex", Control: true,
		Bytes: unsafe.Sizeof(blocking.Mutex{}), WaiterBytes: blocking.WaiterBytes,
		Source: "nothing: RCU whose grace periods wait for no reader, which every run must find broken",
	},
}

// fresh returns a new unlocked lock whose zero value is one.
func fresh[T any, L interface {
	*T
	sync.Locker
}]() sync.Locker {
	return L(new(T))
}
