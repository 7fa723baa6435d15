package main

import (
	"fmt"
	"math"
	"strings"
)

// A diagram shows the states of a lock's words, and which methods lead from one to another.
type diagram struct {
	name   string // of the page; the file is states-NAME.svg
	title  string
	pitch  [2]float64 // from one column to the next, and from one row to the next
	boxW   float64
	states []state
	moves  []transition
	note   []string // below
	within []string // methods that go from a state to itself without an arrow, as the note says
}

// A state is a box at a column and a row, which may be between two.
type state struct {
	id        string // of the states that the test of the diagram finds
	col, row  float64
	word      string // what the words are, as the lock's file writes it
	says      string
	temporary bool // whether it is left without a call from outside
}

// A transition is an arrow from one state to another, or to the same one.
type transition struct {
	from, to string
	by       []string // the methods that make it
	says     string   // what they do; "" if that is clear
	waits    bool     // whether it changes nothing: a waiter looks, and looks again
	bow      float64  // how far a curve is from the straight line in its middle; to the left is more than 0
	loop     string   // for an arrow to the same state: the side of the box that it is at
	label    point    // from where the label would be
}

type point struct{ x, y float64 }

// diagrams are the state diagrams, by the names of their pages.
var diagrams = []diagram{
	{
		name: "cas", title: "A compare-and-swap lock: one word, two values", pitch: [2]float64{340, 110}, boxW: 120,
		states: []state{
			{id: "0", col: 0, word: "0", says: "unlocked"},
			{id: "1", col: 1, word: "1", says: "locked"},
		},
		moves: []transition{
			{from: "0", to: "1", by: []string{"Lock", "TryLock"}, says: "swap, or compare and swap"},
			{from: "1", to: "0", by: []string{"Unlock"}, says: "store"},
			{from: "1", to: "1", by: []string{"Lock"}, says: "looks again", waits: true, loop: "right"},
		},
		note: []string{"Any waiter can be the next: the word does not know them."},
	},
	{
		name: "ticket", title: "A ticket lock, by next − owner", pitch: [2]float64{270, 110}, boxW: 130,
		states: []state{
			{id: "0", col: 0, word: "0", says: "unlocked"},
			{id: "1", col: 1, word: "1", says: "locked"},
			{id: "1+n", col: 2, word: "1 + n", says: "locked, n wait"},
		},
		moves: []transition{
			{from: "0", to: "1", by: []string{"Lock", "TryLock"}, says: "next + 1"},
			{from: "1", to: "0", by: []string{"Unlock"}, says: "owner + 1"},
			{from: "1", to: "1+n", by: []string{"Lock"}, says: "next + 1"},
			{from: "1+n", to: "1", by: []string{"Unlock"}, says: "owner + 1, n = 1"},
			{from: "1+n", to: "1+n", by: []string{"Lock"}, says: "next + 1", loop: "top"},
			{from: "1+n", to: "1+n", by: []string{"Unlock"}, says: "owner + 1, n > 1", loop: "bottom"},
			{from: "1+n", to: "1+n", by: []string{"Lock"}, says: "owner ≠ ticket", waits: true, loop: "right"},
		},
		note: []string{"An arrival draws ticket next. The ticket that is served is owner, so a release hands the lock to the longest waiter."},
	},
	{
		name: "anderson", title: "Anderson's lock, by next − the ticket granted last", pitch: [2]float64{270, 110}, boxW: 130,
		states: []state{
			{id: "0", col: 0, word: "0", says: "unlocked"},
			{id: "1", col: 1, word: "1", says: "locked"},
			{id: "1+n", col: 2, word: "1 + n", says: "locked, n wait"},
		},
		moves: []transition{
			{from: "0", to: "1", by: []string{"Lock", "TryLock"}, says: "next + 1"},
			{from: "1", to: "0", by: []string{"Unlock"}, says: "grants ticket next"},
			{from: "1", to: "1+n", by: []string{"Lock"}, says: "next + 1"},
			{from: "1+n", to: "1", by: []string{"Unlock"}, says: "grants the next, n = 1"},
			{from: "1+n", to: "1+n", by: []string{"Lock"}, says: "next + 1", loop: "top"},
			{from: "1+n", to: "1+n", by: []string{"Unlock"}, says: "grants the next, n > 1", loop: "bottom"},
			{from: "1+n", to: "1+n", by: []string{"Lock"}, says: "slot ≠ ticket", waits: true, loop: "right"},
		},
		note: []string{"Ticket t is granted by a store of t in slot t mod 64, on a line of its own: of the waiters only the next sees it."},
	},
	{
		name: "mcs", title: "The tail of an mcs.Lock", pitch: [2]float64{270, 110}, boxW: 150,
		states: []state{
			{id: "own", col: 0, word: "own", says: "locked, no waiters"},
			{id: "0", col: 1, word: "0", says: "unlocked"},
			{id: "w", col: 2, word: "number", says: "locked, its place is last"},
		},
		moves: []transition{
			{from: "0", to: "own", by: []string{"Lock", "TryLock"}},
			{from: "own", to: "0", by: []string{"Unlock"}},
			{from: "own", to: "w", by: []string{"Lock"}, says: "gets in line", bow: -60},
			{from: "0", to: "w", by: []string{"Lock"}, says: "finds it free"},
			{from: "w", to: "0", by: []string{"Unlock"}, says: "none behind"},
			{from: "w", to: "w", by: []string{"Lock"}, says: "gets in line", loop: "top"},
		},
		note: []string{"A release with waiters leaves tail as it is, and wakes the next in line."},
	},
	{
		name: "clh", title: "A CLH, by the place in tail, and whether it is over", pitch: [2]float64{265, 110}, boxW: 125,
		states: []state{
			{id: "own,over", col: 0, word: "own, over", says: "unlocked"},
			{id: "own", col: 1, word: "own", says: "locked, no waiters"},
			{id: "w", col: 2, word: "number", says: "locked, it is last"},
			{id: "w,over", col: 3, word: "number, over", says: "unlocked"},
		},
		moves: []transition{
			{from: "own,over", to: "own", by: []string{"Lock", "TryLock"}, says: "g + 1"},
			{from: "own", to: "own,over", by: []string{"Unlock"}, says: "over = g"},
			{from: "own", to: "w", by: []string{"Lock"}, says: "gets in line"},
			{from: "w", to: "w", by: []string{"Lock"}, says: "gets in line", loop: "top"},
			{from: "w", to: "w,over", by: []string{"Unlock"}, says: "none behind"},
			{from: "w,over", to: "w", by: []string{"Lock"}, says: "finds it free"},
			{from: "w,over", to: "own", by: []string{"Lock", "TryLock"}, says: "g + 1", bow: -125},
			{from: "own,over", to: "w", by: []string{"Lock"}, says: "finds it free", bow: -50},
		},
		note: []string{"own: the node in the lock. A place is a node and a generation g, and is used once. A release", "with waiters leaves tail as it is: the place of the holder is over then, and the next goes on."},
	},
	{
		name: "cna", title: "The tail of a CNA", pitch: [2]float64{270, 110}, boxW: 150,
		states: []state{
			{id: "own", col: 0, word: "own", says: "locked, no waiters"},
			{id: "0", col: 1, word: "0", says: "unlocked"},
			{id: "w", col: 2, word: "place", says: "locked, it is last"},
		},
		moves: []transition{
			{from: "0", to: "own", by: []string{"Lock", "TryLock"}},
			{from: "own", to: "0", by: []string{"Unlock"}},
			{from: "own", to: "w", by: []string{"Lock"}, says: "gets in line", bow: -60},
			{from: "0", to: "w", by: []string{"Lock"}, says: "finds it free"},
			{from: "w", to: "0", by: []string{"Unlock"}, says: "none waits"},
			{from: "w", to: "w", by: []string{"Lock"}, says: "gets in line", loop: "top"},
			{from: "w", to: "w", by: []string{"Unlock"}, says: "to those aside", loop: "right"},
		},
		note: []string{"A release with others in line leaves tail as it is, and hands over to one on its node, or to the longest waiter.",
			"To those aside: if none is in line they are the line again, and tail names the last of them."},
	},
	{
		name: "reciprocating", title: "The arrivals of a reciprocating lock", pitch: [2]float64{280, 110}, boxW: 150,
		states: []state{
			{id: "0", col: 0, word: "0", says: "unlocked"},
			{id: "held", col: 1, word: "held", says: "locked, no arrivals"},
			{id: "n", col: 2, word: "number", says: "locked, it came last"},
		},
		moves: []transition{
			{from: "0", to: "held", by: []string{"Lock", "TryLock"}},
			{from: "held", to: "0", by: []string{"Unlock"}, says: "none waits"},
			{from: "held", to: "n", by: []string{"Lock"}, says: "arrives"},
			{from: "n", to: "held", by: []string{"Unlock"}, says: "takes the stack"},
			{from: "n", to: "n", by: []string{"Lock"}, says: "arrives", loop: "right"},
			{from: "0", to: "n", by: []string{"Lock"}, says: "finds it free", bow: 70},
			{from: "n", to: "held", by: []string{"Lock"}, says: "found it free, takes its number back", bow: 60},
		},
		note: []string{"A release within a segment leaves arrivals as it is, and wakes the waiter below."},
	},
	{
		name: "qspinlock", title: "The word of a qspinlock, as tail, pending, locked", pitch: [2]float64{225, 130}, boxW: 118,
		states: []state{
			{id: "0,0,0", col: 0, row: 0, word: "0,0,0", says: "unlocked"},
			{id: "0,0,1", col: 1, row: 0, word: "0,0,1", says: "locked"},
			{id: "0,1,1", col: 2, row: 0, word: "0,1,1", says: "one waiter"},
			{id: "0,1,0", col: 3, row: 0, word: "0,1,0", says: "it takes over", temporary: true},
			{id: "n,0,0", col: 0, row: 1, word: "n,0,0", says: "head takes it", temporary: true},
			{id: "n,0,1", col: 1, row: 1, word: "n,0,1", says: "a queue"},
			{id: "n,1,1", col: 2, row: 1, word: "n,1,1", says: "pending, queue"},
			{id: "n,1,0", col: 3, row: 1, word: "n,1,0", says: "pending first", temporary: true},
		},
		moves: []transition{
			{from: "0,0,0", to: "0,0,1", by: []string{"Lock", "TryLock"}},
			{from: "0,0,1", to: "0,0,0", by: []string{"Unlock"}},
			{from: "0,0,0", to: "0,1,0", by: []string{"Lock"}, says: "sets pending, after the release", bow: 92},
			{from: "0,0,0", to: "n,0,0", by: []string{"Lock"}, says: "queues"},
			{from: "0,0,1", to: "0,1,1", by: []string{"Lock"}, says: "pending"},
			{from: "0,0,1", to: "n,0,1", by: []string{"Lock"}, says: "queues"},
			{from: "0,1,1", to: "0,1,0", by: []string{"Unlock"}},
			{from: "0,1,1", to: "n,1,1", by: []string{"Lock"}, says: "queues"},
			{from: "0,1,0", to: "0,0,1", by: []string{"Lock"}, says: "takes over", bow: -50},
			{from: "0,1,0", to: "n,1,0", by: []string{"Lock"}, says: "queues"},
			{from: "n,0,0", to: "0,0,1", by: []string{"Lock"}, says: "was last"},
			{from: "n,0,0", to: "n,0,1", by: []string{"Lock"}, says: "head"},
			{from: "n,0,1", to: "n,0,0", by: []string{"Unlock"}},
			{from: "n,0,0", to: "n,1,0", by: []string{"Lock"}, says: "sets pending by mistake", bow: -88},
			{from: "n,1,0", to: "n,0,0", by: []string{"Lock"}, says: "clears it again", bow: 124},
			{from: "n,0,1", to: "n,1,1", by: []string{"Lock"}, says: "mistake"},
			{from: "n,1,1", to: "n,0,1", by: []string{"Lock"}, says: "clears it"},
			{from: "n,1,1", to: "n,1,0", by: []string{"Unlock"}},
			{from: "n,1,0", to: "n,0,1", by: []string{"Lock"}, says: "takes over", bow: 40},
		},
		note:   []string{"n: the last in the queue. An arrival in any state of the lower row puts itself there, and the state stays what it is."},
		within: []string{"Lock"},
	},
	{
		name: "rwlock", title: "The word of a ReaderPref, as readers, writer", pitch: [2]float64{300, 140}, boxW: 160,
		states: []state{
			{id: "0,0", col: 0, row: 0, word: "0,0", says: "unlocked"},
			{id: "n,0", col: 1, row: 0, word: "n,0", says: "n readers inside"},
			{id: "0,W", col: 0, row: 1, word: "0,W", says: "a writer inside"},
			{id: "n,W", col: 1, row: 1, word: "n,W", says: "n readers wait for it"},
		},
		moves: []transition{
			{from: "0,0", to: "n,0", by: []string{"RLock", "TryRLock"}},
			{from: "n,0", to: "0,0", by: []string{"RUnlock"}, says: "n = 1"},
			{from: "n,0", to: "n,0", by: []string{"RLock", "TryRLock", "RUnlock"}, loop: "top"},
			{from: "n,0", to: "n,0", by: []string{"Lock"}, says: "starves", waits: true, loop: "right"},
			{from: "0,0", to: "0,W", by: []string{"Lock", "TryLock"}},
			{from: "0,W", to: "0,0", by: []string{"Unlock"}},
			{from: "0,W", to: "n,W", by: []string{"RLock"}, says: "counts itself"},
			{from: "n,W", to: "n,W", by: []string{"RLock"}, loop: "bottom"},
			{from: "n,W", to: "n,W", by: []string{"RLock"}, says: "waits", waits: true, loop: "right"},
			{from: "n,W", to: "n,0", by: []string{"Unlock"}, says: "all n are inside"},
		},
		note: []string{"A writer comes in only at 0,0. While readers overlap there is no such moment."},
	},
	{
		name: "semaphore", title: "The word of a Semaphore of s permits, as held, waiting, size", pitch: [2]float64{330, 140}, boxW: 150,
		states: []state{
			{id: "h,0,s", col: 0, row: 0, word: "h,0,s (h < s)", says: "permits are free"},
			{id: "s,0,s", col: 1, row: 0, word: "s,0,s", says: "all are out"},
			{id: "h,1,s", col: 0, row: 1, word: "h,1,s (h < s)", says: "serves the line", temporary: true},
			{id: "s,1,s", col: 1, row: 1, word: "s,1,s", says: "waiters in line"},
		},
		moves: []transition{
			{from: "h,0,s", to: "h,0,s", by: []string{"Down", "TryDown", "Up"}, loop: "top"},
			{from: "h,0,s", to: "s,0,s", by: []string{"Down", "TryDown"}, says: "the last one"},
			{from: "s,0,s", to: "h,0,s", by: []string{"Up"}},
			{from: "s,0,s", to: "s,1,s", by: []string{"Down"}, says: "gets in line"},
			{from: "s,1,s", to: "h,1,s", by: []string{"Up"}},
			{from: "h,1,s", to: "s,1,s", by: []string{"Up"}, says: "serves; more wait"},
			{from: "h,1,s", to: "s,0,s", by: []string{"Up", "Down"}, says: "serves the last"},
			{from: "h,0,s", to: "h,1,s", by: []string{"Down"}, says: "in line, late"},
			{from: "h,1,s", to: "h,0,s", by: []string{"Down"}, says: "serves itself"},
		},
		note: []string{"A waiter that gets in line just after a permit came back serves the line itself."},
	},
	{
		name: "seqlock", title: "A seqlock: the guard of its writers, and its sequence", pitch: [2]float64{270, 140}, boxW: 150,
		states: []state{
			{id: "0,even", col: 0, row: 0, word: "0; even", says: "unlocked"},
			{id: "W,even", col: 1, row: 0, word: "W; even", says: "a writer, not yet writing", temporary: true},
			{id: "W,odd", col: 2, row: 0, word: "W; odd", says: "a writer writes"},
			{id: "n,even", col: 0, row: 1, word: "n; even", says: "readers keep it shut"},
			{id: "nW,even", col: 1, row: 1, word: "n, W; even", says: "readers wait for it", temporary: true},
			{id: "nW,odd", col: 2, row: 1, word: "n, W; odd", says: "readers wait for it"},
		},
		moves: []transition{
			{from: "0,even", to: "W,even", by: []string{"Lock", "TryLock"}, says: "guard"},
			{from: "W,even", to: "0,even", by: []string{"Unlock"}, says: "guard"},
			{from: "W,even", to: "W,odd", by: []string{"Lock", "TryLock"}, says: "seq + 1"},
			{from: "W,odd", to: "W,even", by: []string{"Unlock"}, says: "seq + 1"},
			{from: "0,even", to: "n,even", by: []string{"Read"}, says: "n = 1"},
			{from: "n,even", to: "0,even", by: []string{"Read"}, says: "n = 1"},
			{from: "W,even", to: "nW,even", by: []string{"Read"}},
			{from: "W,odd", to: "nW,odd", by: []string{"Read"}},
			{from: "nW,even", to: "n,even", by: []string{"Unlock"}, says: "guard"},
			{from: "nW,even", to: "nW,odd", by: []string{"Lock", "TryLock"}, says: "seq + 1"},
			{from: "nW,odd", to: "nW,even", by: []string{"Unlock"}, says: "seq + 1"},
			{from: "n,even", to: "n,even", by: []string{"Read"}, loop: "bottom"},
			{from: "nW,even", to: "nW,even", by: []string{"Read"}, loop: "bottom"},
			{from: "nW,odd", to: "nW,odd", by: []string{"Read"}, loop: "bottom"},
		},
		note: []string{"The upper row is all that most readers see: they write nothing, and read again if the sequence was odd or has changed.", "A reader comes to the lower row after its last try that a writer disturbed."},
	},
	{
		name: "completion", title: "A Completion: how many waits are allowed, and its line", pitch: [2]float64{270, 140}, boxW: 150,
		states: []state{
			{id: "0", col: 0, row: 0, word: "0", says: "not done"},
			{id: "k", col: 1, row: 0, word: "k", says: "done, for k"},
			{id: "all", col: 2, row: 0, word: "forever", says: "done, for all"},
			{id: "0,line", col: 0, row: 1, word: "0", says: "waiters in line"},
			{id: "all,line", col: 2, row: 1, word: "forever", says: "wakes the line", temporary: true},
		},
		moves: []transition{
			{from: "0", to: "k", by: []string{"Complete"}, says: "k = 1"},
			{from: "k", to: "0", by: []string{"Wait"}, says: "k = 1"},
			{from: "k", to: "k", by: []string{"Complete", "Wait"}, loop: "bottom"},
			{from: "0", to: "0,line", by: []string{"Wait"}, says: "parks"},
			{from: "0,line", to: "0", by: []string{"Complete"}, says: "wakes the last"},
			{from: "0,line", to: "0,line", by: []string{"Wait", "Complete"}, loop: "bottom"},
			{from: "0", to: "all", by: []string{"CompleteAll"}, bow: 70},
			{from: "k", to: "all", by: []string{"CompleteAll"}},
			{from: "0,line", to: "all,line", by: []string{"CompleteAll"}},
			{from: "all,line", to: "all", by: []string{"CompleteAll", "Complete"}, says: "wakes the last"},
			{from: "all,line", to: "all,line", by: []string{"CompleteAll", "Complete"}, loop: "bottom"},
		},
		note: []string{"The word is 0 while waiters are in line. Once it is forever it stays so."},
	},
	{
		name: "mutex", title: "The word of a Mutex: locked, pickup, waiting", pitch: [2]float64{300, 160}, boxW: 170,
		states: []state{
			{id: "0", col: 0, row: 0, word: "0", says: "unlocked"},
			{id: "L", col: 1, row: 0, word: "locked", says: "no line"},
			{id: "0,n", col: 0, row: 1, word: "n waiting", says: "free, with a line", temporary: true},
			{id: "L,n", col: 1, row: 1, word: "locked, n waiting", says: "n are in line"},
			{id: "P", col: 2, row: 1, word: "locked, pickup", says: "handed to the first in line", temporary: true},
		},
		moves: []transition{
			{from: "0", to: "L", by: []string{"Lock", "TryLock"}},
			{from: "L", to: "0", by: []string{"Unlock"}},
			{from: "L", to: "L,n", by: []string{"Lock"}, says: "gets in line"},
			{from: "0", to: "0,n", by: []string{"Lock"}, says: "gets in line, late"},
			{from: "0,n", to: "L,n", by: []string{"Lock"}, says: "a spinner"},
			{from: "L,n", to: "0,n", by: []string{"Unlock"}, says: "for a spinner"},
			{from: "L,n", to: "P", by: []string{"Unlock"}},
			{from: "P", to: "L,n", by: []string{"Lock"}, says: "it runs; more wait"},
			{from: "P", to: "L", by: []string{"Lock"}, says: "it runs"},
			{from: "0,n", to: "P", by: []string{"Lock"}, says: "looks at the line", bow: -60},
		},
		note:   []string{"Getting in line in the lower row, and spinning, change no more of this. Not shown: the bits spinning and handoff.", "With handoff, after 16 overtakings, Unlock hands over although a waiter spins."},
		within: []string{"Lock"},
	},
}

