package api

import (
	"context"
	"errors"
	"fmt"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// invalid says what is wrong with a field.
func invalid(field, format string, args ...any) error {
	return connect.NewError(connect.CodeInvalidArgument, errors.New(field+": "+fmt.Sprintf(format, args...)))
}

// coded gives an error of the dispatcher its code. doing says what was asked, with
// the id it was asked of.
func (s service) coded(doing string, err error) error {
	if wrong, ok := errors.AsType[*dispatch.InvalidError](err); ok {
		return invalid(wrong.Field, "%s", wrong.Problem)
	}
	switch {
	case errors.Is(err, dispatch.ErrNotFound):
		return connect.NewError(connect.CodeNotFound, fmt.Errorf("%s: there is none of that name", doing))
	case errors.Is(err, dispatch.ErrInvalid):
		return connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("%s: %w", doing, err))
	case errors.Is(err, dispatch.ErrWrongState):
		return connect.NewError(connect.CodeFailedPrecondition, fmt.Errorf("%s: %w", doing, err))
	case errors.Is(err, store.ErrTooLarge):
		return connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("%s: too large to be stored", doing))
	case errors.Is(err, dispatch.ErrClosed), errors.Is(err, context.Canceled):
		return connect.NewError(connect.CodeUnavailable, fmt.Errorf("%s: the control plane is shutting down", doing))
	case errors.Is(err, context.DeadlineExceeded):
		return connect.NewError(connect.CodeDeadlineExceeded, fmt.Errorf("%s: no time was left", doing))
	case errors.Is(err, store.ErrUnavailable):
		s.logger.Warn("a call was not answered", zap.String("call", doing), zap.Error(err))
		return connect.NewError(connect.CodeUnavailable, fmt.Errorf("%s: the store does not answer; try again", doing))
	default:
		s.logger.Error("a call failed", zap.String("call", doing), zap.Error(err))
		return connect.NewError(connect.CodeInternal, fmt.Errorf("%s: internal error; the control plane's log says more", doing))
	}
}
