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
// The logger receives the logs of the parts. The worker's transitions are logged
// to the file transitions as well, unless that is empty.
func Run(ctx context.Context, out io.Writer, transitions string, logger *zap.Logger) (err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeLimit, errTooLong)
	defer cancel()
	tell := &teller{out: out, begun: time.Now()}
	s, err := setStage(ctx, transitions, logger, newWatch(tell.transition))
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

// story is the stage with a narrator, and how far the story has come.
type story struct {
	*stage

	tell *teller
	at   int // the transitions before it were told
	acc  account
}

// await waits for the next transition that is wanted.
func (s *story) await(ctx context.Context, what string, wanted func(fsm.Record) bool) (fsm.Record, error) {
	t, at, err := s.watch.await(ctx, s.at, what, wanted)
	s.at = at
	return t, err
}

// play is the story, in acts. Each job but the last waits for a file before it
// ends, so that what happens meanwhile is not a matter of luck.
func play(ctx context.Context, s *stage, tell *teller) (account, error) {
	st := &story{stage: s, tell: tell}
	for _, act := range []func(context.Context) error{st.opening, st.down, st.home, st.again, st.count} {
		if err := act(ctx); err != nil {
			return st.acc, err
		}
	}
	return st.acc, nil
}

// opening waits for the stream, and has it bring a job.
func (s *story) opening(ctx context.Context) error {
	s.tell.line("A control plane, an agent, and between them a proxy that can cut the stream alone.")
	if _, err := s.await(ctx, "the stream is up", func(t fsm.Record) bool {
		return t.To == fsm.StreamHealthy && t.Facts.Stream == fsm.StreamUp
	}); err != nil {
		return err
	}
	s.tell.line("A job is submitted; the stream hands it over. In the middle of it, the stream is cut.")
	if err := s.submit(ctx, "first", true); err != nil {
		return err
	}
	if _, err := s.await(ctx, "the stream's job runs", into(fsm.Running)); err != nil {
		return err
	}
	return s.begun(ctx, "first")
}

// down cuts the stream under a job: the worker finishes it and polls.
func (s *story) down(ctx context.Context) error {
	cut := time.Now()
	s.cutStream()
	lost, err := s.await(ctx, "the loss is noticed", on(fsm.StreamLost))
	if err != nil {
		return err
	}
	s.acc.noticed = lost.Time.Sub(cut)

	s.tell.line("The job is not disturbed. It ends, and the worker falls back to polling at once.")
	if err := s.release("first"); err != nil {
		return err
	}
	over, err := s.await(ctx, "the job ends and the worker falls back", into(fsm.FallingBack))
	if err != nil {
		return err
	}
	polled, err := s.await(ctx, "the worker polls", into(fsm.PollingBusy))
	if err != nil {
		return err
	}
	s.acc.fallBack = polled.Time.Sub(over.Time)

	s.tell.line("Another job is submitted; a ping brings it. While it runs, the stream is healed.")
	if err := s.submit(ctx, "second", true); err != nil {
		return err
	}
	return s.begun(ctx, "second")
}

// home heals the stream under a polled job: control goes back after it.
func (s *story) home(ctx context.Context) error {
	healed := time.Now()
	s.healStream()
	up, err := s.await(ctx, "the stream is back and waits for the job", into(fsm.Reclaiming))
	if err != nil {
		return err
	}
	s.acc.back = up.Time.Sub(healed)

	s.tell.line("The stream is back, and waits: the job that polling brought is not abandoned.")
	if err := s.release("second"); err != nil {
		return err
	}
	ended, err := s.await(ctx, "the job ends", on(fsm.JobFinished))
	if err != nil {
		return err
	}
	if ended.From != fsm.Reclaiming || ended.To != fsm.StreamHealthy {
		return fmt.Errorf("%w: at the end of its job the worker went from %v to %v", ErrBroken, ended.From, ended.To)
	}
	s.acc.reclaim = ended.Time.Sub(healed)
	return nil
}

// again shows the stream in control, and has the worker leave.
func (s *story) again(ctx context.Context) error {
	s.tell.line("The stream is in control again, and hands over a third job.")
	if err := s.submit(ctx, "third", false); err != nil {
		return err
	}
	if _, err := s.await(ctx, "the stream's job runs", into(fsm.Running)); err != nil {
		return err
	}
	if _, err := s.await(ctx, "the job ends", on(fsm.JobFinished)); err != nil {
		return err
	}
	if err := s.leave(ctx); err != nil {
		return fmt.Errorf("leaving: %w", err)
	}
	return nil
}

// count asks what became of the jobs.
func (s *story) count(ctx context.Context) error {
	for _, j := range s.jobs {
		if err := s.acc.add(ctx, s.stage, j.name, j.id); err != nil {
			return err
		}
	}
	return nil
}

// into is the transition by which a worker comes into a state.
func into(to fsm.State) func(fsm.Record) bool {
	return func(t fsm.Record) bool { return t.To == to && t.From != to }
}

// on is the transition that answers an event, and does not ignore it.
func on(kind fsm.EventKind) func(fsm.Record) bool {
	return func(t fsm.Record) bool { return t.Event.Kind == kind && t.Ignored == "" }
}

// release lets the job of that name end.
func (s *stage) release(name string) error {
	if err := os.WriteFile(filepath.Join(s.dir, name+".go-on"), nil, 0o600); err != nil {
		return fmt.Errorf("releasing the %s job: %w", name, err)
	}
	return nil
}
