package api

import (
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Bounds that apply to messages only. The dispatcher checks everything else.
const (
	maxIDBytes = 256
	// maxTimeout is far below the range of a time.Duration.
	maxTimeout = 365 * 24 * time.Hour
	// maxString is the longest argument or variable that a process can have on Linux,
	// in bytes: 128 KiB with the zero byte at its end. An agent passes a command as one
	// argument of a shell, and as one variable.
	maxString = 128<<10 - 1
	// commandOverhead is what stands in front of a command in that variable.
	commandOverhead = len(wire.EnvCommand + "=exec ")
)

// checkStrings refuses a command or a variable that no process on Linux can be given: an
// agent would only find that out when it starts the job.
func checkStrings(command []string, env map[string]string) error {
	const tooLong = "can be passed to a process on Linux; pass long data in files, or in several variables"
	total := len(shellescape.QuoteCommand(command)) + commandOverhead
	if total > maxString {
		return invalid("command", "has %d bytes as a line of shell, and at most %d "+tooLong, total-commandOverhead, maxString-commandOverhead)
	}
	for name, value := range env {
		if n := len(name) + len("=") + len(value); n > maxString {
			return invalid("env", "has %q with %d bytes, and at most %d "+tooLong, name, n, maxString)
		}
	}
	return nil
}

func submissionOf(req *switchyardv1.SubmitJobRequest) (record.Job, error) {
	// A shell on the worker exec's the command, and some shells would read a first
	// word with a dash as an option of exec.
	if command := req.GetCommand(); len(command) > 0 && strings.HasPrefix(command[0], "-") {
		return record.Job{}, invalid("command", "must begin with a program whose name does not begin with a dash")
	}
	if err := checkStrings(req.GetCommand(), req.GetEnv()); err != nil {
		return record.Job{}, err
	}
	timeout, err := timeoutOf(req)
	if err != nil {
		return record.Job{}, err
	}
	limits, err := limitsOf(req.GetLimits())
	if err != nil {
		return record.Job{}, err
	}
	return record.Job{
		Command: req.GetCommand(), Env: req.GetEnv(), Queue: req.GetQueue(), Tags: req.GetTags(), Priority: req.GetPriority(),
		Timeout: timeout, Limits: limits, IdempotencyKey: req.GetIdempotencyKey(),
		Job: lifecycle.Job{RetriesLeft: int(req.GetRetries())},
	}, nil
}

func timeoutOf(req *switchyardv1.SubmitJobRequest) (time.Duration, error) {
	if req.GetTimeout() == nil {
		return 0, nil
	}
	timeout := req.GetTimeout().AsDuration()
	if req.GetTimeout().CheckValid() != nil || timeout < 0 || timeout > maxTimeout {
		return 0, invalid("timeout", "must be from 0 (no limit) to %v", maxTimeout)
	}
	return timeout, nil
}

// limitsOf returns the limits of a request. The dispatcher checks their other bounds.
func limitsOf(limits *switchyardv1.Limits) (wire.Limits, error) {
	if limits.GetMemory() > wire.MaxMemoryLimit {
		return wire.Limits{}, invalid("limits", "must have a memory of at most %d bytes", int64(wire.MaxMemoryLimit))
	}
	return wire.Limits{Memory: int64(limits.GetMemory()), CPUs: limits.GetCpus(), PIDs: int(limits.GetPids())}, nil //nolint:gosec // bounded
}

func checkID(id string) error {
	if id == "" {
		return invalid("id", "must not be empty")
	}
	if len(id) > maxIDBytes {
		return invalid("id", "must have at most %d bytes, not %d", maxIDBytes, len(id))
	}
	return nil
}
