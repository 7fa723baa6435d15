package harness_test

import (
	"context"
	"fmt"
	"log"
	"sync"

	"github.com/lockbench/lockbench/harness"
)

// Of two bursts in the window, or fewer on a busy machine, every operation is recorded.
func ExampleTimeline() {
	_, err := harness.Run(context.Background(), harness.Scenario{
		Subject: harness.Subject{Name: "mine", New: func() sync.Locker { return new(MyLock) }},
		CPUs:    1,
		Workers: 1,
		Trace: func(t harness.Timeline) {
			fmt.Println(t.Kind, len(t.Bursts) <= 2)
			inOrder := true
			for _, burst := range t.Bursts {
				for _, use := range burst.Uses {
					inOrder = inOrder && burst.From <= use.Called && use.Called <= use.Acquired && use.Acquired <= use.Releases
				}
			}
			fmt.Println(inOrder)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// exclusive true
	// true
}
