package record

import (
	"errors"
	"fmt"
)

// Errors about a record or a field of a request, for errors.Is.
var (
	// ErrNotFound: the record does not exist or has expired.
	ErrNotFound = errors.New("not found")
	// ErrInvalid: a field of a request is not acceptable. The error is an
	// *InvalidError, which names the field.
	ErrInvalid = errors.New("invalid")
	// ErrUnauthenticated: the token was never issued, or is not valid any more. The
	// error can be a *RevokedError.
	ErrUnauthenticated = errors.New("token not accepted")
)

// RevokedError is ErrUnauthenticated for the session of a worker that was revoked, or
// for the token of its job. Only who presents the token receives it.
type RevokedError struct {
	// Reason is for people, and may be empty.
	Reason string
}

// Error returns that the worker was revoked, and why.
func (e *RevokedError) Error() string {
	const revoked = "this worker was revoked by the control plane"
	if e.Reason == "" {
		return revoked
	}
	return revoked + ": " + e.Reason
}

// Is reports whether target is ErrUnauthenticated.
func (*RevokedError) Is(target error) bool { return target == ErrUnauthenticated }

// InvalidError reports a field that is not acceptable. Field is its name in the
// API, such as "command"; Problem continues the text that begins with the name.
type InvalidError struct {
	Field, Problem string
}

// Invalid returns an *InvalidError with a formatted problem.
func Invalid(field, format string, args ...any) error {
	return &InvalidError{Field: field, Problem: fmt.Sprintf(format, args...)}
}

// Error returns the field and its problem in one line.
func (e *InvalidError) Error() string { return e.Field + " " + e.Problem }

// Is reports whether target is ErrInvalid.
func (*InvalidError) Is(target error) bool { return target == ErrInvalid }
