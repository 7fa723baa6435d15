// Package list implements linked lists whose readers never wait and write
// nothing, while an updater adds, deletes and replaces elements beside them.
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
// sees it whole or not at all: of an element that is replaced, the old one or
// the new, never both nor neither; of one that is deleted, the element or its
// absence. An element keeps its link when it is taken out, so a reader that is on
// it goes on from there. Elements that are in the list from the beginning of an
// iteration to its end are seen once each, in order.
//
// # When an element may be used again
//
// An element that was taken out may be added again, or its Value changed, after
// a grace period: until then readers may be on it. Who leaves it to the collector
// need not wait, nor need his readers be in a section.
package list
