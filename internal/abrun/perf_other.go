//go:build !linux

package abrun

import "errors"

func canCount() error { return errors.New("counting instructions: only Linux can") }
