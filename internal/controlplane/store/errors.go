package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// Errors of the store. Every error of a method wraps one of these or the
// context's error.
var (
	// ErrNotFound: the record does not exist or has expired.
	ErrNotFound = record.ErrNotFound
	// ErrConflict: the record changed since it was read. Nothing was stored.
	ErrConflict = errors.New("changed by someone else")
	// ErrTooLarge: the record does not fit in one message of the store.
	ErrTooLarge = errors.New("too large to be stored")
	// ErrUnavailable: the store did not respond. A write may have taken effect: read
	// before trying again.
	ErrUnavailable = errors.New("the store does not respond")
)

// wrap adds what was attempted to an error of NATS, and one of the errors above.
func wrap(err error, doing string) error {
	var apiErr *jetstream.APIError
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return fmt.Errorf("%s: %w", doing, ErrNotFound)
	case errors.As(err, &apiErr) && (apiErr.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		apiErr.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant):
		return fmt.Errorf("%s: %w", doing, ErrConflict)
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum):
		return fmt.Errorf("%s: %w", doing, ErrTooLarge)
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("%s: %w", doing, err)
	}
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
}
