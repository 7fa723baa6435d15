// Package gate says whether a change made benchmarks slower: regressed, pass, or
// cannot tell.
//
// It compares a base and a head by rounds. In a round each benchmark runs once
// with the base's code, once more with the base's, and once with the head's, in
// random order and within a moment, so that whatever the machine does meets
// all three alike; and what is compared is the ratio within the round. A
// [Source] has the rounds; it may measure them while it is asked, or read them
// from files. [Rules.Compare] asks for rounds until each benchmark is decided:
//
//   - regressed, if the whole interval of the change is beyond the margin, and
//     beyond what the base differs from itself, and is so again in rounds of
//     newly built binaries, whose code is laid out differently;
//   - pass, if the whole interval is within the margin, and the base does not
//     differ from itself by as much;
//   - cannot tell, if neither can be said when the budget is spent.
//
// The intervals and the evidence hold at any time, so that it does no harm to
// look after each round; they assume no distribution and no independence, only
// that the order within a round is random. Of all regressions reported, a share
// of no more than [Rules.FDR] is false, on average, however many benchmarks
// there are and however they depend on each other.
//
// What has no noise, such as allocations, is compared as it is.
package gate
