package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"time"
)

var (
	// ErrUndecodable is in the chain of errors of a call that succeeded by its
	// status, but whose body is not what the call answers with. Such a call
	// may be tried again: a proxy's page is no answer.
	ErrUndecodable = errors.New("the answer is not what this call answers with")

	// ErrNoAnswer is in the chain of errors of a call whose deadline for one
	// try passed.
	ErrNoAnswer = errors.New("no answer in time")

	// ErrAcquireRejected is in the chain of errors of [Session.Acquire] when
	// the control plane will not give the job away (status 422).
	ErrAcquireRejected = errors.New("the control plane refused to hand out the job")

	// ErrAcquireLocked is in the chain of errors of [Session.Acquire] when the
	// job still waits for another one after the last try (status 423).
	ErrAcquireLocked = errors.New("the job still waits for another one")
)

// StatusError is an answer with a status that is not a success.
type StatusError struct {
	// Code is the HTTP status.
	Code int
	// Message is what the answer says, on one line: the control plane's own
	// message, or what an HTML page is about, or the beginning of another body
	// that is not the control plane's. It may be empty.
	Message string
	// FromControlPlane tells an answer of the control plane (JSON with a
	// message) from a page that something between agent and control plane made
	// up.
	FromControlPlane bool
	// RetryAfter is how long the answer asks to wait before the next try. Zero
	// if it does not say; never more than an hour.
	RetryAfter time.Duration
}

// Error is one line: the status and what the answer says.
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
		return fmt.Sprintf("%s, not in the control plane's words: %q", status, e.Message)
	}
}

// retryable reports whether the status says that a later try may succeed.
func (e *StatusError) retryable() bool {
	return e.Code == http.StatusTooManyRequests || e.Code >= http.StatusInternalServerError
}

// Retryable reports whether the call that returned err may succeed when it is
// tried again: nothing answered, the answer could not be read, or its status
// is 429 or at least 500. It is false for nil, for the end of the caller's
// context, and for a certificate that does not verify.
func Retryable(err error) bool {
	if failed, ok := errors.AsType[*failure](err); ok {
		return failed.kind == noAnswer || failed.kind == undecodable
	}
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.retryable()
}

// Refused reports whether err is a definite refusal by the control plane
// itself: a status between 400 and 499 other than 429, in a JSON body with a
// message. A proxy's page is not a refusal, whatever its status.
func Refused(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.FromControlPlane && definite(status)
}

// definite reports whether the status is one that asking again will not
// change.
func definite(status *StatusError) bool {
	return status.Code >= http.StatusBadRequest && !status.retryable()
}

// RetryAfter is how long the answer in err asks to wait before the next try,
// or zero.
func RetryAfter(err error) time.Duration {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return status.RetryAfter
	}
	return 0
}

// failureKind says why a call has no usable answer.
type failureKind int

const (
	noAnswer    failureKind = iota + 1 // the network failed, or the try's deadline passed
	undecodable                        // a success whose body could not be read
	callerEnded                        // the caller's context ended
	hopeless                           // the call cannot be made at all
)

// failure is a call without a usable answer.
type failure struct {
	kind failureKind
	err  error
}

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }

// unverifiable reports whether the server could not prove who it is, which the
// next try will not change.
func unverifiable(err error) bool {
	_, ok := errors.AsType[*tls.CertificateVerificationError](err)
	return ok
}
