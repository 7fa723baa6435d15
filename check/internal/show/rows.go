package show

import "fmt"

// A row is one line of the table: a step, or several steps that are left out.
type row struct {
	step  int // the first
	steps int // 1, or how many are left out
	cycle int // how many of them repeat; 0 if they do not
}

// says says which steps are left out.
func (r *row) says() string {
	switch r.cycle {
	case 0:
		return fmt.Sprintf("%d steps", r.steps)
	case 1:
		return fmt.Sprintf("%d steps, the same again and again", r.steps)
	default:
		return fmt.Sprintf("%d steps, the same %d again and again", r.steps, r.cycle)
	}
}

const (
	longestCycle = 64
	mostRows     = 240
)

// rows returns the rows of the table. Steps that workers repeat are shown three
// times; the third time are the last ones.
func (f *Schedule) rows() []row {
	var rows []row
	for i := 0; i < len(f.Steps); {
		n, times := f.cycle(i)
		if times <= 4 {
			rows = append(rows, row{step: i, steps: 1})
			i++
			continue
		}
		for range 2 * n {
			rows = append(rows, row{step: i, steps: 1})
			i++
		}
		rows = append(rows, row{step: i, steps: (times - 3) * n, cycle: n})
		i += (times - 3) * n
		for range n {
			rows = append(rows, row{step: i, steps: 1})
			i++
		}
	}
	if out := len(rows) - mostRows; out > 0 {
		first, last := rows[mostRows/2], rows[mostRows/2+out]
		rows[mostRows/2] = row{step: first.step, steps: last.step - first.step}
		rows = append(rows[:mostRows/2+1], rows[mostRows/2+out:]...)
	}
	return rows
}

// cycle returns how many steps are repeated from step i on, and how often.
func (f *Schedule) cycle(i int) (n, times int) {
	for n = 1; n <= longestCycle && i+2*n <= len(f.Steps); n++ {
		same := 0
		for j := i + n; j < len(f.Steps) && f.Steps[j].like(&f.Steps[j-n]); j++ {
			same++
		}
		if times = 1 + same/n; times > 4 {
			return n, times
		}
	}
	return 0, 0
}

// like reports whether two steps are the same, except for the values.
func (s *Step) like(t *Step) bool {
	return s.Worker == t.Worker && s.By == t.By && s.Op == t.Op && s.Object == t.Object && s.At.Line == t.At.Line &&
		s.At.File == t.At.File && s.Failed == t.Failed
}

// acting returns the workers that have steps, the body last, because its steps
// seldom matter.
func (f *Schedule) acting() []int {
	has := make([]bool, len(f.Workers))
	for i := range f.Steps {
		has[f.Steps[i].Worker] = true
	}
	var all []int
	for i := range has {
		if w := (i + 1) % len(has); has[w] {
			all = append(all, w)
		}
	}
	return all
}
