//go:build !linux

package harness

import "errors"

const hasAffinity = false

func allowedCPUs() ([]int, error) { return nil, errors.ErrUnsupported }

func bind(int, []int) (restore func(), err error) { return nil, errors.ErrUnsupported }
