//go:build !linux

package harness

import "errors"

const hasAffinity = false

func bind(int) (restore func(), err error) { return nil, errors.ErrUnsupported }
