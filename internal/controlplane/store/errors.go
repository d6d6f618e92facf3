package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

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
	// ErrFull: the disk, or a limit of the NATS server, has no room. Nothing was stored.
	// It is an ErrUnavailable too: the same write succeeds once there is room.
	ErrFull error = fullError{}
)

type fullError struct{}

// Error returns the cause for people.
func (fullError) Error() string { return "the disk of the store is full" }

// Is reports whether target is ErrUnavailable.
func (fullError) Is(target error) bool { return target == ErrUnavailable }

// Codes of errors of JetStream that its client does not name.
const (
	codeInsufficientResources jetstream.ErrorCode = 10023 // the server's limit
	codeAccountResources      jetstream.ErrorCode = 10002
	codeStorageResources      jetstream.ErrorCode = 10047
	codeNotAvailable          jetstream.ErrorCode = 10008 // no leader of the cluster
)

// wrap adds what was attempted to an error of NATS, and one of the errors above.
// ctx is the caller's.
func wrap(ctx context.Context, err error, doing string) error {
	var apiErr *jetstream.APIError
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return fmt.Errorf("%s: %w", doing, ErrNotFound)
	case errors.As(err, &apiErr) && (apiErr.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence ||
		apiErr.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant):
		return fmt.Errorf("%s: %w", doing, ErrConflict)
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, jetstream.ErrStreamMessageExceedsMaximum):
		return fmt.Errorf("%s: %w", doing, ErrTooLarge)
	case isFull(err):
		return fmt.Errorf("%s: %w: %w", doing, ErrFull, err)
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	case ctx.Err() != nil:
		return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, context.Cause(ctx))
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		// It is the bound of the call that ended, not the caller's context.
		return fmt.Errorf("%s: %w: no response in time", doing, ErrUnavailable)
	}
	return fmt.Errorf("%s: %w: %w", doing, ErrUnavailable, err)
}

// isFull reports whether a write failed because there is no room: on the disk, or
// by a limit of the server, of the account or of the stream.
func isFull(err error) bool {
	var text string
	if apiErr, ok := errors.AsType[*jetstream.APIError](err); ok {
		switch apiErr.ErrorCode { //nolint:exhaustive // the others have other reasons
		case codeInsufficientResources, codeAccountResources, codeStorageResources:
			return true
		}
		text = apiErr.Description
	} else if stopped, ok := errors.AsType[*serverError](err); ok {
		text = stopped.text
	}
	for _, sign := range []string{"no space left", "not enough space", "quota exceeded", "maximum bytes exceeded"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return false
}

// isBroken reports whether a failed write means that the server must be started
// again before it can write: it does not respond once a file could not be written,
// and stops JetStream after some errors.
func isBroken(err error) bool {
	if _, ok := errors.AsType[*serverError](err); ok {
		return true
	}
	return errors.Is(err, errRestarting) || errors.Is(err, nats.ErrNoResponders) ||
		errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrJetStreamNotEnabled)
}
