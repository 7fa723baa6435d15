package list

import "fmt"

// Check returns what is wrong with the links of l: I2 and I3.
func (l *List[T]) Check() error {
	for n := l.Front(); n != nil; n = l.Next(n) {
		if n.prev.Get() == nil {
			return fmt.Errorf("an element in the list has no prev")
		}
		if next := n.next.Access(); next.prev.Get() != n {
			return fmt.Errorf("next.prev of an element is %p, want the element, %p", next.prev.Get(), n)
		}
	}
	if first := l.Front(); first != nil && first.prev.Get() != &l.root {
		return fmt.Errorf("prev of the first element is %p, want root, %p", first.prev.Get(), &l.root)
	}
	return nil
}

// Check returns what is wrong with the links of h: I2 and I3.
func (h *HList[T]) Check() error {
	at := &h.first
	for n := h.Front(); n != nil; n = n.Next() {
		if n.at.Get() != at {
			return fmt.Errorf("at of an element is %p, want the link that leads to it, %p", n.at.Get(), at)
		}
		at = &n.next
	}
	return nil
}
