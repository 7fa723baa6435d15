package primitives

// A CacheLine is padding: put between two fields, it gives each a line that
// the other's writers do not touch, wherever the struct begins.
type CacheLine [CacheLineSize]byte
