package machine

import (
	"slices"
	"testing"
)

// A token decodes to the script that it was made from.
func TestTokenRoundTrip(t *testing.T) {
	for _, s := range []Script{
		nil, {0}, {-1, -10, -11, -128}, {0, 3, 4, 5, 27, 28, 29},
		slices.Repeat(Script{3}, 7), slices.Repeat(Script{3}, 8), append(slices.Repeat(Script{3}, 1000), -3, -12, -12),
		append(slices.Repeat(Script{-12}, 9), 6),
	} {
		got, err := ParseScript(s.String())
		if err != nil || !slices.Equal(got, s) {
			t.Errorf("%v is the token %s, which is %v, %v", []int8(s), s, []int8(got), err)
		}
	}
}
