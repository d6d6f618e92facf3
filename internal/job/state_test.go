package job

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestWatchState(t *testing.T) {
	t.Parallel()
	type response struct {
		state wire.JobState
		err   error
	}
	unavailable := errors.New("503")
	running := response{state: "running"}
	tests := []struct {
		name      string
		responses []response // the last one is repeated
		cause     error      // nil: never canceled, in an hour
		requests  int        // requests until then
	}{
		{"runs on", []response{running}, nil, 0},
		{"canceling", []response{running, running, {state: "canceling"}}, ErrCanceled, 3},
		{"canceled", []response{{state: "canceled"}}, ErrCanceled, 1},
		{"timing out", []response{{state: "timing_out"}}, ErrTimedOut, 1},
		{"timed out", []response{running, {state: "timed_out"}}, ErrTimedOut, 2},
		{"token", []response{running, {err: fmt.Errorf("401: %w", ErrTokenInvalid)}}, ErrTokenInvalid, 2},
		{"errors do not count", []response{{err: unavailable}, {err: unavailable}, {state: "canceled"}}, ErrCanceled, 3},
		{"a state with an error does not count", []response{{state: "canceled", err: unavailable}, running}, nil, 0},
		{"an unknown state does not count", []response{{state: "limited"}, {state: ""}}, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const interval = 5 * time.Second
				requests, last := 0, time.Now()
				cp := &recorder{onState: func(context.Context) (wire.JobState, error) {
					if gap := time.Since(last); gap < interval || gap >= 2*interval {
						t.Errorf("request after %v, want it within [%v, %v)", gap, interval, 2*interval)
					}
					last = time.Now()
					response := tt.responses[min(requests, len(tt.responses)-1)]
					requests++
					return response.state, response.err
				}}
				ctx, stop := context.WithTimeout(t.Context(), time.Hour)
				defer stop()
				var got error
				watchState(ctx, cp, interval, func(cause error) { got = cause }, zap.NewNop())
				if !errors.Is(got, tt.cause) {
					t.Errorf("canceled for %v, want %v", got, tt.cause)
				}
				if tt.cause != nil && requests != tt.requests {
					t.Errorf("%d requests, want %d", requests, tt.requests)
				}

				// An hour holds 360 to 720 intervals with jitter; the mean is
				// 480.
				if tt.cause == nil && (requests < 430 || requests > 530) {
					t.Errorf("%d requests in an hour: the jitter is not uniform", requests)
				}
			})
		})
	}
}

// TestWatchStateTimeout gets no response to two requests: they time out, and a third
// one is sent.
func TestWatchStateTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		requests := 0
		cp := &recorder{onState: func(ctx context.Context) (wire.JobState, error) {
			requests++
			if requests > 2 {
				return "canceled", nil
			}
			<-ctx.Done()
			return "", ctx.Err()
		}}
		began := time.Now()
		var got error
		watchState(t.Context(), cp, time.Second, func(cause error) { got = cause }, zap.NewNop())
		if !errors.Is(got, ErrCanceled) {
			t.Errorf("canceled for %v", got)
		}
		if took := time.Since(began); took < 2*stateTimeout || took > 2*stateTimeout+6*time.Second {
			t.Errorf("took %v", took)
		}
	})
}
