package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Every request has a bound of its own, whatever the deadline of its caller.
func TestBoundOfARequest(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name     string
		deadline time.Duration // of the caller; 0 is none
		ending   time.Duration // when Ending is called; 0 is never
		within   time.Duration // what is left of Within; 0 is no such bound
		want     time.Duration
	}{
		{"no deadline", 0, 0, 0, callTimeout},
		{"a late deadline", time.Minute, 0, 0, callTimeout},
		{"an early deadline", time.Second, 0, 0, time.Second},
		{"several requests", 0, 0, time.Second, time.Second},
		{"several requests, one of them long", 0, 0, time.Minute, callTimeout},
		{"ending", time.Minute, 2 * time.Second, 0, 2*time.Second + endingTimeout},
		{"ending just before the end", time.Minute, callTimeout - time.Millisecond, 0, callTimeout},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := &Store{}
				s.ending, s.beginEnding = context.WithCancel(t.Context())
				s.dead, s.giveUp = context.WithCancel(t.Context())
				caller := t.Context()
				if row.deadline > 0 {
					var cancel context.CancelFunc
					caller, cancel = context.WithTimeout(caller, row.deadline)
					defer cancel()
				}
				if row.ending > 0 {
					defer time.AfterFunc(row.ending, s.Ending).Stop()
				}
				began := time.Now()
				if row.within > 0 {
					detached, cancel := Detach(Within(caller, row.within))
					defer cancel()
					caller = detached
				}
				ctx, cancel := s.bound(caller)
				defer cancel()
				<-ctx.Done()
				if took := time.Since(began); took != row.want {
					t.Errorf("the request ended after %v, want %v", took, row.want)
				}
				if row.ending == 0 || row.want == callTimeout {
					return
				}
				later, cancelLater := s.bound(t.Context())
				defer cancelLater()
				synctest.Wait()
				if later.Err() == nil {
					t.Error("a store that did not respond while ending is asked again")
				}
			})
		})
	}
}

// A read of an embedded server has the whole time of a request: its disk may be slow.
func TestAnEmbeddedServerIsAskedOnce(t *testing.T) {
	s := openTest(t, Options{})
	attempts := 0
	err := s.ask(t.Context(), kind{stream: stateStream}, func(ctx context.Context) error {
		attempts++
		if until, ok := ctx.Deadline(); !ok || time.Until(until) <= askTimeout {
			t.Errorf("the attempt ends after %v, want %v", time.Until(until), callTimeout)
		}
		return context.DeadlineExceeded
	})
	if !errors.Is(err, context.DeadlineExceeded) || attempts != 1 {
		t.Errorf("%d attempts, %v", attempts, err)
	}
}

// The error of a request shows whether the store, the caller or the record is the
// reason.
func TestErrorsOfRequests(t *testing.T) {
	t.Parallel()
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	overdue, cancelOverdue := context.WithTimeout(t.Context(), -1)
	defer cancelOverdue()
	api := func(code jetstream.ErrorCode, text string) error {
		return &jetstream.APIError{Code: 503, ErrorCode: code, Description: text}
	}
	for _, row := range []struct {
		name   string
		ctx    context.Context //nolint:containedctx // a row of a table
		err    error
		is     []error
		not    []error
		broken bool
	}{
		{"no response", t.Context(), context.DeadlineExceeded, []error{ErrUnavailable}, []error{context.DeadlineExceeded, ErrFull}, false},
		{"the caller's deadline", overdue, context.DeadlineExceeded, []error{ErrUnavailable, context.DeadlineExceeded}, []error{ErrFull}, false},
		{"the caller left", canceled, context.Canceled, []error{context.Canceled}, []error{ErrUnavailable}, false},
		{"server stopped", t.Context(), nats.ErrNoResponders, []error{ErrUnavailable}, []error{ErrFull}, true},
		{"limit of the server", t.Context(), api(10023, "insufficient resources"), []error{ErrFull, ErrUnavailable}, nil, false},
		{"limit of the account", t.Context(), api(10002, "resource limits exceeded for account"), []error{ErrFull}, nil, false},
		{"limit of the stream", t.Context(), api(10077, "maximum bytes exceeded"), []error{ErrFull}, nil, false},
		{"no space", t.Context(), &serverError{"write 1.blk: no space left on device"}, []error{ErrFull, ErrUnavailable}, nil, true},
		{"bad disk", t.Context(), &serverError{"write 1.blk: input/output error"}, []error{ErrUnavailable}, []error{ErrFull}, true},
		{"started again", t.Context(), errRestarting, []error{ErrUnavailable}, []error{ErrFull}, true},
		{"conflict", t.Context(), api(10071, "wrong last sequence"), []error{ErrConflict}, []error{ErrUnavailable}, false},
		{"no record", t.Context(), jetstream.ErrMsgNotFound, []error{ErrNotFound}, []error{ErrUnavailable}, false},
		{"too large", t.Context(), nats.ErrMaxPayload, []error{ErrTooLarge}, []error{ErrUnavailable}, false},
	} {
		err := wrap(row.ctx, row.err, "storing")
		for _, target := range row.is {
			if !errors.Is(err, target) {
				t.Errorf("%s: %v is not %v", row.name, err, target)
			}
		}
		for _, target := range row.not {
			if errors.Is(err, target) {
				t.Errorf("%s: %v is %v", row.name, err, target)
			}
		}
		if isBroken(row.err) != row.broken {
			t.Errorf("%s: isBroken is %v", row.name, !row.broken)
		}
	}
}
