// Package ownlock builds a lockbench that knows locks of the user's, each named by
// where it is and what it is called: ./mypkg.MyLock, or example.com/mod/pkg.Type.
//
// [Find] looks for the types and says what is wrong with them. [Program.Build]
// compiles the command again, with one file more that makes those locks known to it,
// in a workspace of the user's modules and ours: what the user's go.mod and go.work
// replace is replaced. Nothing is written where the user's files are, and a lock
// runs in the same process as ours, called as they are. [Become] then runs that
// program instead of this one.
//
// The files are find.go, program.go with generate.go, workspace.go, become_*.go.
package ownlock
