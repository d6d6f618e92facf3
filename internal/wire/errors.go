package wire

import "errors"

// Errors of calls about a job, which package transport returns and the job checks.
var (
	// ErrRefused is in the chain of an error if the control plane refused the call
	// for good, so that it must not be repeated.
	ErrRefused = errors.New("refused by the control plane")
	// ErrTokenInvalid is in the chain of an error if the control plane does not
	// accept the job's token (status 401).
	ErrTokenInvalid = errors.New("the job's token is no longer valid")
)
