package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func (r rect) overlaps(o rect) bool {
	return r.x < o.x+o.w && o.x < r.x+r.w && r.y < o.y+o.h && o.y < r.y+r.h
}

func (r rect) within(o rect) bool {
	return o.x <= r.x && r.x+r.w <= o.x+o.w && o.y <= r.y && r.y+r.h <= o.y+o.h
}

// faults returns what cannot be read in the picture: texts that overlap each other, a box
// or an arrow, or are wider than their box; arrows through boxes; and what leaves the picture.
func (d drawing) faults() (all []string) {
	fault := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	picture := rect{4, 4, d.width - 8, d.height - 8}
	texts := map[string]rect{
		"the title":  {stateLeft, 18, 1.08 * textWidth(d.title, 18), 20},
		"the legend": {stateLeft, 46, 240, 20},
	}
	for i, line := range d.note {
		texts["the note: "+line] = rect{stateLeft, d.height - 26 - 20*float64(len(d.note)-1-i), textWidth(line, 13), 16}
	}
	for i, l := range d.labels {
		texts[fmt.Sprintf("the label of %s to %s: %s", d.moves[i].from, d.moves[i].to, strings.Join(l.lines, "; "))] = l.around()
	}
	for name, r := range texts {
		if !r.within(picture) {
			fault("%s is not in the picture", name)
		}
		for other, o := range texts {
			if name < other && r.overlaps(o) {
				fault("%s and %s overlap", name, other)
			}
		}
		for id, box := range d.boxes {
			if r.overlaps(box) {
				fault("%s is on the box %s", name, id)
			}
		}
	}
	for i, a := range d.arrows {
		name := fmt.Sprintf("the arrow from %s to %s", d.moves[i].from, d.moves[i].to)
		seen := make(map[string]bool) // a fault is told once
		for t := 0.0; t <= 1; t += 1.0 / 128 {
			p := a.at(t)
			dot := rect{p.x - 0.5, p.y - 0.5, 1, 1}
			found := func(what string) {
				if !seen[what] {
					seen[what] = true
					fault("%s %s", name, what)
				}
			}
			if !dot.within(picture) {
				found("leaves the picture")
			}
			for other, r := range texts {
				if dot.overlaps(r) {
					found("is on " + other)
				}
			}
			for id, box := range d.boxes {
				if dot.within(box) {
					found("is in the box " + id)
				}
			}
		}
	}
	for _, s := range d.states {
		if w := max(1.08*textWidth(s.word, wordSize), textWidth(s.says, labelSize)); w > d.boxes[s.id].w-6 {
			fault("the text of the box %s has %.0f pixels, want %.0f at most", s.id, w, d.boxes[s.id].w-6)
		}
		if !d.boxes[s.id].within(picture) {
			fault("the box %s is not in the picture", s.id)
		}
		for _, o := range d.states {
			if s.id < o.id && d.boxes[s.id].overlaps(d.boxes[o.id]) {
				fault("the boxes %s and %s overlap", s.id, o.id)
			}
		}
	}
	slices.Sort(all)
	return all
}

// In each diagram all can be read.
func TestDiagramsFit(t *testing.T) {
	for _, d := range diagrams {
		for _, fault := range d.layOut().faults() {
			t.Errorf("states-%s.svg: %s", d.name, fault)
		}
	}
}

// Each fault of a picture is found.
func TestDiagramFaults(t *testing.T) {
	good := diagram{
		name: "a", title: "A", pitch: [2]float64{200, 100}, boxW: 100,
		states: []state{{id: "a", word: "a"}, {id: "b", col: 1, word: "b"}, {id: "c", col: 2, word: "c"}},
		moves:  []transition{{from: "a", to: "b", by: []string{"Lock"}}, {from: "b", to: "c", by: []string{"Lock"}}},
	}
	if got := good.layOut().faults(); got != nil {
		t.Fatalf("of a good picture: %q", got)
	}
	for want, change := range map[string]func(d *diagram){
		"the label of a to b: Lock is on the box b": func(d *diagram) { d.moves[0].label.x = 60 },
		"overlap": func(d *diagram) { d.moves[0].label.x = 200 },
		"the label of a to b: Lock is not in the picture": func(d *diagram) { d.moves[0].label.y = -120 },
		"the arrow from a to b is on the label of a to b": func(d *diagram) { d.moves[0].label.y = 10 },
		"the label of a to b: Lock and the title overlap": func(d *diagram) { d.moves[0].label = point{-140, -70} },
		"the arrow from a to c is in the box b":           func(d *diagram) { d.moves[1].from = "a" },
		"the boxes b and c overlap":                       func(d *diagram) { d.states[2].col = 1.2 },
		"the text of the box a has":                       func(d *diagram) { d.states[0].says = "much too wide for a box" },
		"the note: b":                                     func(d *diagram) { d.note = []string{"b"}; d.moves[0].label = point{-148, 90} },
	} {
		d := good
		d.states, d.moves = slices.Clone(good.states), slices.Clone(good.moves)
		change(&d)
		if got := d.layOut().faults(); !slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, want) }) {
			t.Errorf("want %q, got %q", want, got)
		}
	}
}
