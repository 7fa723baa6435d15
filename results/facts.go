package results

import (
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/klauspost/cpuid/v2"
)

// Facts say on which machine and in which run a file was measured.
//
// The first four are the file's configuration: benchstat compares only results that
// agree on them. A fact that may differ between two files worth comparing is a note.
type Facts struct {
	GOOS    string // goos: operating system, as go test prints it
	GOARCH  string // goarch: architecture, as go test prints it
	CPU     string // cpu: model, as go test prints it; "" if unknown
	Machine string // machine: "host", or "sim:" and the name of a simulated one

	// Notes are comment lines: date, versions, settings.
	Notes []Note
}

// A Note is a fact for people to read: the line "# key: text" of a file.
type Note struct {
	Key  string // without a colon, such as "date"
	Text string // without a newline
}

// Host returns the facts of this machine and this process: the date, its number, the
// versions of Go, kernel and program, how many CPUs there are, GOMAXPROCS, and the
// frequency governor, each if it is known.
func Host() Facts {
	f := Facts{
		GOOS:    runtime.GOOS,
		GOARCH:  runtime.GOARCH,
		CPU:     strings.TrimSpace(cpuName()),
		Machine: "host",
	}
	f.Note("date", time.Now().UTC().Format(time.RFC3339))
	f.Note("process", strconv.Itoa(os.Getpid()))
	f.Note("go", runtime.Version())
	f.Note("commit", commit())
	f.Note("kernel", kernel())
	f.Note("cpus", strconv.Itoa(runtime.NumCPU()))
	f.Note("gomaxprocs", strconv.Itoa(runtime.GOMAXPROCS(0)))
	f.Note("governor", governor())
	return f
}

// Simulated returns the facts of a simulated machine. They have the commit of this program,
// but nothing of the host or of the time, on which the samples do not depend.
func Simulated(name string) Facts {
	f := Facts{Machine: "sim:" + name}
	f.Note("commit", commit())
	return f
}

// Simulated returns the name of the machine if it is a simulated one, else "".
func (f Facts) Simulated() (name string, ok bool) {
	if name, ok = strings.CutPrefix(f.Machine, "sim:"); !ok {
		return "", false
	}
	return name, true
}

// cpuName returns the name of the first CPU: on x86 the CPU's own, as in go test, since
// a kernel or hypervisor may report another one.
func cpuName() string {
	if name := cpuid.CPU.BrandName; name != "" && name != "unknown" {
		return name
	}
	return cpuModel()
}

// Note adds a note. It does nothing if text is empty.
func (f *Facts) Note(key, text string) {
	if text != "" {
		f.Notes = append(f.Notes, Note{key, text})
	}
}

// Noted returns the text of the last note with that key, "" if there is none.
func (f *Facts) Noted(key string) (text string) {
	for _, n := range f.Notes {
		if n.Key == key {
			text = n.Text
		}
	}
	return text
}

// Validate reports everything that keeps f from being written to a file and
// read back the same.
func (f Facts) Validate() error {
	var wrong problems
	if f.Machine == "" {
		wrong.add(`no machine: must be "host" or a simulated one`)
	}
	for _, c := range f.config() {
		if !isText(c.Value) {
			wrong.add("%s %q: must be one line of printable text", c.Key, c.Value)
		}
	}
	for _, n := range f.Notes {
		if !isKey(n.Key) {
			wrong.add("note %q: must be a lower-case word", n.Key)
		}
		if n.Text == "" || !isText(n.Text) {
			wrong.add("note %s %q: must be one line of printable text", n.Key, n.Text)
		}
	}
	return wrong.err()
}

// config returns the configuration keys of a file in order, with their values.
func (f Facts) config() []config {
	return []config{
		{"goos", f.GOOS},
		{"goarch", f.GOARCH},
		{"cpu", f.CPU},
		{"machine", f.Machine},
	}
}

// A config is a line of configuration, which holds for the benchmarks below
// it. An empty value deletes the key.
type config struct{ Key, Value string }

func (c config) String() string {
	if c.Value == "" {
		return c.Key + ":"
	}
	return c.Key + ": " + c.Value
}

// isText reports whether s can be written and read back in a line "key: s".
func isText(s string) bool {
	return strings.TrimSpace(s) == s && !strings.ContainsFunc(s, func(r rune) bool {
		return r == unicode.ReplacementChar || !unicode.IsPrint(r)
	})
}

// isKey reports whether s is a valid key of the benchmark format, other than round,
// build and fork, which have a meaning of their own.
func isKey(s string) bool {
	return s != "" && s != "round" && s != "build" && s != "fork" && !strings.ContainsFunc(s, func(r rune) bool {
		return r != '-' && !unicode.IsLower(r) && !unicode.IsDigit(r)
	})
}

// commit returns the revision that this program was built from, if the go
// command recorded it.
func commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	var revision, modified string
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			revision = s.Value
		case "vcs.modified":
			if s.Value == "true" {
				modified = " (modified)"
			}
		}
	}
	if revision == "" {
		return ""
	}
	return revision + modified
}

// firstLine returns the first line of a file, or "" if there is none.
func firstLine(name string) string {
	data, err := os.ReadFile(name)
	if err != nil {
		return "" // not all machines have it
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return strings.TrimSpace(line)
}
