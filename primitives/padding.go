package primitives

// A CacheLine is padding: between two fields, it puts each of them on a cache line that
// the other's writers do not touch, wherever the struct begins.
type CacheLine [CacheLineSize]byte
