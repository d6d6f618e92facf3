package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

var (
	// ErrUndecodable is in the chain of errors of a call whose status is a success
	// but whose body is not the expected one, such as a proxy's page. Such a call
	// may be tried again.
	ErrUndecodable = errors.New("unexpected response body")

	// ErrNoAnswer is in the chain of errors of a call without a response within the
	// timeout of one try.
	ErrNoAnswer = errors.New("no response in time")

	// ErrAcquireRejected is in the chain of errors of [Session.Acquire] when the
	// control plane refuses the job (status 422).
	ErrAcquireRejected = errors.New("the control plane refused to hand out the job")

	// ErrAcquireLocked is in the chain of errors of [Session.Acquire] when the job
	// still waits for another one after the last try (status 423).
	ErrAcquireLocked = errors.New("the job still waits for another one")
)

// StatusError is a response whose status is not a success.
type StatusError struct {
	// Code is the HTTP status.
	Code int
	// Message is the text of the response, in one line: the control plane's
	// message, a description of an HTML page, or the beginning of another body. It
	// may be empty.
	Message string
	// FromControlPlane distinguishes a response of the control plane (JSON with a
	// message) from that of a proxy.
	FromControlPlane bool
	// Revoked is set where the worker, or the worker of the job, was revoked.
	Revoked bool
	// RetryAfter is how long the next try must wait. Zero if the response does not
	// say; at most an hour.
	RetryAfter time.Duration
}

// Error returns one line: the status and the message.
func (e *StatusError) Error() string {
	status := fmt.Sprintf("%d %s", e.Code, http.StatusText(e.Code))
	if http.StatusText(e.Code) == "" {
		status = fmt.Sprintf("status %d", e.Code)
	}
	switch {
	case e.FromControlPlane:
		return status + ": " + e.Message
	case e.Message == "":
		return status + " without a message"
	default:
		return fmt.Sprintf("%s, not from the control plane: %q", status, e.Message)
	}
}

// retryable reports whether a later try may succeed.
func (e *StatusError) retryable() bool {
	return e.Code == http.StatusTooManyRequests || e.Code >= http.StatusInternalServerError
}

// Is reports whether the error is [wire.ErrRefused], [wire.ErrTokenInvalid],
// [wire.ErrRevoked] or, for a chunk of a log, [wire.ErrLogFull].
func (e *StatusError) Is(target error) bool {
	switch target {
	case wire.ErrRefused:
		return Refused(e) && !e.Revoked
	case wire.ErrRevoked:
		return e.Revoked
	case wire.ErrTokenInvalid:
		return e.Code == http.StatusUnauthorized
	case wire.ErrLogFull:
		return e.FromControlPlane && e.Code == http.StatusRequestEntityTooLarge
	}
	return false
}

// Retryable reports whether the call that returned err may succeed when it is tried
// again: there was no response, it could not be decoded, or its status is 429 or at
// least 500. It is false for nil, for the end of the caller's context, and for a
// certificate that does not verify.
func Retryable(err error) bool {
	if failed, ok := errors.AsType[*failure](err); ok {
		return failed.kind == noAnswer || failed.kind == undecodable
	}
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.retryable()
}

// Refused reports whether err is a definite refusal by the control plane itself: a
// status between 400 and 499 other than 429, in a JSON body with a message. A
// proxy's page is not a refusal, whatever its status.
func Refused(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.FromControlPlane && status.Code >= http.StatusBadRequest && !status.retryable()
}

// RetryAfter returns how long the response in err asks to wait before the next try,
// or zero.
func RetryAfter(err error) time.Duration {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.RetryAfter
	}
	return 0
}

// causeOf returns what two errors of tries have in common if they fail for the same reason:
// not the ports of connections, for example. There are few causes.
func causeOf(err error) string {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return strconv.Itoa(status.Code)
	}
	if reason, ok := errors.AsType[*httpclient.TLSError](err); ok {
		return reason.Error()
	}
	if reason, ok := errors.AsType[*httpclient.ConnectError](err); ok {
		return reason.Error()
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return number.Error()
	}
	for _, cause := range []error{ErrUndecodable, ErrNoAnswer, context.DeadlineExceeded} {
		if errors.Is(err, cause) {
			return cause.Error()
		}
	}
	return "another"
}

// failureKind is why a call has no usable response.
type failureKind int

const (
	noAnswer    failureKind = iota + 1 // the network failed, or the timeout of the try passed
	undecodable                        // a success whose body cannot be used
	callerEnded                        // the caller's context ended
	impossible                         // the call cannot be made; a later try would not help
)

// failure is a call without a usable response.
type failure struct {
	kind failureKind
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }
