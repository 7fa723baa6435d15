package sweeping

import (
	"os"
	"strconv"
	"strings"

	"github.com/lockbench/lockbench/harness"
	"github.com/lockbench/lockbench/internal/commandline"
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
	i, err2 := strconv.Atoi(before)
	if before == "auto" {
		if i, err2 = jobIndex(); err2 != nil {
			bad.Addf("--shard %s: neither JOB_COMPLETION_INDEX nor SLURM_ARRAY_TASK_ID says which one: want I/N", text)
			return 0, 0
		}
	}
	if err != nil || err2 != nil || i < 1 || i > n {
		bad.Addf("--shard %s: want I/N, such as 1/3: the I'th of N parts", text)
		return 0, 0
	}
	return i, n
}

// jobIndex returns which of several jobs this is, from 1: as Kubernetes numbers the pods of
// an indexed job, or SLURM the tasks of an array.
func jobIndex() (int, error) {
	if text, ok := os.LookupEnv("JOB_COMPLETION_INDEX"); ok {
		i, err := strconv.Atoi(text)
		return i + 1, err
	}
	i, err := strconv.Atoi(os.Getenv("SLURM_ARRAY_TASK_ID"))
	if err != nil {
		return 0, err
	}
	first, err := strconv.Atoi(os.Getenv("SLURM_ARRAY_TASK_MIN"))
	if err != nil {
		first = 1
	}
	return i - first + 1, nil
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
