package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestWatchdog checks that a program is reported as alive while it is, and only then.
func TestWatchdog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var happened []string
		note := func(format string, args ...any) {
			happened = append(happened, fmt.Sprintf("%v %s", time.Since(start), fmt.Sprintf(format, args...)))
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go watchdog{
			interval: 10 * time.Second,
			alive: func(ctx context.Context) error {
				switch at := time.Since(start); {
				case at < 15*time.Second, at > 55*time.Second:
					return nil
				case at < 35*time.Second:
					return errors.New("stuck")
				default: // a loop that does not respond
					<-ctx.Done()
					return context.Cause(ctx)
				}
			},
			notify: func(state string) { note("%s", state) },
			notef:  note,
		}.run(ctx)
		time.Sleep(75 * time.Second)
		cancel()
		time.Sleep(time.Hour)
		synctest.Wait()
		want := []string{
			"0s WATCHDOG=1", "10s WATCHDOG=1",
			"20s not working, and restarted by the service manager unless that ends: stuck",
			"1m0s WATCHDOG=1", "1m10s WATCHDOG=1",
		}
		if !slices.Equal(happened, want) {
			t.Errorf("got  %q\nwant %q", happened, want)
		}
	})
}
