package seqlock

import (
	"fmt"
	"reflect"
	"unsafe"

	"github.com/lockbench/lockbench/primitives"
)

// words is a T kept as atomic words, so that one goroutine may read it while
// another writes: the race detector and the engines see each access.
//
// I1: its memory is a whole number of words. The empty array gives it the
// alignment of a word, so its size is padded to a multiple of eight bytes. The
// padding, also that of T, is copied too.
type words[T any] struct {
	_ [0]primitives.Uint64
	v T
}

// plain is a T in memory that one goroutine uses alone, to copy words from and to.
//
// It has the alignment of a uint64. On 32-bit machines that is four bytes, and
// plain may end with the first half of its last word. The alignment of a word
// would be wrong there: the stack does not have it, so each plain would be
// allocated.
type plain[T any] struct {
	_ [0]uint64
	v T
}

const (
	wordSize = 8
	halves   = unsafe.Alignof(uint64(0)) < wordSize // whether plain may end with half a word
)

// In every build a word must be as large as the bits that it holds; otherwise the
// casts below would be wrong.
var _ [wordSize]byte = [unsafe.Sizeof(primitives.Uint64{})]byte{}

// word returns the word at an offset in bytes.
func (w *words[T]) word(offset uintptr) *primitives.Uint64 {
	return (*primitives.Uint64)(unsafe.Add(unsafe.Pointer(w), offset))
}

// word returns the bits for the word at an offset in bytes.
func (p *plain[T]) word(offset uintptr) uint64 {
	at := unsafe.Add(unsafe.Pointer(p), offset)
	if halves && unsafe.Sizeof(*p)-offset < wordSize {
		return fromHalf(*(*uint32)(at))
	}
	return *(*uint64)(at)
}

// copyWords loads n bytes of words, one word after the other, into plain
// memory. n is a multiple of that memory's alignment.
func copyWords(to, from unsafe.Pointer, n uintptr) {
	for i := uintptr(0); i < n; i += wordSize {
		word := (*primitives.Uint64)(unsafe.Add(from, i)).Load()
		if halves && n-i < wordSize {
			*(*uint32)(unsafe.Add(to, i)) = toHalf(word)
			return
		}
		*(*uint64)(unsafe.Add(to, i)) = word
	}
}

// toHalf returns the half of word that comes first in memory, and fromHalf a
// word that begins with half.
func toHalf(word uint64) uint32 { return *(*uint32)(unsafe.Pointer(&word)) }

func fromHalf(half uint32) (word uint64) {
	*(*uint32)(unsafe.Pointer(&word)) = half
	return word
}

// fits reports whether words can be copied to *to as to a plain: it has the
// alignment, and does not end with a smaller part of a word.
func fits[T any](to *T) bool {
	const align = unsafe.Alignof(uint64(0))
	return unsafe.Sizeof(*to)%align == 0 && unsafe.Alignof(*to) == align
}

// store stores p into the words of w, one after the other. A release for each is
// enough: none of them overtakes the store that made the sequence odd.
func (w *words[T]) store(p *plain[T]) {
	for i := uintptr(0); i < unsafe.Sizeof(*w); i += wordSize {
		w.word(i).StoreRelease(p.word(i))
	}
}

// get returns the T, for a caller that keeps writers out.
func (w *words[T]) get() T {
	var p plain[T]
	copyWords(unsafe.Pointer(&p), unsafe.Pointer(w), unsafe.Sizeof(p))
	return p.v
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

// findPointer returns where a t contains a pointer, and its type; nil if it
// contains none.
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
