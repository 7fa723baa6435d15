package primitives

// ManyNodes says whether the machine has several nodes, and returns what undoes it.
func ManyNodes(are bool) (undo func()) {
	were := manyNodes
	manyNodes = are
	return func() { manyNodes = were }
}

var SeveralIn = severalIn
