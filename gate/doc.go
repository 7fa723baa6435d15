// Package gate says whether a change made benchmarks slower: regressed, pass, or
// cannot tell.
//
// It compares a base and a head by pairs of processes, one of each side, that run at
// the same time, so that a disturbance of the machine affects both alike. It runs a few
// such pairs of processes with one pair of binaries, which have the same layout, and
// then makes new binaries with another layout: layout alone, or chance in one process,
// makes the same code several per cent faster or slower. So the statistics use one
// reading per pair of binaries. A [Source] has the rounds; it may measure them on
// request, or read them from files. [Rules.Compare] asks for rounds until each
// benchmark is decided:
//
//   - regressed, if the change in the middle is beyond the margin, and above 0 for
//     sure, and if new binaries alone show it once more;
//   - pass, if it is within the margin, and below twice the margin for sure;
//   - cannot tell, if neither can be said when the budget is spent, with what it lacks.
//
// So as soon as the interval of a change reaches less than the margin to either side,
// the estimate decides. The intervals and the evidence are valid at any time, so
// looking after each round is allowed; they assume no distribution and no independence,
// only that base and head could be exchanged if nothing changed. Of all regressions
// reported, at most a share [Rules.FDR] is false, on average, however many benchmarks
// there are and however they depend on each other.
//
// Values without noise, such as allocations, are compared directly.
//
// Read gate.go first, then judge.go, clusters.go and evidence.go; files.go and
// unpaired.go compare readings that were measured before.
package gate
