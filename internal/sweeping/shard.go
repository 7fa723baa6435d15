package sweeping

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
	"github.com/lockbench/lockbench/internal/wording"
	"github.com/lockbench/lockbench/results"
)

// A Shard is the flag that selects a part of a sweep.
type Shard struct {
	Shard string `placeholder:"I/N" help:"Measure only the I'th of N parts of the sweep, such as 1/3 on the first of three machines; auto/N is that of a job of Kubernetes or SLURM. Put their files together with lockbench merge."`
}

// Choose sets the part of a sweep.
func (s Shard) Choose(bad *commandline.Problems, sweep *harness.Sweep) {
	sweep.Shard, sweep.Shards = ParseShard(bad, s.Shard)
}

// ParseShard parses the value of a flag --shard: which part it is, from 1, of how many; 0
// of 0 if it is empty, or wrong.
func ParseShard(bad *commandline.Problems, text string) (index, of int) {
	if text == "" {
		return 0, 0
	}
	before, after, _ := strings.Cut(text, "/")
	n, err := strconv.Atoi(after)
	if err != nil || n < 1 {
		bad.Addf("--shard %s: want I/N, such as 1/3: the I'th of N parts", text)
		return 0, 0
	}
	if before == "auto" {
		i, err := jobIndex(n)
		if err != nil {
			bad.Addf("--shard %s: %w", text, err)
			return 0, 0
		}
		return i, n
	}
	i, err := strconv.Atoi(before)
	if err != nil || i < 1 || i > n {
		bad.Addf("--shard %s: want I/N, such as 1/3: the I'th of N parts", text)
		return 0, 0
	}
	return i, n
}

// jobIndex returns which of n jobs this is, from 1: as Kubernetes numbers the pods of an
// indexed job, or SLURM the tasks of an array.
func jobIndex(n int) (int, error) {
	const pod, task = "JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID"
	if text, ok := os.LookupEnv(pod); ok {
		i, err := strconv.Atoi(text)
		if err != nil || i < 0 || i >= n {
			return 0, fmt.Errorf("%s is %q, want 0 to %d", pod, text, n-1)
		}
		return i + 1, nil
	}
	text, ok := os.LookupEnv(task)
	if !ok {
		return 0, fmt.Errorf("neither %s nor %s says which one: want I/N", pod, task)
	}
	number := func(name string) int { // 1 if SLURM does not say
		v, err := strconv.Atoi(os.Getenv(name))
		if err != nil {
			return 1
		}
		return v
	}
	first, step := number("SLURM_ARRAY_TASK_MIN"), max(1, number("SLURM_ARRAY_TASK_STEP"))
	for i := range n {
		if strconv.Itoa(first+i*step) == text {
			return i + 1, nil
		}
	}
	steps := ""
	if step > 1 {
		steps = fmt.Sprintf(" in steps of %d", step)
	}
	return 0, fmt.Errorf("%s is %q, want %d to %d%s", task, text, first, first+(n-1)*step, steps)
}

// checkShards reports it if a sweep has more parts than situations, so that some would be
// empty.
func checkShards(bad *commandline.Problems, s harness.Sweep) {
	index, of := s.Shard, s.Shards
	s.Shard, s.Shards = 0, 0
	situations := make(map[results.Cell]bool)
	for _, c := range s.Scenarios() {
		situations[c.Cell().Scenario()] = true
	}
	if n := len(situations); of > n {
		bad.Addf("--shard %d/%d: there %s %s, each of which is measured in one part: want at most %s", index, of, wording.Is(n), wording.Count(n, "situation"), wording.Count(n, "part"))
	}
}

// NoteShard adds to facts which part of the sweep it is, if it is one.
func NoteShard(facts *results.Facts, s harness.Sweep) {
	if s.Shards == 0 {
		return
	}
	whole := s
	whole.Shard, whole.Shards = 0, 0
	facts.Notes = append(facts.Notes, results.Shard{Index: s.Shard, Of: s.Shards, Cells: len(s.Scenarios()), All: len(whole.Scenarios())}.Note())
}
