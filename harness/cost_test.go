package harness
import ("testing";"context")
func TestC(t *testing.T) { for range 8 { c, err := Cost(context.Background()); t.Log(c, err)} }
