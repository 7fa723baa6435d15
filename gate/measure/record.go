package measure

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lockbench/lockbench/gate"
	"github.com/lockbench/lockbench/results"
)

// A recording is a file of each side, in the Go benchmark format:
//
//	goos: linux
//	goarch: amd64
//	cpu: AMD EPYC
//	machine: host
//	# date: 2026-11-21T22:08:00Z
//	# side: head
//	# commit: 4d3c...
//	Unit ns/op assume=nothing better=lower
//	pkg: example.com/sum
//	# round: 1
//	# build: 3
//	distance: local
//	BenchmarkSum/n=10	49176	61.0 ns/op	0 B/op	0 allocs/op
//
// Each reading is written in one Write call of whole lines, so the files are valid even
// if the program is killed.
type recording struct {
	files [2]*os.File
	last  [2]above
}

// above is what the lines above a benchmark line say about it.
type above struct {
	pkg      string
	round    int
	build    int
	distance results.Distance
}

// recorded are the names of the files.
var recorded = [2]string{"base.txt", "head.txt"}

// MayRecord returns an error if dir has a recording already; see [Config] and
// [Simulated.Files].
func MayRecord(dir string) error {
	entries, _ := os.ReadDir(dir) // it need not exist
	for _, e := range entries {
		side, ofText := strings.CutSuffix(e.Name(), ".txt")
		if side, _, _ = strings.Cut(side, "-"); ofText && (side == "base" || side == "head") {
			return fmt.Errorf("%s: there is a recording already", filepath.Join(dir, e.Name()))
		}
	}
	return nil
}

// newRecording begins the files, or returns nil if there is no recording.
func (s *Source) newRecording() (_ *recording, err error) {
	if s.c.Record == "" {
		return nil, nil
	}
	if err := os.MkdirAll(s.c.Record, 0o777); err != nil {
		return nil, err
	}
	r := new(recording)
	// The session says that rounds with the same number in both files are one round.
	session := fmt.Sprintf("%s %d", time.Now().UTC().Format(time.RFC3339Nano), os.Getpid())
	for i, name := range recorded {
		name = filepath.Join(s.c.Record, name)
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o666)
		if err == nil {
			r.files[i] = f
			_, err = f.Write(s.header(sides[i], session))
		}
		if err != nil {
			return nil, errors.Join(err, r.close())
		}
	}
	return r, nil
}

func (s *Source) header(side gate.Side, session string) []byte {
	var b bytes.Buffer
	host := results.Host()
	for _, kv := range [][2]string{{"goos", host.GOOS}, {"goarch", host.GOARCH}, {"cpu", host.CPU}, {"machine", host.Machine}} {
		if kv[1] != "" {
			fmt.Fprintf(&b, "%s: %s\n", kv[0], kv[1])
		}
	}
	t := s.trees[which(side)]
	for _, n := range host.Notes {
		switch n.Key {
		case "go": // the one that built the benchmarks, not this program
			n.Text = t.goVers
		case "commit":
			continue
		}
		fmt.Fprintf(&b, "# %s: %s\n", n.Key, n.Text)
	}
	base, head := s.Sides()
	fmt.Fprintf(&b, "# side: %v\n# of: %s\n", side, []string{base, head}[which(side)])
	if t.commit != "" {
		fmt.Fprintf(&b, "# commit: %s\n", t.commit)
	}
	if s.counted != "" {
		fmt.Fprintf(&b, "# %s: %s\n", gate.InstructionsNote, s.counted)
	}
	fmt.Fprintf(&b, "# seed: %d\n# session: %s\n", s.c.Seed, session)

	better := map[string]int{"MB/s": results.Better("MB/s")}
	for _, u := range results.Units() {
		better[u.Name] = u.Better
	}
	maps.Copy(better, s.units)
	for _, unit := range slices.Sorted(maps.Keys(better)) {
		b.WriteString(results.Declare(unit, better[unit]))
	}
	return b.Bytes()
}

// write records a round; iterations is how many each side ran.
func (r *recording) write(round *gate.Round, iterations [2]int) error {
	if r == nil {
		return nil
	}
	for i, f := range r.files {
		reading := round.Readings[sides[i]]
		if reading == nil || len(reading.Values) == 0 {
			continue
		}
		last, now := r.last[i], above{round.Pkg, round.Number, reading.Build, round.Distance}
		var b bytes.Buffer
		if now.pkg != last.pkg {
			fmt.Fprintf(&b, "pkg: %s\n", now.pkg)
		}
		if now.round != last.round {
			fmt.Fprintf(&b, "# round: %d\n", now.round)
		}
		if now.build != last.build {
			fmt.Fprintf(&b, "# build: %d\n", now.build)
		}
		if now.distance != last.distance {
			if now.distance == results.Unknown {
				b.WriteString("distance:\n")
			} else {
				fmt.Fprintf(&b, "distance: %s\n", now.distance)
			}
		}
		fmt.Fprintf(&b, "Benchmark%s\t%d", round.Name, iterations[i])
		for _, v := range reading.Values {
			fmt.Fprintf(&b, "\t%s %s", strconv.FormatFloat(v.Value, 'f', -1, 64), v.Unit)
		}
		b.WriteByte('\n')
		if _, err := f.Write(b.Bytes()); err != nil {
			return err
		}
		r.last[i] = now
	}
	return nil
}

func (r *recording) close() error {
	if r == nil {
		return nil
	}
	var err error
	for _, f := range r.files {
		if f != nil {
			err = errors.Join(err, f.Close())
		}
	}
	return err
}