const (
	stateH     = 50.0
	stateTop   = 86.0 // of the first row, without what is above it
	stateLeft  = 30.0
	apart      = 11.0 // half of the distance of two arrows between the same boxes
	labelSize  = 12
	labelLine  = 14.0
	labelGap   = 5.0
	loopWidth  = 34.0
	loopHeight = 26.0
)

// A drawing is a diagram that is laid out: what the picture has of it, and what the test
// looks at.
type drawing struct {
	diagram
	width, height float64
	boxes         map[string]rect
	arrows        []curve
	labels        []label
}

type rect struct{ x, y, w, h float64 }

func (r rect) middle() point { return point{r.x + r.w/2, r.y + r.h/2} }

// A curve is a cubic Bézier curve.
type curve [4]point

// at returns the point of c at t, from 0 to 1.
func (c curve) at(t float64) point {
	u := 1 - t
	a, b, d, e := u*u*u, 3*u*u*t, 3*u*t*t, t*t*t
	return point{a*c[0].x + b*c[1].x + d*c[2].x + e*c[3].x, a*c[0].y + b*c[1].y + d*c[2].y + e*c[3].y}
}

// A label is lines of text, at a point: start, middle or end of the first line.
type label struct {
	at     point
	anchor string
	lines  []string
}

// around returns the rectangle that l fills, or more.
func (l label) around() rect {
	w := 0.0
	for _, line := range l.lines {
		w = max(w, textWidth(line, labelSize))
	}
	x := l.at.x
	switch l.anchor {
	case "middle":
		x -= w / 2
	case "end":
		x -= w
	}
	return rect{x, l.at.y - labelSize + 2, w, labelLine*float64(len(l.lines)-1) + labelSize}
}

