// Package ownlock builds a lockbench with locks of the user, each given by its place
// and its name: ./mypkg.MyLock, or example.com/mod/pkg.Type.
//
// [Find] looks for the types and reports errors in them. [Program.Build] compiles the
// command again, with an additional file that registers those locks, in a workspace of
// the user's modules and lockbench's: replace directives in the user's go.mod and
// go.work apply. Nothing is written into the user's directories, and the locks run in
// the same process as lockbench's, and are called in the same way. [Become] then runs
// that program instead of this one.
//
// The files are find.go, program.go with generate.go, workspace.go, become_*.go.
package ownlock
