package api

import (
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Bounds that apply to messages only. The dispatcher checks everything else.
const (
	maxIDBytes = 256
	// maxTimeout is far below the range of a time.Duration.
	maxTimeout = 365 * 24 * time.Hour
)

func submissionOf(req *switchyardv1.SubmitJobRequest) (record.Job, error) {
	// A shell on the worker exec's the command, and some shells would read a first
	// word with a dash as an option of exec.
	if command := req.GetCommand(); len(command) > 0 && strings.HasPrefix(command[0], "-") {
		return record.Job{}, invalid("command", "must begin with a program whose name does not begin with a dash")
	}
	timeout, err := timeoutOf(req)
	if err != nil {
		return record.Job{}, err
	}
	return record.Job{
		Command: req.GetCommand(), Env: req.GetEnv(), Queue: req.GetQueue(), Priority: req.GetPriority(),
		Timeout: timeout, IdempotencyKey: req.GetIdempotencyKey(),
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

func checkID(id string) error {
	if id == "" {
		return invalid("id", "must not be empty")
	}
	if len(id) > maxIDBytes {
		return invalid("id", "must have at most %d bytes, not %d", maxIDBytes, len(id))
	}
	return nil
}
