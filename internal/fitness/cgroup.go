package fitness

import (
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
)

// A group is the directory of a control group that counts this process's CPU
// time.
type group struct {
	dir string
	v2  bool
}

// groups returns the control groups of this process and those above them, of
// version 1 and of version 2: a machine may have both.
func groups(system fs.FS) []group {
	var all []group
	for line := range strings.Lines(read(system, "proc/self/cgroup")) {
		// hierarchy:controllers:path
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		v2 := fields[0] == "0" && fields[1] == ""
		if !v2 && !slices.Contains(strings.Split(fields[1], ","), "cpu") {
			continue
		}
		root, mount, ok := hierarchy(system, v2)
		if !ok {
			continue
		}
		// A container may see the path from outside, while its mount has only the part
		// below the root.
		below, ok := strings.CutPrefix(fields[2], root)
		if !ok || !strings.HasPrefix(below, "/") {
			below = ""
		}
		top := strings.Trim(mount, "/")
		for dir := path.Join(top, below); ; dir = path.Dir(dir) {
			all = append(all, group{dir, v2})
			if len(dir) <= len(top) {
				break
			}
		}
	}
	return all
}

// hierarchy returns where the control groups of a version are mounted, and which group
// is the root of the mount.
func hierarchy(system fs.FS, v2 bool) (root, mount string, ok bool) {
	unescape := strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
	for line := range strings.Lines(read(system, "proc/self/mountinfo")) {
		// id parent device root mount options ... - type source options
		before, after, _ := strings.Cut(line, " - ")
		fields, types := strings.Fields(before), strings.Fields(after)
		if len(fields) < 6 || len(types) < 3 {
			continue
		}
		if v2 && types[0] == "cgroup2" ||
			!v2 && types[0] == "cgroup" && slices.Contains(strings.Split(types[2], ","), "cpu") {
			return strings.TrimSuffix(unescape.Replace(fields[3]), "/"), unescape.Replace(fields[4]), true
		}
	}
	return "", "", false
}

// entitlement returns how many CPUs this process's control groups let it use,
// and the smallest share of a busy CPU that one of them has, compared to the
// default. Each is NaN if there is none.
func entitlement(system fs.FS) (quota, weight float64) {
	quota, weight = math.NaN(), math.NaN()
	for _, g := range groups(system) {
		var q, w float64
		if g.v2 {
			limit, period, _ := strings.Cut(read(system, g.dir+"/cpu.max"), " ") // "max 100000" if there is none
			q = number(limit) / number(period)
			w = number(read(system, g.dir+"/cpu.weight")) / 100
		} else {
			q = number(read(system, g.dir+"/cpu.cfs_quota_us")) / number(read(system, g.dir+"/cpu.cfs_period_us")) // -1 if there is none
			w = number(read(system, g.dir+"/cpu.shares")) / 1024
		}
		if q > 0 && !(q >= quota) {
			quota = q
		}
		if !(w >= weight) && !math.IsNaN(w) {
			weight = w
		}
	}
	return quota, weight
}

// quotaPeriods returns how many periods the quotas of this process have had, and in how
// many of them they were used up. Without a quota both are 0.
func quotaPeriods(system fs.FS) (periods, stopped float64) {
	for _, g := range groups(system) {
		for line := range strings.Lines(read(system, g.dir+"/cpu.stat")) {
			switch key, value, _ := strings.Cut(strings.TrimSpace(line), " "); key {
			case "nr_periods":
				periods += number(value)
			case "nr_throttled":
				stopped += number(value)
			}
		}
	}
	return periods, stopped
}
