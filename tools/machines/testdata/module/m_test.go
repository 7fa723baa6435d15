package m

import "testing"

func TestAnswer(t *testing.T) { answers(t) }
