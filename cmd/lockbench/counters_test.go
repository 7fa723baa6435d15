package main

import (
	"errors"
	"testing"

	"github.com/lockbench/lockbench/harness"
)

func TestCounted(t *testing.T) {
	none, forbidden := errors.New("this machine has none"), errors.New("not permitted")
	for _, test := range []struct {
		all      []harness.Counter
		can, not string
	}{
		{nil, "", ""},
		{[]harness.Counter{{Unit: "a/op"}, {Unit: "b/op"}}, "a/op, b/op", ""},
		{[]harness.Counter{{Unit: "a/op", Err: none}, {Unit: "b/op", Err: forbidden}, {Unit: "c/op", Err: none}, {Unit: "d/op"}}, "d/op", "a/op, c/op: this machine has none; b/op: not permitted"},
	} {
		if can, not := counted(test.all); can != test.can || not != test.not {
			t.Errorf("%v: %q, %q, want %q, %q", test.all, can, not, test.can, test.not)
		}
	}
}
