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
	type answer struct {
		state wire.JobState
		err   error
	}
	unavailable := errors.New("503")
	running := answer{state: "running"}
	tests := []struct {
		name    string
		answers []answer // the last one is repeated
		cause   error    // nil: never canceled, in an hour
		asked   int      // questions until then
	}{
		{"runs on", []answer{running}, nil, 0},
		{"canceling", []answer{running, running, {state: "canceling"}}, ErrCanceled, 3},
		{"canceled", []answer{{state: "canceled"}}, ErrCanceled, 1},
		{"timing out", []answer{{state: "timing_out"}}, ErrTimedOut, 1},
		{"timed out", []answer{running, {state: "timed_out"}}, ErrTimedOut, 2},
		{"token", []answer{running, {err: fmt.Errorf("401: %w", ErrTokenInvalid)}}, ErrTokenInvalid, 2},
		{"errors do not count", []answer{{err: unavailable}, {err: unavailable}, {state: "canceled"}}, ErrCanceled, 3},
		{"a state with an error does not count", []answer{{state: "canceled", err: unavailable}, running}, nil, 0},
		{"an unknown state does not count", []answer{{state: "limited"}, {state: ""}}, nil, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const interval = 5 * time.Second
				asked, last := 0, time.Now()
				cp := &recorder{onState: func(context.Context) (wire.JobState, error) {
					if gap := time.Since(last); gap < interval || gap >= 2*interval {
						t.Errorf("asked after %v, want it within [%v, %v)", gap, interval, 2*interval)
					}
					last = time.Now()
					answer := tt.answers[min(asked, len(tt.answers)-1)]
					asked++
					return answer.state, answer.err
				}}
				ctx, stop := context.WithTimeout(t.Context(), time.Hour)
				defer stop()
				var got error
				watchState(ctx, cp, interval, func(cause error) { got = cause }, zap.NewNop())
				if !errors.Is(got, tt.cause) {
					t.Errorf("canceled for %v, want %v", got, tt.cause)
				}
				if tt.cause != nil && asked != tt.asked {
					t.Errorf("asked %d times, want %d", asked, tt.asked)
				}

				// An hour holds 360 to 720 intervals with jitter; the mean is
				// 480.
				if tt.cause == nil && (asked < 430 || asked > 530) {
					t.Errorf("asked %d times in an hour: the jitter is not uniform", asked)
				}
			})
		})
	}
}

// A question that is never answered is given up, and asked again.
func TestWatchStateSurvivesSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		asked := 0
		cp := &recorder{onState: func(ctx context.Context) (wire.JobState, error) {
			asked++
			if asked > 2 {
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
