// Package demo tells, on real parts, what Switchyard is for: jobs reach an agent
// over a stream, survive the stream's death by polling, and go back to the
// stream when it returns.
package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/worker"
)

// timeLimit is how long the demo may take. Its one long wait is the reconnect,
// whose second and third windows are ten seconds each.
const timeLimit = 30 * time.Second

// errTooLong is the cause when timeLimit has passed.
var errTooLong = fmt.Errorf("the demo took longer than %v", timeLimit)

// ErrBroken is in the chain of errors of Run when a promise did not hold.
var ErrBroken = errors.New("a promise did not hold")

// Run plays the demo, tells it on out as it happens, and gives the account at
// its end. An error wraps ErrBroken if a job was lost or run twice, or if
// control did not go where it should; it is the context's cause if that ended.
// The logger receives the logs of the parts.
func Run(ctx context.Context, out io.Writer, logger *zap.Logger) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, errTooLong)
	defer cancel()
	tell := &teller{out: out, begun: time.Now()}
	s, err := setStage(ctx, logger, newWatch(tell.transition))
	defer func() { err = errors.Join(err, s.strike()) }()
	if err != nil {
		return err
	}
	a, err := play(ctx, s, tell)
	if err != nil {
		return err
	}
	tell.account(a)
	return a.check()
}

// play is the story. Each job waits for a file before it ends, so that what
// happens meanwhile is not a matter of luck.
func play(ctx context.Context, s *stage, tell *teller) (account, error) {
	var a account
	tell.line("A control plane, an agent, and between them a proxy that can cut the stream alone.")
	_, at, err := s.watch.await(ctx, 0, "the stream is up", func(t worker.Transition) bool {
		return t.To == fsm.StreamHealthy && t.Facts.Stream == fsm.StreamUp
	})
	if err != nil {
		return a, err
	}

	tell.line("A job is submitted; the stream hands it over. In the middle of it, the stream is cut.")
	first, err := s.submit(ctx, "first", true)
	if err != nil {
		return a, err
	}
	if _, at, err = s.watch.await(ctx, at, "the stream's job runs", into(fsm.Running)); err != nil {
		return a, err
	}
	if err = s.begun(ctx, "first"); err != nil {
		return a, err
	}
	cut := time.Now()
	s.cutStream()
	lost, at, err := s.watch.await(ctx, at, "the loss is noticed", on(fsm.StreamLost))
	if err != nil {
		return a, err
	}
	a.noticed = lost.Time.Sub(cut)

	tell.line("The job is not disturbed. It ends, and the worker falls back to polling at once.")
	if err = s.release("first"); err != nil {
		return a, err
	}
	over, at, err := s.watch.await(ctx, at, "the job ends and the worker falls back", into(fsm.FallingBack))
	if err != nil {
		return a, err
	}
	polled, at, err := s.watch.await(ctx, at, "the worker polls", into(fsm.PollingBusy))
	if err != nil {
		return a, err
	}
	a.fallBack = polled.Time.Sub(over.Time)

	tell.line("Another job is submitted; a ping brings it. While it runs, the stream is healed.")
	second, err := s.submit(ctx, "second", true)
	if err != nil {
		return a, err
	}
	if err = s.begun(ctx, "second"); err != nil {
		return a, err
	}
	healed := time.Now()
	s.healStream()
	up, at, err := s.watch.await(ctx, at, "the stream is back and waits for the job", into(fsm.Reclaiming))
	if err != nil {
		return a, err
	}
	a.back = up.Time.Sub(healed)

	tell.line("The stream is back, and waits: the job that polling brought is not abandoned.")
	if err = s.release("second"); err != nil {
		return a, err
	}
	ended, at, err := s.watch.await(ctx, at, "the job ends", on(fsm.JobFinished))
	if err != nil {
		return a, err
	}
	if ended.From != fsm.Reclaiming || ended.To != fsm.StreamHealthy {
		return a, fmt.Errorf("%w: at the end of its job the worker went from %v to %v", ErrBroken, ended.From, ended.To)
	}
	a.reclaim = ended.Time.Sub(healed)

	tell.line("The stream is in control again, and hands over a third job.")
	third, err := s.submit(ctx, "third", false)
	if err != nil {
		return a, err
	}
	if _, at, err = s.watch.await(ctx, at, "the stream's job runs", into(fsm.Running)); err != nil {
		return a, err
	}
	if _, _, err = s.watch.await(ctx, at, "the job ends", on(fsm.JobFinished)); err != nil {
		return a, err
	}
	if err := s.leave(ctx); err != nil {
		return a, fmt.Errorf("leaving: %w", err)
	}
	for name, id := range map[string]string{"first": first, "second": second, "third": third} {
		if err := a.add(ctx, s, name, id); err != nil {
			return a, err
		}
	}
	return a, nil
}

// into is the transition by which a worker comes into a state.
func into(to fsm.State) func(worker.Transition) bool {
	return func(t worker.Transition) bool { return t.To == to && t.From != to }
}

// on is the transition that answers an event, and does not ignore it.
func on(kind fsm.EventKind) func(worker.Transition) bool {
	return func(t worker.Transition) bool { return t.Event.Kind == kind && t.Ignored == "" }
}

// release lets the job of that name end.
func (s *stage) release(name string) error {
	if err := os.WriteFile(filepath.Join(s.dir, name+".go-on"), nil, 0o600); err != nil {
		return fmt.Errorf("releasing the %s job: %w", name, err)
	}
	return nil
}
