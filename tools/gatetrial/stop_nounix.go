//go:build !unix

package main

import (
	"errors"
	"os"
)

// stop and goOn are not possible here.
func stop(*os.Process) error { return errors.ErrUnsupported }
func goOn(*os.Process) error { return errors.ErrUnsupported }
