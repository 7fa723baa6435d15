// Package gate says whether a change made benchmarks slower: regressed, pass, or
// cannot tell.
//
// It compares a base and a head by pairs of processes, one of each side, that run at
// the same time, so that whatever the machine does meets both alike. Each pair of
// binaries, which are laid out in the same way, has a few such pairs, and then there
// are new binaries, laid out differently; for the same code may be several per cent
// faster or slower by its layout alone, and by the luck of a process. So the readings
// that the statistics rest on are pairs of binaries. A [Source] has the rounds; it may
// measure them while it is asked, or read them from files. [Rules.Compare] asks for
// rounds until each benchmark is decided:
//
//   - regressed, if the change in the middle is beyond the margin, and above 0 for
//     sure, and if new binaries alone show it once more;
//   - pass, if it is within the margin, and below twice the margin for sure;
//   - cannot tell, if neither can be said when the budget is spent, with what it lacks.
//
// So as soon as the interval of a change is narrower than the margin to either side,
// the estimate decides. The intervals and the evidence hold at any time, so that it
// does no harm to look after each round; they assume no distribution and no
// independence, only that base and head could be exchanged if nothing changed. Of all
// regressions reported, a share of no more than [Rules.FDR] is false, on average,
// however many benchmarks there are and however they depend on each other.
//
// What has no noise, such as allocations, is compared as it is.
//
// Read gate.go first, then judge.go, clusters.go and evidence.go; files.go and
// unpaired.go compare what was measured before.
package gate
