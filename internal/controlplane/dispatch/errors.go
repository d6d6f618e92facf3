package dispatch

import (
	"errors"
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Errors of the dispatcher, for errors.Is. Any other error is the store's (for
// store.ErrUnavailable, the caller should try again) or the context's.
var (
	// ErrNotFound: the job or worker does not exist or has expired.
	ErrNotFound = store.ErrNotFound
	// ErrInvalid: a field of the request is not acceptable. The error is a
	// *record.InvalidError, which names the field.
	ErrInvalid = record.ErrInvalid
	// ErrWrongState: the state of the job or worker does not allow the request. The
	// error is a *StateError, whose message names the state.
	ErrWrongState = errors.New("wrong state")
	// ErrKeyInUse: the idempotency key belongs to another job. The error is a
	// *KeyInUseError, which names the job.
	ErrKeyInUse = errors.New("idempotency key in use")
	// ErrUnauthenticated: the token was never issued, or is not valid any more. The
	// message does not say which, unless it is a *record.RevokedError.
	ErrUnauthenticated = record.ErrUnauthenticated
	// ErrSuperseded: a newer stream of the same worker has replaced this one. It is
	// Aborted on the wire, never a planned end.
	ErrSuperseded = errors.New("superseded by a newer stream of the same worker")
	// ErrMoved: this replica has more streams than the others and ends this one. It is
	// a planned end on the wire.
	ErrMoved = errors.New("given up: other replicas have fewer streams")
	// ErrClosed: the dispatcher, or the feed, was closed.
	ErrClosed = errors.New("closed")
)

// KeyInUseError rejects a submission whose idempotency key belongs to a different
// job, which would otherwise be dropped silently.
type KeyInUseError struct {
	// Key is the idempotency key, JobID the job that it belongs to.
	Key, JobID string
}

// Error returns the key and its job in one line.
func (e *KeyInUseError) Error() string {
	return fmt.Sprintf("idempotency key %q belongs to job %s, which has a different command, environment, queue or tags", e.Key, e.JobID)
}

// Is reports whether target is ErrKeyInUse.
func (*KeyInUseError) Is(target error) bool { return target == ErrKeyInUse }

// StateError rejects a request because of the state of a job or worker.
type StateError struct {
	Problem string // names the job or worker and its state
}

// Error returns the problem.
func (e *StateError) Error() string { return e.Problem }

// Is reports whether target is ErrWrongState.
func (*StateError) Is(target error) bool { return target == ErrWrongState }

func wrongState(format string, args ...any) error {
	return &StateError{fmt.Sprintf(format, args...)}
}
