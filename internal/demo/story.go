package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// story runs the demo's steps. The first error ends the context of the steps, so
// that those after it return at once, and is kept.
type story struct {
	*environment

	records <-chan fsm.Record // of the worker
	out     *printer
	cancel  context.CancelFunc
	err     error
	results results
}

// run runs the steps in order. Every job but the last waits for a file before it
// ends, so that what happens meanwhile does not depend on timing.
func (s *story) run(ctx context.Context) error {
	ctx, s.cancel = context.WithCancel(ctx)
	defer s.cancel()
	s.streamAssigns(ctx)
	s.streamIsLost(ctx)
	s.streamIsBack(ctx)
	s.streamAssignsAgain(ctx)
	if s.err == nil {
		s.err = s.results.count(ctx, s.environment)
	}
	return s.err
}

// streamAssigns waits for the stream, and lets it assign a job.
func (s *story) streamAssigns(ctx context.Context) {
	s.say("A control plane, an agent, and a proxy between them that can cut the stream alone.")
	s.await(ctx, "the stream is up", func(r fsm.Record) bool {
		return r.To == fsm.StreamHealthy && r.Facts.Stream == fsm.StreamUp
	})
	s.say("A job is submitted, and the stream assigns it. While it runs, the stream is cut.")
	s.check(s.submit(ctx, "first", true))
	s.await(ctx, "the first job is in hand", entered(fsm.Running))
	s.check(s.waitUntilRunning(ctx, "first"))
}

// streamIsLost cuts the stream during a job. The worker finishes the job, then
// polls.
func (s *story) streamIsLost(ctx context.Context) {
	cut := time.Now()
	s.cutStream()
	lost := s.await(ctx, "the worker notices the loss", handled(fsm.StreamLost))
	s.results.noticed = lost.Time.Sub(cut)

	s.say("The job continues. When it ends, the worker falls back to polling at once.")
	s.check(s.release("first"))
	ended := s.await(ctx, "the job ends and the worker falls back", entered(fsm.FallingBack))
	polled := s.await(ctx, "the worker polls", entered(fsm.PollingBusy))
	s.results.fallBack = polled.Time.Sub(ended.Time)

	s.say("Another job is submitted, and a ping assigns it. While it runs, the stream is repaired.")
	s.check(s.submit(ctx, "second", true))
	s.check(s.waitUntilRunning(ctx, "second"))
}

// streamIsBack repairs the stream during a job that a ping assigned. The stream is
// in control again after that job.
func (s *story) streamIsBack(ctx context.Context) {
	repaired := time.Now()
	s.repairStream()
	up := s.await(ctx, "the stream is back and waits for the job", entered(fsm.Reclaiming))
	s.results.back = up.Time.Sub(repaired)

	s.say("The stream is back, and waits for the end of the job that the ping assigned.")
	s.check(s.release("second"))
	ended := s.await(ctx, "the job ends", handled(fsm.JobFinished))
	if s.err == nil && (ended.From != fsm.Reclaiming || ended.To != fsm.StreamHealthy) {
		s.check(fmt.Errorf("%w: at the end of its job the worker went from %v to %v", errBroken, ended.From, ended.To))
	}
	s.results.reclaimed = ended.Time.Sub(repaired)
}

// streamAssignsAgain lets the stream assign a third job, and drains the worker.
func (s *story) streamAssignsAgain(ctx context.Context) {
	s.say("The stream is in control again, and assigns a third job.")
	s.check(s.submit(ctx, "third", false))
	s.await(ctx, "the third job is in hand", entered(fsm.Running))
	s.await(ctx, "the job ends", handled(fsm.JobFinished))
	if s.err == nil {
		s.check(s.drain(ctx))
	}
}

func (s *story) say(text string) {
	if s.err == nil {
		s.out.line(text)
	}
}

func (s *story) check(err error) {
	if err != nil && s.err == nil {
		s.err = err
		s.cancel()
	}
}

// await waits for the next record that is wanted, and returns it.
func (s *story) await(ctx context.Context, what string, wanted func(fsm.Record) bool) fsm.Record {
	for {
		select {
		case r := <-s.records:
			if wanted(r) {
				return r
			}
		case <-ctx.Done():
			s.check(fmt.Errorf("waiting until %s: %w", what, context.Cause(ctx)))
			return fsm.Record{}
		}
	}
}

// entered matches the record of a transition to a state from another one.
func entered(to fsm.State) func(fsm.Record) bool {
	return func(r fsm.Record) bool { return r.To == to && r.From != to }
}

// handled matches the record of an event that was not ignored.
func handled(kind fsm.EventKind) func(fsm.Record) bool {
	return func(r fsm.Record) bool { return r.Event.Kind == kind && r.Ignored == "" }
}