// layOut places all of d.
func (d diagram) layOut() drawing {
	out := d.layOutFrom(stateLeft)
	least := stateLeft
	for _, l := range out.labels {
		least = min(least, l.around().x)
	}
	if least < stateLeft {
		out = d.layOutFrom(2*stateLeft - least)
	}
	return out
}

// layOutFrom places all of d, with the boxes from left on.
func (d diagram) layOutFrom(left float64) drawing {
	out := drawing{diagram: d, boxes: make(map[string]rect)}
	room := map[string]float64{}
	for _, m := range d.moves {
		room[m.loop] = 1
		if m.bow != 0 && m.loop == "" {
			from, to := d.state(m.from), d.state(m.to)
			if up := m.bow * (to.col - from.col); up > 0 && from.row == to.row { // to the left of a way to the right is above
				room["bow"] = max(room["bow"], math.Abs(m.bow))
			} else {
				room["below"] = max(room["below"], math.Abs(m.bow))
			}
		}
	}
	top := stateTop + max(room["bow"]*0.75+10, room["top"]*(loopHeight+22))
	cols, rows := 0.0, 0.0
	for _, s := range d.states {
		cols, rows = max(cols, s.col), max(rows, s.row)
		out.boxes[s.id] = rect{left + s.col*d.pitch[0], top + s.row*d.pitch[1], d.boxW, stateH}
	}
	out.width = left + cols*d.pitch[0] + d.boxW + stateLeft + room["right"]*125
	out.height = top + rows*d.pitch[1] + stateH + max(room["below"]*0.75+24, room["bottom"]*(loopHeight+30)) + 30 + 20*float64(len(d.note))
	for _, line := range append([]string{""}, d.note...) {
		out.width = max(out.width, textWidth(line, 13)+2*stateLeft)
	}
	out.width = max(out.width, 1.08*textWidth(d.title, 18)+2*stateLeft)
	for _, m := range d.moves {
		c, l := out.arrow(m)
		out.arrows, out.labels = append(out.arrows, c), append(out.labels, l)
	}
	return out
}

