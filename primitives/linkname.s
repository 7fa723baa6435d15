//go:build !purego

// A package with an assembly file may declare functions without a body, as
// runtime_linkname.go does on every architecture.
