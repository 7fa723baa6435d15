package machines

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Write writes the description as [Parse] reads it, the values in their order.
func (d *Description) Write(w io.Writer) error {
	var b strings.Builder
	m := &d.Machine
	fmt.Fprintf(&b, "name = %s\nabout = %s\n\n[cpus]\n", quote(m.Name), quote(d.About))
	fmt.Fprintf(&b, "threads = %d\ncores = %d\nclusters = %d\nsockets = %d\nhalves = %d\n", m.Threads, m.Cores, m.Clusters, m.Sockets, m.Halves)
	for _, v := range d.Values {
		unit := "ns"
		if strings.HasPrefix(v.Key, "share.") {
			unit = "of_1"
		}
		fmt.Fprintf(&b, "\n[%s]\n%s = %s\n", v.Key, unit, number(v.Value))
		if v.Source != "" {
			fmt.Fprintf(&b, "source = %s\n", quote(v.Source))
		} else {
			fmt.Fprintf(&b, "assumed = [%s, %s]\n", number(v.Assumed[0]), number(v.Assumed[1]))
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// quote returns s as a string of TOML on one line. TOML has other escapes than Go.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
