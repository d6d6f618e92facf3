package api

import (
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// What is checked here is what only this side knows of: how a request may be
// spelled. What it may ask for is checked by the dispatcher.
const (
	maxIDBytes = 256
	// maxTimeout keeps a timeout far from the end of what a Duration can count.
	maxTimeout = 365 * 24 * time.Hour
)

func submissionOf(req *switchyardv1.SubmitJobRequest) (dispatch.Submission, error) {
	// The command is exec'ed by a shell on the worker, and not every shell can be
	// kept from taking a dash for an option.
	if command := req.GetCommand(); len(command) > 0 && strings.HasPrefix(command[0], "-") {
		return dispatch.Submission{}, invalid("command", "names its program first, which must not begin with a dash")
	}
	timeout, err := timeoutOf(req)
	if err != nil {
		return dispatch.Submission{}, err
	}
	return dispatch.Submission{
		Command: req.GetCommand(), Env: req.GetEnv(), Queue: req.GetQueue(), Priority: req.GetPriority(),
		Timeout: timeout, IdempotencyKey: req.GetIdempotencyKey(), Retries: int(req.GetRetries()),
	}, nil
}

func timeoutOf(req *switchyardv1.SubmitJobRequest) (time.Duration, error) {
	if req.GetTimeout() == nil {
		return 0, nil
	}
	timeout := req.GetTimeout().AsDuration()
	if req.GetTimeout().CheckValid() != nil || timeout < 0 || timeout > maxTimeout {
		return 0, invalid("timeout", "must be from 0, which is no limit, to %v", maxTimeout)
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

func pageOf(size int32, token string) dispatch.Page {
	return dispatch.Page{Size: int(size), Token: token}
}
