package process

import (
	"os"
	"sync"
)

// devNull is the standard input of programs without a terminal. All share one description:
// nothing is read from it, so that it has no state that one program could change for
// another. If it cannot be opened, os/exec tries again, and returns the error.
var devNull = sync.OnceValue(func() *os.File { //nolint:gochecknoglobals // opened once, never written
	null, err := os.Open(os.DevNull)
	if err != nil {
		return nil
	}
	return null
})
