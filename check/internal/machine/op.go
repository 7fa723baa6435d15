package machine

// An Op is the next step of a proc.
type Op struct {
	Kind   OpKind
	Object int32 // what it accesses, or -1
	Write  bool  // whether it may change that
	cas    bool  // whether it writes only if it finds expect
	Fence  bool  // whether it waits for the worker's store buffer to drain
	expect uint64
	More   []Seen // what else it reads
	timer  *worker
	cpu    int
}

// An OpKind is a kind of step, or of what a failure shows between steps.
type OpKind uint8

// The kinds of steps.
const (
	OpLoad OpKind = iota
	OpStore
	OpModify
	OpCompareAndSwap
	OpFlush
	OpWait
	OpYield
	OpSleep
	OpNow
	OpClock // the clock moves on
	OpAnnounce
	OpPark
	OpUnpark
	OpExpire
	OpCancel
	OpErr
	OpTimer
	OpStop
	OpPin
	OpUnpin
	OpFence
	OpMembarrier
	OpJoin
	OpRead  // of a Cell, which is not a step
	OpWrite // of a Cell, which is not a step
	OpIssue // of a store into the buffer, which is not a step
	OpChoose

	lastWordOp = OpFlush // up to here only the store buffer can keep an op from being possible
)

// A Search decides which proc takes each step, and which way each choice goes. The
// machine tells it what happens.
type Search interface {
	Begin()
	// Known returns the proc that takes the next step, if that does not depend on
	// which procs can.
	Known() (Proc, bool)
	// Pick chooses the next proc among enabled, which is not empty; self had the
	// last step. It returns false to abandon the execution.
	Pick(self Proc, enabled Procs) (Proc, bool)
	// Choose chooses one of n ways.
	Choose(self Proc, n int) int
	// Step says that p takes its step o.
	Step(p Proc, o *Op)
	// Changed says that the step changed its object.
	Changed()
	// Issue says that worker p put a store to an object in its buffer.
	Issue(p Proc, object int32)
	// Follow says that the next step of p comes after all steps of q so far.
	Follow(p, q Proc)
	// Keep and Recall are Follow in two parts: the next step of p comes after all
	// steps of q until it was kept under n.
	Keep(n int, q Proc)
	Recall(p Proc, n int)
}
