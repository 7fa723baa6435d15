// Package list implements linked lists whose readers do not wait and write
// nothing, while an updater adds, deletes and replaces elements.
//
//	s := d.ReadLock()                      mu.Lock() // updaters bring their own
//	for n := range l.All() {               n := l.Delete(n)
//		use(&n.Value)                      mu.Unlock()
//	}                                      pool.Retire(n) // or d.Call, d.Synchronize
//	d.ReadUnlock(s)
//
// A [List] is doubly linked and circular; an [HList] has a head of one word, for
// the many heads of a hash table. The sources are Linux include/linux/rculist.h
// and list.h.
//
// # What a reader sees
//
// Each change is a single store of a pointer that readers follow, so a reader
// sees it whole or not at all. When an element is replaced, a reader sees the old
// one or the new one, and not both; when one is deleted, a reader sees it or not.
// An element keeps its link when it is taken out, so a reader that is on it
// continues from there. A reader sees the elements that are in the list from the
// beginning of an iteration to its end once each, in order.
//
// # When an element may be used again
//
// An element that was taken out may be added again, or its Value changed, after a
// grace period: until then readers may be on it. An updater that leaves it to the
// collector need not wait, and its readers need no sections.
package list
