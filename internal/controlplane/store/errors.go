package store

import (
	"errors"
)

// Errors of the store. Every error of a method wraps one of these or the
// context's.
var (
	// ErrNotFound: there is no such record, or it has expired.
	ErrNotFound = errors.New("not found")
	// ErrConflict: the record was changed since it was read. Nothing was stored.
	ErrConflict = errors.New("changed by somebody else")
	// ErrTooLarge: the record does not fit in one message of the store.
	ErrTooLarge = errors.New("too large to be stored")
	// ErrUnavailable: the store did not answer. Whether a write took effect is not
	// known: read before trying again.
	ErrUnavailable = errors.New("the store does not answer")
)
