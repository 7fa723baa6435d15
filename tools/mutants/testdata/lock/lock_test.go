package lock

import "testing"

func TestTaken(t *testing.T) {
	var l Lock
	for range 3 {
		l.Lock()
		l.Unlock()
	}
	if l.taken != 3 {
		t.Errorf("taken %d times, want 3", l.taken)
	}
}

func TestFill(t *testing.T) {
	var l Lock
	if l.Fill(3); l.taken != 3 {
		t.Errorf("taken %d times, want 3", l.taken)
	}
}

func TestUnlockOfUnlocked(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	new(Lock).Unlock()
}
