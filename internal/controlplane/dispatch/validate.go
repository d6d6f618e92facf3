package dispatch

import (
	"fmt"
	"strings"
)

const (
	// maxName bounds the name of a worker and of a queue, in bytes.
	maxName = 255
	// maxReason bounds what people say about a pause, a stop or a cancellation.
	maxReason = 4 << 10
)

// validate names the first field that is not acceptable.
func (s Submission) validate() error {
	if err := checkCommand(s.Command); err != nil {
		return err
	}
	size := 0
	for _, arg := range s.Command {
		size += len(arg)
	}
	for name, value := range s.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return &InvalidError{"env", fmt.Sprintf("has a variable %q that no process can have", name)}
		}
		size += len(name) + len(value)
	}
	switch {
	case size > MaxJobSize:
		return &InvalidError{"command", fmt.Sprintf("and env have %d bytes together, at most %d are possible", size, MaxJobSize)}
	case s.Timeout < 0:
		return &InvalidError{"timeout", "must not be negative"}
	case s.Retries < 0 || s.Retries > MaxRetries:
		return &InvalidError{"retries", fmt.Sprintf("must be 0 to %d", MaxRetries)}
	case len(s.IdempotencyKey) > MaxIdempotencyKey:
		return &InvalidError{"idempotency_key", fmt.Sprintf("must have at most %d bytes", MaxIdempotencyKey)}
	}
	return checkQueue(s.Queue)
}

func checkCommand(command []string) error {
	if len(command) == 0 || command[0] == "" {
		return &InvalidError{"command", "must name a program"}
	}
	for _, arg := range command {
		if strings.Contains(arg, "\x00") {
			return &InvalidError{"command", "contains a zero byte, which no process can be given"}
		}
	}
	return nil
}

// checkQueue accepts names that people can say and type: letters, digits and
// -_.:/ in ASCII.
func checkQueue(name string) error {
	if name == "" || len(name) > maxName {
		return &InvalidError{"queue", fmt.Sprintf("must have 1 to %d bytes", maxName)}
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.:/", c) >= 0:
		default:
			return &InvalidError{"queue", fmt.Sprintf("is %q, but may have letters, digits and -_.:/ only", name)}
		}
	}
	return nil
}

func checkReason(reason string, required bool) error {
	if required && strings.TrimSpace(reason) == "" {
		return &InvalidError{"reason", "must say why"}
	}
	if len(reason) > maxReason {
		return &InvalidError{"reason", fmt.Sprintf("must have at most %d bytes", maxReason)}
	}
	return nil
}

// size is the size of the page, once that was checked.
func (p Page) size() (int, error) {
	switch {
	case p.Size == 0:
		return DefaultPageSize, nil
	case p.Size < 0 || p.Size > MaxPageSize:
		return 0, &InvalidError{"page_size", fmt.Sprintf("is %d, must be 1 to %d", p.Size, MaxPageSize)}
	}
	return p.Size, nil
}