func (d diagram) state(id string) state {
	for _, s := range d.states {
		if s.id == id {
			return s
		}
	}
	panic("figures: states-" + d.name + ".svg has no state " + id)
}

// words returns the lines of a label: one beside a curve, and otherwise two.
func (m transition) words(one bool) []string {
	by := strings.Join(m.by, ", ")
	switch {
	case m.says == "":
		return []string{by}
	case one:
		return []string{by + ": " + m.says}
	}
	return []string{by, m.says}
}

// arrow returns the way of an arrow, and its label.
func (d drawing) arrow(m transition) (curve, label) {
	from, to := d.boxes[m.from], d.boxes[m.to]
	slanted := d.state(m.from).row != d.state(m.to).row && d.state(m.from).col != d.state(m.to).col
	l := label{lines: m.words(m.bow != 0 || slanted), anchor: "middle"}
	more := labelLine * float64(len(l.lines)-1)
	if m.from == m.to {
		mid := from.middle()
		var c curve
		switch m.loop {
		case "top":
			c = curve{{mid.x - loopWidth/2, from.y}, {mid.x - loopWidth, from.y - loopHeight*1.3}, {mid.x + loopWidth, from.y - loopHeight*1.3}, {mid.x + loopWidth/2, from.y - 2}}
			l.at = point{mid.x, from.y - loopHeight - labelGap - more}
		case "bottom":
			y := from.y + from.h
			c = curve{{mid.x + loopWidth/2, y}, {mid.x + loopWidth, y + loopHeight*1.3}, {mid.x - loopWidth, y + loopHeight*1.3}, {mid.x - loopWidth/2, y + 2}}
			l.at = point{mid.x, y + loopHeight + labelGap + 10}
		case "right":
			x := from.x + from.w
			c = curve{{x, mid.y - 12}, {x + loopHeight*1.3, mid.y - 24}, {x + loopHeight*1.3, mid.y + 24}, {x + 2, mid.y + 12}}
			l.at, l.anchor = point{x + loopHeight + labelGap, mid.y + 4 - more/2}, "start"
		}
		return c, d.shifted(l, m)
	}
	a, b := from.middle(), to.middle()
	dx, dy := b.x-a.x, b.y-a.y
	long := math.Hypot(dx, dy)
	ux, uy := dx/long, dy/long
	side := point{uy, -ux} // to the left of the way, as the picture shows it: up for a way to the right
	if d.has(m.to, m.from) && m.bow == 0 {
		a, b = point{a.x + apart*side.x, a.y + apart*side.y}, point{b.x + apart*side.x, b.y + apart*side.y}
	}
	if m.bow != 0 {
		// From the upper or the lower edge, near the middle.
		y := func(r rect) float64 {
			if side.y*m.bow < 0 {
				return r.y
			}
			return r.y + r.h
		}
		in := 22.0
		if math.Abs(m.bow) > 60 {
			in = 6
		}
		p, q := point{a.x + in*ux, y(from)}, point{b.x - in*ux, y(to)}
		q.y += 2 * side.y * m.bow / math.Abs(m.bow)
		h := m.bow
		c := curve{p, {p.x + 0.15*dx, p.y + side.y*h}, {q.x - 0.15*dx, q.y + side.y*h}, q}
		mid := c.at(0.5)
		if side.y*m.bow < 0 {
			l.at = point{mid.x, mid.y - labelGap - more}
		} else {
			l.at = point{mid.x, mid.y + labelGap + 10}
		}
		return c, d.shifted(l, m)
	}
	p, q := clip(a, b, from, 1), clip(b, a, to, 4)
	c := curve{p, {p.x + (q.x-p.x)/3, p.y + (q.y-p.y)/3}, {p.x + (q.x-p.x)*2/3, p.y + (q.y-p.y)*2/3}, q}
	mid := c.at(0.5)
	switch {
	case math.Abs(uy) < 0.2 && side.y < 0:
		l.at = point{mid.x, mid.y - labelGap - more}
	case math.Abs(uy) < 0.2:
		l.at = point{mid.x, mid.y + labelGap + 10}
	case slanted && side.x*side.y > 0:
		l.at, l.anchor = point{mid.x + labelGap + 2, mid.y + labelGap + 10}, "start"
	case slanted:
		l.at, l.anchor = point{mid.x + labelGap, mid.y - labelGap}, "start"
	case side.x > 0:
		l.at, l.anchor = point{mid.x + labelGap + 1, mid.y + 4 - more/2}, "start"
	default:
		l.at, l.anchor = point{mid.x - labelGap - 1, mid.y + 4 - more/2}, "end"
	}
	return c, d.shifted(l, m)
}

