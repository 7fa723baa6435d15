package machine

import (
	"fmt"
	"slices"
	"strings"
)

// A Script has the decisions of an execution, in order: which proc took each step, and
// which way each choice went.
type Script []int8

// A proc is its number in a script, and way n of a choice is -1-n.
//
// In a token, worker 0 (the body) is a, worker 1 b and so on; their store
// buffers are A, B …; their alarms k, l …; and the ways of a choice 0, 1 … 9,
// or yn. for larger n; - means that there are no decisions. A decision that comes n
// times in a row, for large n, has xn. after it.
func (s Script) String() string {
	if len(s) == 0 {
		return "-"
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		d := s[i]
		n := 1
		for i+n < len(s) && s[i+n] == d {
			n++
		}
		switch {
		case d < -10:
			fmt.Fprintf(&b, "y%d.", -1-d)
		case d < 0:
			b.WriteByte('0' + byte(-1-d))
		case d%3 == 0:
			b.WriteByte('a' + byte(d/3))
		case d%3 == 1:
			b.WriteByte('A' + byte(d/3))
		default:
			b.WriteByte('k' + byte(d/3))
		}
		if n >= longRun {
			fmt.Fprintf(&b, "x%d.", n)
			i += n - 1
		}
	}
	return b.String()
}

// Limits of a token: what is a long run, and how long one may be.
const (
	longRun    = 8
	longestRun = 1 << 24
)

// ParseScript is the reverse of [Script.String].
func ParseScript(token string) (Script, error) {
	var s Script
	if token == "-" {
		return s, nil
	}
	for i := 0; i < len(token); i++ {
		switch c := token[i]; {
		case c >= 'a' && c < 'k':
			s = append(s, int8(c-'a')*3)
		case c >= 'A' && c < 'K':
			s = append(s, int8(c-'A')*3+1)
		case c >= 'k' && c < 'u':
			s = append(s, int8(c-'k')*3+2)
		case c >= '0' && c <= '9':
			s = append(s, -1-int8(c-'0'))
		case c == 'y':
			var n int8
			if _, err := fmt.Sscanf(token[i:], "y%d.", &n); err != nil || n < 0 {
				return nil, fmt.Errorf("check: replay token, character %d: want a choice as y12., have %q", i+1, token[i:])
			}
			s = append(s, -1-n)
			i += strings.IndexByte(token[i:], '.')
		case c == 'x' && len(s) > 0:
			var n int
			if _, err := fmt.Sscanf(token[i:], "x%d.", &n); err != nil || n < 1 || n > longestRun {
				return nil, fmt.Errorf("check: replay token, character %d: want how often as x8., have %q", i+1, token[i:])
			}
			s = append(s, slices.Repeat(s[len(s)-1:], n-1)...)
			i += strings.IndexByte(token[i:], '.')
		default:
			return nil, fmt.Errorf("check: replay token, character %d: want a letter of a worker or a choice, have %q", i+1, c)
		}
	}
	return s, nil
}
