package wire

import "errors"

// Errors of calls, which package transport returns and the job or the agent checks.
var (
	// ErrRefused is in the chain of an error if the control plane refused the call
	// for good, so that it must not be repeated. An ErrRevoked is none: what the call
	// would have delivered is kept.
	ErrRefused = errors.New("refused by the control plane")
	// ErrTokenInvalid is in the chain of an error if the control plane does not
	// accept the job's token (status 401).
	ErrTokenInvalid = errors.New("the job's token is no longer valid")
	// ErrRevoked is in the chain of an error if the control plane refused the call
	// because the worker was revoked.
	ErrRevoked = errors.New("this worker was revoked by the control plane")
	// ErrLogFull is in the chain of an error if the control plane keeps no more of
	// the job's log (status 413 for a chunk). It is an ErrRefused too.
	ErrLogFull = errors.New("the log of the job has reached its limit")
)
