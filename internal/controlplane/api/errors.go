package api

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// maxProblem bounds what is said of a field, which may quote what it held.
const maxProblem = 400

// invalid says what is wrong with a field: the sentence that begins with it.
func invalid(field, format string, args ...any) error {
	problem := fmt.Sprintf(format, args...)
	if len(problem) > maxProblem {
		problem = strings.ToValidUTF8(problem[:maxProblem], "") + "..."
	}
	return failure(connect.CodeInvalidArgument, "%s %s", field, problem)
}

// failure is the answer of a call that failed. The caller gets the words alone.
func failure(code connect.Code, format string, args ...any) error {
	return connect.NewError(code, fmt.Errorf(format, args...)) //nolint:wrapcheck // it is made here
}

// coded gives an error of the dispatcher its code. doing says what was asked, with
// the id it was asked of. A refusal names the id alone: who
// asked knows what was asked.
func (s service) coded(doing string, err error) error {
	if wrong, ok := errors.AsType[*dispatch.InvalidError](err); ok {
		return invalid(wrong.Field, "%s", wrong.Problem)
	}
	if used, ok := errors.AsType[*dispatch.KeyInUseError](err); ok {
		return failure(connect.CodeAlreadyExists, "%v", used)
	}
	_, what, _ := strings.Cut(doing, " ")
	switch {
	case errors.Is(err, dispatch.ErrNotFound):
		return failure(connect.CodeNotFound, "%s: there is none of that name", what)
	case errors.Is(err, dispatch.ErrInvalid):
		return failure(connect.CodeInvalidArgument, "%s: %v", doing, err)
	case errors.Is(err, dispatch.ErrWrongState):
		return failure(connect.CodeFailedPrecondition, "%s", strings.TrimSuffix(err.Error(), ": "+dispatch.ErrWrongState.Error()))

	case errors.Is(err, store.ErrTooLarge):
		return failure(connect.CodeInvalidArgument, "%s: too large to be stored", doing)
	case errors.Is(err, dispatch.ErrClosed), errors.Is(err, context.Canceled):
		return failure(connect.CodeUnavailable, "%s: the control plane is shutting down", doing)
	case errors.Is(err, context.DeadlineExceeded):
		return failure(connect.CodeDeadlineExceeded, "%s: no time was left", doing)
	case errors.Is(err, store.ErrUnavailable):
		s.logger.Warn("a call was not answered", zap.String("call", doing), zap.Error(err))
		return failure(connect.CodeUnavailable, "%s: the store does not answer; try again", doing)
	default:
		s.logger.Error("a call failed", zap.String("call", doing), zap.Error(err))
		return failure(connect.CodeInternal, "%s: internal error; the control plane's log says more", doing)
	}
}
