package seqlock

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// words is a T kept as atomic words, so that one goroutine may read it while
// another writes: the race detector and the engines see each access. A local
// one is a copy, used as plain memory.
//
// I1: its memory is a whole number of words. The empty array aligns it as a
// word is aligned, and what is aligned to eight bytes is padded to them; the
// padding, of T too, is copied along.
type words[T any] struct {
	_ [0]primitives.Uint64
	v T
}

const wordSize = 8

// A word is as large as what it holds in every build, or the casts below
// would be wrong.
var _ [wordSize]byte = [unsafe.Sizeof(primitives.Uint64{})]byte{}

// word returns the word at an offset in bytes.
func (w *words[T]) word(offset uintptr) *primitives.Uint64 {
	return (*primitives.Uint64)(unsafe.Add(unsafe.Pointer(w), offset))
}

// copyTo loads the words of w into those of a local copy, one after the other.
func (w *words[T]) copyTo(local *words[T]) {
	copyWords(unsafe.Pointer(local), unsafe.Pointer(w), unsafe.Sizeof(*w))
}

// copyWords loads n bytes of words, one word after the other, into plain
// memory that is aligned as a uint64 is. n is a multiple of the word's size.
func copyWords(to, from unsafe.Pointer, n uintptr) {
	for i := uintptr(0); i < n; i += wordSize {
		*(*uint64)(unsafe.Add(to, i)) = (*primitives.Uint64)(unsafe.Add(from, i)).Load()
	}
}

// fits reports whether *to can be copied to a word at a time: it has no part of
// one, and the alignment.
func fits[T any](to *T) bool {
	return unsafe.Sizeof(*to)%wordSize == 0 && unsafe.Alignof(*to) == unsafe.Alignof(uint64(0))
}

// store stores a local copy into the words of w, one after the other. A
// release each is enough: none overtakes the sequence that was made odd before.
func (w *words[T]) store(local *words[T]) {
	for i := uintptr(0); i < unsafe.Sizeof(*w); i += wordSize {
		w.word(i).StoreRelease(*(*uint64)(unsafe.Add(unsafe.Pointer(local), i)))
	}
}

// get returns the T, for who knows that nobody writes.
func (w *words[T]) get() T {
	var local words[T]
	w.copyTo(&local)
	return local.v
}

// mustHoldNoPointers panics if T contains pointers: the collector does not
// look for them in atomic words, and a torn string is worse than a torn number.
func mustHoldNoPointers[T any]() {
	t := reflect.TypeFor[T]()
	if path, typ := findPointer(t); typ != nil {
		what := "it"
		if typ != t {
			what = fmt.Sprintf("%s (%v)", path, typ)
		}
		panic(fmt.Sprintf("seqlock: %v cannot be kept in atomic words: %s is a pointer or contains one", t, what))
	}
}

// findPointer returns where in a t there is a pointer, and of what type it is;
// nil if there is none.
func findPointer(t reflect.Type) (path string, typ reflect.Type) {
	switch k := t.Kind(); {
	case k <= reflect.Complex128: // numbers, uintptr among them, and bool
		return "", nil
	case k == reflect.Array:
		if t.Len() == 0 {
			return "", nil
		}
		path, typ = findPointer(t.Elem())
		return "[0]" + path, typ
	case k == reflect.Struct:
		for i := range t.NumField() {
			if path, typ := findPointer(t.Field(i).Type); typ != nil {
				return "." + t.Field(i).Name + path, typ
			}
		}
		return "", nil
	default:
		return "", t
	}
}
