package primitives

// CanSerialize says whether [Serialize] does anything here: on amd64 and arm64,
// and not under the tag purego.
const CanSerialize = canSerialize

// Serialize waits until all instructions before it have completed; later instructions
// do not begin before that. It is LFENCE on amd64 and ISB on arm64. It is for
// measurements in which the work of one part must not overlap with that of the next. It
// orders no memory accesses of other CPUs and does not wait for stores to become
// visible: no algorithm can rely on it.
func Serialize() { serialize() }
