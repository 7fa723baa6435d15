package plots_test

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/lockbench/lockbench/results"
)

// A model is a lock of the synthetic machine.
type model struct {
	name  string
	free  float64 // ns of an operation without contention
	hand  float64 // ns of a handover between near CPUs
	slope float64 // growth of the handover with each additional CPU
	fifo  bool
	parks bool
	read  float64 // readers that run in parallel: 0 none, 1 all
}

// models has 25 locks with the behaviour of real ones, and the empty lock.
var models = []model{
	{"none", 2.9, 0, 0, false, false, 1},
	{"tas", 6.4, 14, .30, false, false, 0},
	{"tas-pinned", 6.9, 14, .30, false, false, 0},
	{"ttas", 6.5, 12, .16, false, false, 0},
	{"ttas-pinned", 7.0, 12, .16, false, false, 0},
	{"backoff", 6.6, 9, .01, false, false, 0},
	{"backoff-pinned", 7.1, 9, .01, false, false, 0},
	{"ticket", 7.2, 21, .25, true, false, 0},
	{"ticket-pb", 7.3, 20, .08, true, false, 0},
	{"ticket-pinned", 7.9, 21, .25, true, false, 0},
	{"mcs", 11.9, 24, .004, true, true, 0},
	{"mcs-pinned", 12.3, 24, .004, true, false, 0},
	{"clh", 7.9, 22, .005, true, true, 0},
	{"clh-pinned", 8.3, 22, .005, true, false, 0},
	{"qspinlock", 7.0, 13, .006, true, true, 0},
	{"qspinlock-pinned", 7.4, 13, .006, true, false, 0},
	{"sync.Mutex", 10.7, 46, .02, false, true, 0},
	{"sync.RWMutex", 23.1, 52, .03, false, true, .35},
	{"channel", 42.0, 130, .02, true, true, 0},
	{"semaphore", 26.1, 246, .03, true, true, 0},
	{"xsync.RBMutex", 27.5, 60, .03, false, true, .97},
	{"rwlock-reader-pref", 9.2, 22, .12, false, false, .45},
	{"rwlock-queued", 10.4, 24, .03, true, false, .42},
	{"rwlock-phase-fair", 11.8, 27, .03, true, false, .44},
	{"rwlock-distributed", 8.8, 70, .35, true, false, .995},
	{"seqlock", 8.0, 16, .12, false, false, .999},
}

// throughput returns operations per second of a cell.
func (m model) throughput(c results.Cell, d results.Distance, machine int) float64 {
	n := float64(min(c.CPUs, c.Workers))
	think := float64(c.Think.Nanoseconds()) * 1.02
	hold := float64(c.Hold.Nanoseconds())
	alone := n * 1e9 / (m.free + think + hold)
	if m.name == "none" || n == 1 && c.Workers == 1 {
		return alone
	}
	hand := m.hand * (1 + m.slope*(n-2))
	if d == results.Far {
		hand *= 5
		if m.slope < .02 && !m.fifo {
			hand /= 3
		}
	}
	if n == 1 {
		hand = m.free
	}
	w := 1 - float64(c.Reads)/100
	serial := hand + hold + m.free
	serial = serial*w + serial*(1-w)*(1-m.read)
	limit := 1e9 / max(serial, .01)
	t := math.Pow(math.Pow(alone, -3)+math.Pow(limit, -3), -1./3)
	if c.CPUs > machine || c.Workers > c.CPUs { // oversubscribed
		switch {
		case m.fifo && !m.parks && c.Mode != "pinned":
			t /= 30
		case m.parks:
			t /= 1.4
		}
	}
	return t
}

// samples runs the synthetic machine: all locks over the product of the axes, n samples
// per cell.
func samples(seed uint64, machine, n int, cpus, perCPU, reads []int, distances []results.Distance, latency bool) []results.Sample {
	rnd := rand.New(rand.NewPCG(seed, 1))
	noise := func(sigma float64) float64 { return math.Exp(rnd.NormFloat64() * sigma) }
	var out []results.Sample
	for _, m := range models {
		for _, cpu := range cpus {
			for _, per := range perCPU {
				for _, read := range reads {
					c := results.Cell{Lock: m.name, Reads: read, Workers: per * cpu, Think: 100 * time.Nanosecond, CPUs: cpu}
					for i := range n {
						d := results.Local
						if cpu > 1 {
							d = distances[(i+rnd.IntN(2))%len(distances)]
						}
						out = append(out, sample(m, c, d, machine, latency, noise))
					}
				}
			}
		}
	}
	return out
}

func sample(m model, c results.Cell, d results.Distance, machine int, latency bool, noise func(float64) float64) results.Sample {
	t := m.throughput(c, d, machine) * noise(.03)
	s := results.Sample{Cell: c, Round: 1, Distance: d, Oversubscribed: c.CPUs > machine, Ops: int(t / 300)}
	add := func(unit string, v float64) { s.Values = append(s.Values, results.Value{Unit: unit, Value: v}) }
	add("ns/op", 1e9/t)
	add("ops/s", t)
	if c.Workers > 1 {
		unfair := .02
		if !m.fifo {
			unfair = .35 * noise(.4) * (1 + m.slope*4)
		}
		add("jain", 1/(1+unfair*unfair))
		add("share-min-max", max(0, 1-2*unfair*noise(.05)))
	}
	if latency {
		p50 := m.free*.6 + float64(c.Workers-1)*m.hand*.5
		spread := 3.0
		if !m.fifo {
			spread = 14
		}
		if m.parks {
			spread = 60
		}
		for _, role := range []struct {
			unit   string
			share  int
			factor float64
		}{{"read-", c.Reads, 1 - .9*m.read}, {"write-", 100 - c.Reads, 1 + 8*m.read*float64(c.Reads)/100}} {
			if role.share == 0 {
				continue
			}
			p := p50 * role.factor
			add(role.unit+"p50-ns", p*noise(.05))
			add(role.unit+"p99-ns", p*spread*noise(.1))
			add(role.unit+"p999-ns", p*spread*4*noise(.2))
			add(role.unit+"max-ns", p*spread*40*noise(.5)+9000)
		}
	}
	return s
}

var facts = results.Facts{
	GOOS: "linux", GOARCH: "amd64", CPU: "AMD EPYC", Machine: "host",
	Notes: []results.Note{{Key: "go", Text: "go1.26.8"}, {Key: "cpus", Text: "2"}},
}

var bigFacts = results.Facts{
	GOOS: "linux", GOARCH: "amd64", CPU: "AMD EPYC 9654 96-Core Processor", Machine: "host",
	Notes: []results.Note{{Key: "go", Text: "go1.26.8"}, {Key: "cpus", Text: "96"}},
}

// small returns what the default run on two CPUs gives: near, far and mixed.
func small() []results.Summary {
	return results.Summarize(samples(7, 2, 24, []int{1, 2}, []int{1}, []int{0, 50, 90, 99, 100},
		[]results.Distance{results.Near, results.Near, results.Far, results.Far, results.Mixed}, true))
}

// big returns a sweep to 128 CPUs on a machine with 96.
func big() []results.Summary {
	return results.Summarize(samples(8, 96, 10, []int{1, 2, 4, 8, 16, 32, 64, 96, 128}, []int{1}, []int{0, 90},
		[]results.Distance{results.Near}, true))
}
