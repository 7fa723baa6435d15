//go:build !linux

package measure

import "errors"

func canCount() error { return errors.New("counting instructions: only Linux can") }
