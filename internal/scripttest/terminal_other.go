//go:build !unix

package scripttest

import "errors"

// StartInTerminal always fails on this system.
func StartInTerminal(string, string, []string, string, ...string) (*Process, error) {
	return nil, errors.New("this system has no terminals to open")
}
