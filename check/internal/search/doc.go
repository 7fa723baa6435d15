// Package search has the searches of package check: each is a [machine.Search], which decides
// about every step of an execution, and a [Plan], which goes from one execution to the next.
//
// The files, each of which refers only to those after it:
//
//   - shortest.go finds the failure that is easiest to read, by bounded.go, which bounds the
//     preemptions.
//   - dpor.go takes one schedule of each class of equivalent ones. It alone looks at the
//     machine: see [NewDPOR].
//   - pct.go and random.go draw schedules, and repeat.go follows one that is known.
//   - plan.go says what all of them have in common.
package search
