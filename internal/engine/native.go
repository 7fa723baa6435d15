//go:build !virtual

package engine

// Virtual says that the build has the tag virtual, so that an engine can run.
const Virtual = false
