package dispatch

import (
	"fmt"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// A record that cannot be stored is tried ever more rarely; one for which the store had
// no answer or no room is tried again within seconds of the end of that.
func TestWaitAfterManyFailures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err  error
		want time.Duration
	}{
		{store.ErrTooLarge, maxBackoff},
		{store.ErrUnavailable, maxUnansweredBackoff},
		{fmt.Errorf("%w: %w", store.ErrUnavailable, &store.OutageError{}), minBackoff},
		{store.ErrFull, maxUnansweredBackoff},
		{&store.LimitError{}, maxUnansweredBackoff},
	} {
		f, now := newFailures(zap.NewNop()), time.Now()
		var until time.Time
		for range 20 {
			until = f.failed("j", fmt.Errorf("storing: %w", row.err), now)
		}
		if got := until.Sub(now); got != row.want {
			t.Errorf("after %v the wait is %s, want %s", row.err, got, row.want)
		}
	}
}
