package commandline_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lockbench/lockbench/internal/commandline"
)

// Lines come at the pace of the meter, and what is said at once comes at once.
func TestMeter(t *testing.T) {
	for _, test := range []struct {
		pace commandline.Pace
		want string // the seconds of the lines
	}{
		{commandline.Pace{First: 2 * time.Second, Every: 5 * time.Second}, "2 7 12 17"},
		{commandline.Pace{First: 2 * time.Second, Every: 2 * time.Second, Doubles: true}, "2 4 8 16"},
		{commandline.Pace{First: 5 * time.Second, Every: 5 * time.Second, Lines: true}, "5 10 15 20"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			m := commandline.NewMeter(&out, "prog", test.pace)
			for second := range 21 {
				m.Show(func() string { return fmt.Sprint(second) })
				time.Sleep(time.Second) // in the bubble's time
			}
			if got := strings.Join(strings.Fields(strings.ReplaceAll(out.String(), "prog:", "")), " "); got != test.want {
				t.Errorf("%+v: lines after %s, want %s", test.pace, got, test.want)
			}
			out.Reset()
			m.Say("late")
			m.Clear()
			if got := out.String(); got != "prog: late\n" || m.InPlace() {
				t.Errorf("said %q, in place %t", got, m.InPlace())
			}
		})
	}
}
