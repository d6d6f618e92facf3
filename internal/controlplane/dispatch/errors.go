package dispatch

import (
	"errors"
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Errors of the dispatcher, to be tested for with errors.Is. Any other error is
// the store's (store.ErrUnavailable, to be answered as "try again") or the
// context's.
var (
	// ErrNotFound: there is no such job or worker, or it has expired.
	ErrNotFound = store.ErrNotFound
	// ErrWrongState: the job or worker is not in a state that the call needs. The
	// error is a *StateError, whose message names the state.
	ErrWrongState = errors.New("wrong state")
	// ErrInvalid: a field of the request is not acceptable. The error is an
	// *InvalidError, which names it.
	ErrInvalid = errors.New("invalid")
	// ErrKeyInUse: the idempotency key belongs to another job. The error is a
	// *KeyInUseError, which names it.
	ErrKeyInUse = errors.New("idempotency key in use")
	// ErrUnauthenticated: the token is not one that was given out, or has stopped
	// working. The message does not say which.
	ErrUnauthenticated = errors.New("token not accepted")
	// ErrSuperseded: a newer stream of the same worker has taken this one's place.
	// On the wire it is Aborted, never a planned end.
	ErrSuperseded = errors.New("superseded by a newer stream of the same worker")
	// ErrClosed: the dispatcher, or the feed, was closed.
	ErrClosed = errors.New("closed")
)

// KeyInUseError refuses a submission under the idempotency key of a job that is
// another one, so that it is not dropped in silence.
type KeyInUseError struct {
	// Key is the idempotency key, JobID the job that it belongs to.
	Key, JobID string
}

// Error is one line: the key, and whose it is.
func (e *KeyInUseError) Error() string {
	return fmt.Sprintf("idempotency key %q belongs to job %s, whose command, environment or queue is another", e.Key, e.JobID)
}

// Is makes a KeyInUseError an ErrKeyInUse.
func (*KeyInUseError) Is(target error) bool { return target == ErrKeyInUse }

// InvalidError names a field that is not acceptable, and says why.
type InvalidError struct {
	// Field is the field in the words of the API, such as "command".
	Field string
	// Problem completes the sentence that begins with the field.
	Problem string
}

// Error is one line: the field and its problem.
func (e *InvalidError) Error() string { return e.Field + " " + e.Problem }

// Is makes an InvalidError an ErrInvalid.
func (*InvalidError) Is(target error) bool { return target == ErrInvalid }

// StateError refuses a call because of the state of a job or worker.
type StateError struct {
	// Problem names the job or worker and its state.
	Problem string
}

// Error returns the problem.
func (e *StateError) Error() string { return e.Problem }

// Is makes a StateError an ErrWrongState.
func (*StateError) Is(target error) bool { return target == ErrWrongState }

func wrongState(format string, args ...any) error {
	return &StateError{fmt.Sprintf(format, args...)}
}
