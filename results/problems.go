package results

import (
	"errors"
	"fmt"
	"strings"
)

// problems collects the errors of one value, to report them in one line.
type problems []string

func (p *problems) add(format string, args ...any) {
	*p = append(*p, fmt.Sprintf(format, args...))
}

func (p problems) err() error {
	if len(p) == 0 {
		return nil
	}
	return errors.New(strings.Join(p, "; "))
}
