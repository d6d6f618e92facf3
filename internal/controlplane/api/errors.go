package api

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// maxProblem bounds the description of a bad field, which may quote its value, in
// bytes.
const maxProblem = 400

// operation names what a call does, for errors and logs.
type operation struct {
	verb string // such as "canceling"
	noun string // such as "job"
	id   string // of the job or worker; empty for calls without one
}

// listing is the verb of lists.
const listing = "listing"

// String returns, for example, `canceling job "ID"` or `listing jobs`.
func (o operation) String() string { return o.verb + " " + o.object() }

// object returns, for example, `job "ID"` or `jobs`.
func (o operation) object() string {
	if o.id == "" {
		return o.noun
	}
	return o.noun + " " + strconv.Quote(o.id)
}

// invalid returns an InvalidArgument error about a field. The problem follows
// the field's name in the message.
func invalid(field, format string, args ...any) error {
	problem := fmt.Sprintf(format, args...)
	if len(problem) > maxProblem {
		problem = strings.ToValidUTF8(problem[:maxProblem], "") + "..."
	}
	return codedError(connect.CodeInvalidArgument, "%s %s", field, problem)
}

func codedError(code connect.Code, format string, args ...any) error {
	return connect.NewError(code, fmt.Errorf(format, args...)) //nolint:wrapcheck // it is created here
}

// failed returns the coded error for an operation that failed with err, an error
// of the dispatcher. It logs what is the server's fault.
func (s service) failed(op operation, err error) error {
	if field, ok := errors.AsType[*record.InvalidError](err); ok {
		return invalid(field.Field, "%s", field.Problem)
	}
	if key, ok := errors.AsType[*dispatch.KeyInUseError](err); ok {
		return codedError(connect.CodeAlreadyExists, "%v", key)
	}
	if state, ok := errors.AsType[*dispatch.StateError](err); ok {
		return codedError(connect.CodeFailedPrecondition, "%v", state)
	}
	if limit, ok := errors.AsType[*store.LimitError](err); ok { // the store has logged it
		return codedError(connect.CodeResourceExhausted, "%v: %v", op, limit)
	}
	if limit, ok := errors.AsType[*schedule.TagLimitError](err); ok {
		return codedError(connect.CodeResourceExhausted, "%v: %v", op, limit)
	}
	switch {
	case errors.Is(err, dispatch.ErrNotFound):
		return codedError(connect.CodeNotFound, "there is no %s", op.object())
	case errors.Is(err, store.ErrTooLarge):
		return codedError(connect.CodeInvalidArgument, "%v: the record is too large to be stored", op)
	case errors.Is(err, dispatch.ErrClosed), errors.Is(err, context.Canceled):
		return codedError(connect.CodeUnavailable, "%v: the control plane is shutting down; try again", op)
	case errors.Is(err, store.ErrFull):
		s.logger.Warn("request not served, store full", zap.Stringer("operation", op), zap.Error(err))
		return codedError(connect.CodeUnavailable, "%v: %v; try again when it has room", op, store.ErrFull)
	case errors.Is(err, store.ErrConflict): // others keep changing it, or the store cannot commit
		s.logger.Warn("request not served, record kept changing", zap.Stringer("operation", op), zap.Error(err))
		return codedError(connect.CodeUnavailable, "%v: other changes are in progress; try again", op)
	case errors.Is(err, store.ErrUnavailable): // it may be the deadline of the call that has passed, too
		s.logger.Warn("request not served, store unavailable", zap.Stringer("operation", op), zap.Error(err))
		return unavailable(op, err)
	case errors.Is(err, context.DeadlineExceeded):
		return codedError(connect.CodeDeadlineExceeded, "%v: the deadline of the call has passed", op)
	default:
		s.logger.Error("request failed", zap.Stringer("operation", op), zap.Error(err))
		return codedError(connect.CodeInternal, "%v: internal error; see the control plane's log", op)
	}
}

// unavailable returns the coded error for an operation for which the store did not respond.
// If it was not asked, since it is known not to respond, the error has for how long, and the
// mark by which clients know that another replica can be asked.
func unavailable(op operation, cause error) error {
	const text = "%v: the store does not answer; try again"
	outage, ok := errors.AsType[*store.OutageError](cause)
	if !ok {
		return codedError(connect.CodeUnavailable, text, op)
	}
	err := connect.NewError(connect.CodeUnavailable, fmt.Errorf(text+" (%w)", op, outage))
	err.Meta().Set(wire.HeaderNotDone, "1")
	return err //nolint:wrapcheck // it is created here
}
