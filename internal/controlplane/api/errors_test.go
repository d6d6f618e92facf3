package api

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// The code and the text of an error tell whose fault it is, and nothing of the
// store's files and addresses.
func TestCodesOfErrors(t *testing.T) {
	t.Parallel()
	s := service{logger: zap.NewNop()}
	for _, row := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("at /var: %w", store.ErrConflict), "unavailable: reading job \"J\": other changes are in progress; try again"},
		{fmt.Errorf("at /var: %w", store.ErrUnavailable), "unavailable: reading job \"J\": the store does not answer; try again"},
		{fmt.Errorf("%w: %w", store.ErrUnavailable, context.DeadlineExceeded), "unavailable: reading job \"J\": the store does not answer; try again"},
		{
			fmt.Errorf("storing at /var: %w", &store.LimitError{Used: 4 << 20, Most: 3 << 20, Limit: 16 << 20, Configured: true}),
			"resource_exhausted: reading job \"J\": the store takes no new job: jobs and workers use 4.0 MiB, more than 22 % of its limit " +
				"of 16.0 MiB (set with --max-store); raise --max-store, shorten --retention, or delete jobs that have ended",
		},
		{
			fmt.Errorf("at /var: %w", &schedule.TagLimitError{Queue: "q", Sets: 5000, Most: 64 << 20}),
			"resource_exhausted: reading job \"J\": one more set of required tags is not possible: jobs of queue q that have not ended " +
				"require 5000 different sets, which take 64 MiB of memory, the limit; require tags that other jobs require, " +
				"or wait until jobs have ended",
		},
		{fmt.Errorf("at /var: %w", store.ErrFull), "unavailable: reading job \"J\": the disk of the store is full; try again when it has room"},
		{
			fmt.Errorf("at /var: %w: %w", store.ErrUnavailable, &store.OutageError{Lasts: 12 * time.Second}),
			"unavailable: reading job \"J\": the store does not answer; try again (no response for 12s)",
		},
		{context.DeadlineExceeded, "deadline_exceeded: reading job \"J\": the deadline of the call has passed"},
		{dispatch.ErrClosed, "unavailable: reading job \"J\": the control plane is shutting down; try again"},
		{store.ErrNotFound, "not_found: there is no job \"J\""},
		{errors.New("at /var"), "internal: reading job \"J\": internal error; see the control plane's log"},
	} {
		got := s.failed(operation{"reading", "job", "J"}, row.err)
		if _, ok := errors.AsType[*connect.Error](got); !ok || got.Error() != row.want {
			t.Errorf("%v is %v, want %s", row.err, got, row.want)
		}
	}
}
