package m

import "testing"

func answers(t *testing.T) { t.Log(Answer()) }
