package primitives

// A Bool is an atomic bool. The zero value is false.
// A Bool must not be copied after first use.
type Bool struct{ v Uint32 }

// Load returns the value.
func (b *Bool) Load() bool { return b.v.Load() != 0 }

// Store sets the value to val.
func (b *Bool) Store(val bool) { b.v.Store(bit(val)) }

// StoreRelease sets the value to val; see [Uint32.StoreRelease].
func (b *Bool) StoreRelease(val bool) { b.v.StoreRelease(bit(val)) }

// Swap sets the value to val and returns the old one.
func (b *Bool) Swap(val bool) (old bool) { return b.v.Swap(bit(val)) != 0 }

// CompareAndSwap sets the value to val if it is old and reports whether it did.
func (b *Bool) CompareAndSwap(old, val bool) bool { return b.v.CompareAndSwap(bit(old), bit(val)) }

func bit(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
