package dispatch

import (
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Limits of requests.
const (
	// MaxRetries is the most times that a lost job can be submitted again.
	MaxRetries = 10
	// MaxIdempotencyKey is the longest idempotency key, in bytes.
	MaxIdempotencyKey = 256
	// MaxJobSize bounds the command and environment of a job together, in bytes.
	MaxJobSize = 512 << 10

	// maxName bounds the name of a worker and of a queue, in bytes.
	maxName = 255
	// maxReason bounds the reason of a pause, a stop or a cancellation, in bytes.
	maxReason = 4 << 10
)

// validateJob returns an error for the first field that is not acceptable.
func validateJob(job record.Job) error {
	if len(job.Command) == 0 || job.Command[0] == "" {
		return record.Invalid("command", "must name a program")
	}
	size := 0
	for _, arg := range job.Command {
		if strings.Contains(arg, "\x00") {
			return record.Invalid("command", "contains a zero byte, which no process can be given")
		}
		size += len(arg)
	}
	for name, value := range job.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return record.Invalid("env", "has a variable %q that no process can have", name)
		}
		size += len(name) + len(value)
	}
	switch {
	case size > MaxJobSize:
		return record.Invalid("command", "and env have %d bytes together, at most %d are possible", size, MaxJobSize)
	case job.Timeout < 0:
		return record.Invalid("timeout", "must not be negative")
	case job.RetriesLeft < 0 || job.RetriesLeft > MaxRetries:
		return record.Invalid("retries", "must be 0 to %d", MaxRetries)
	case len(job.IdempotencyKey) > MaxIdempotencyKey:
		return record.Invalid("idempotency_key", "must have at most %d bytes", MaxIdempotencyKey)
	}
	return validateQueue(job.Queue)
}

// validateWorker returns the queue that the worker's tags name, or an error for
// the first field that is not acceptable.
func validateWorker(w record.Worker) (queue string, err error) {
	if w.Name == "" || len(w.Name) > maxName {
		return "", record.Invalid("name", "must have 1 to %d bytes", maxName)
	}
	queue, named := wire.DefaultQueue, false
	for _, tag := range w.Tags {
		name, ok := strings.CutPrefix(tag, wire.QueueTag)
		if !ok {
			continue
		}
		if named {
			return "", record.Invalid("meta_data", "names more than one queue")
		}
		queue, named = name, true
	}
	return queue, validateQueue(queue)
}

// validateQueue accepts names that are easy to say and type: letters, digits and
// -_.:/ in ASCII.
func validateQueue(name string) error {
	if name == "" || len(name) > maxName {
		return record.Invalid("queue", "must have 1 to %d bytes", maxName)
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-_.:/", c) >= 0:
		default:
			return record.Invalid("queue", "is %q, but may have letters, digits and -_.:/ only", name)
		}
	}
	return nil
}

func validateReason(reason string, required bool) error {
	if required && strings.TrimSpace(reason) == "" {
		return record.Invalid("reason", "must say why")
	}
	if len(reason) > maxReason {
		return record.Invalid("reason", "must have at most %d bytes", maxReason)
	}
	return nil
}