func (d drawing) shifted(l label, m transition) label {
	l.at.x += m.label.x
	l.at.y += m.label.y
	return l
}

// has reports whether d has a straight arrow from one state to another.
func (d diagram) has(from, to string) bool {
	for _, m := range d.moves {
		if m.from == from && m.to == to && m.bow == 0 {
			return true
		}
	}
	return false
}

// clip returns where the way from a, which is in r, to b leaves r, and gap more.
func clip(a, b point, r rect, gap float64) point {
	t := math.Inf(1)
	if dx := b.x - a.x; dx > 1e-9 {
		t = min(t, (r.x+r.w-a.x)/dx)
	} else if dx < -1e-9 {
		t = min(t, (r.x-a.x)/dx)
	}
	if dy := b.y - a.y; dy > 1e-9 {
		t = min(t, (r.y+r.h-a.y)/dy)
	} else if dy < -1e-9 {
		t = min(t, (r.y-a.y)/dy)
	}
	t += gap / math.Hypot(b.x-a.x, b.y-a.y)
	return point{a.x + t*(b.x-a.x), a.y + t*(b.y-a.y)}
}

// draw draws d.
func (d diagram) draw() []byte {
	out := d.layOut()
	c := newCanvas(int(math.Ceil(out.width)), int(math.Ceil(out.height)), d.title)
	c.bold(stateLeft, 34, 18, ink, d.title)
	c.box(stateLeft, 49, 22, 14, blueBg, blue, "")
	c.text(stateLeft+28, 61, labelSize, "start", ink, "stays until a call")
	c.box(stateLeft+150, 49, 22, 14, yellow, orange, "6 3")
	c.text(stateLeft+178, 61, labelSize, "start", ink, "within a call")
	for _, s := range d.states {
		r := out.boxes[s.id]
		fill, stroke, dash := blueBg, blue, ""
		if s.temporary {
			fill, stroke, dash = yellow, orange, "6 3"
		}
		c.box(r.x, r.y, r.w, r.h, fill, stroke, dash)
		c.Add(`<text x="%g" y="%g" font-size="%d" font-weight="bold" text-anchor="middle" fill="%s">%s</text>`, r.x+r.w/2, r.y+21, wordSize, ink, s.word)
		c.text(r.x+r.w/2, r.y+39, labelSize, "middle", ink, s.says)
	}
	for i, m := range d.moves {
		a, colour, dash := out.arrows[i], ink, ""
		if m.waits {
			colour, dash = faint, "4 3"
		}
		c.arrow(fmt.Sprintf("M%.1f,%.1f C%.1f,%.1f %.1f,%.1f %.1f,%.1f", a[0].x, a[0].y, a[1].x, a[1].y, a[2].x, a[2].y, a[3].x, a[3].y), colour, dash)
		l := out.labels[i]
		for j, line := range l.lines {
			c.text(math.Round(l.at.x), math.Round(l.at.y+labelLine*float64(j)), labelSize, l.anchor, ink, line)
		}
	}
	for i, line := range d.note {
		c.text(stateLeft, out.height-14-20*float64(len(d.note)-1-i), 13, "start", ink, line)
	}
	return c.Bytes()
}

const wordSize = 14
