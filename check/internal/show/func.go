package show

import (
	"regexp"
	"strings"

	"github.com/lockbench/lockbench/check/internal/machine"
)

// shortFunc returns the name of a function without its package, and of a
// closure the name of the function that it is in: of path/ticket.(*Lock).wait,
// Lock.wait; of path/model.init.func2.TryLock.1, which is one that was inlined,
// TryLock.
func shortFunc(fn string) string {
	name := strings.TrimPrefix(fn, machine.PackageOf(fn)+".")
	name = strings.NewReplacer("(*", "", ")", "", "[...]", "").Replace(closure.ReplaceAllString(name, ""))
	parts := strings.Split(name, ".")
	if last := len(parts) - 1; last > 0 && (!strings.Contains(fn, "(*") || isClosure(parts[last-1])) {
		return parts[last]
	}
	return strings.Join(parts[max(0, len(parts)-2):], ".")
}

// closure is what the compiler adds to the name of a function that has a closure.
var closure = regexp.MustCompile(`(\.(func)?\d+|\.gowrap\d+|-range\d+)+$`)

func isClosure(part string) bool { return closure.MatchString("." + part) }
