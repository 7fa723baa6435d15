package gate

import (
	"path"
	"regexp"

	"github.com/lockbench/lockbench/internal/wording"
)

// Names returns a short name for each of the benchmarks: in front of the name it has as
// much of the package as distinguishes it from the others, and nothing if there is only
// one package.
func Names(all []Benchmark) map[Benchmark]string {
	names := make(map[Benchmark]string)
	for _, b := range all {
		names[b] = ""
	}
	packages := make(map[string]string)
	for b := range names {
		packages[b.Pkg] = ""
	}
	count := make(map[string]int) // number of packages with this ending
	for pkg := range packages {
		for _, end := range ends(pkg) {
			count[end]++
		}
	}
	for pkg := range packages {
		for _, end := range ends(pkg) {
			if packages[pkg] = wording.Clean(end); count[end] == 1 {
				break
			}
		}
	}
	for b := range names {
		if b.Pkg == "" || len(packages) == 1 {
			names[b] = wording.Clean(b.Name)
		} else {
			names[b] = packages[b.Pkg] + "." + wording.Clean(b.Name)
		}
		if b.Name == "" { // the whole package
			names[b] = packages[b.Pkg]
		}
	}
	return names
}

// majorVersion matches the last element of a module's path from major version 2 on.
var majorVersion = regexp.MustCompile(`^v[0-9]+$`)

// ends returns what a package can be called: one element of its path, two, and
// so on. A major version is not a name.
func ends(pkg string) (all []string) {
	end := ""
	for rest := pkg; rest != "" && rest != "." && rest != "/"; rest = path.Dir(rest) {
		end = path.Join(path.Base(rest), end)
		if !majorVersion.MatchString(end) {
			all = append(all, end)
		}
	}
	return append(all, pkg)
}
