package show

import "testing"

func TestShortFunc(t *testing.T) {
	for fn, want := range map[string]string{
		"example.org/a.b/ticket.(*Lock).wait":          "Lock.wait",
		"example.org/ticket.Lock.String":               "String", // as if inlined
		"example.org/ticket.(*Lock).wait.func1.2":      "Lock.wait",
		"example.org/mcs.(*Queue[...]).Lock":           "Queue.Lock",
		"example.org/model.section":                    "section",
		"example.org/model_test.TestLock.func1":        "TestLock",
		"example.org/model.init.func2.TryLock.1":       "TryLock",
		"main.init.func2.with[...].TryLock.func1.1":    "TryLock",
		"example.org/check.TestX.gowrap1":              "TestX",
		"example.org/check.(*T).All.func1-range2":      "T.All",
		"example.org/check.TestX.(*T).All.func1":       "T.All",
		"example.org/check.TestX.func1.(*T).All.func1": "T.All",
	} {
		if got := shortFunc(fn); got != want {
			t.Errorf("%s: got %q, want %q", fn, got, want)
		}
	}
}
