package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	designDepth = 100_000
	// depthSamples is how often each call is measured at each depth.
	depthSamples = 300
	// warmUp is how often each is called before, for what a new process pays once.
	warmUp = 100
	// depthPage is how many jobs are listed, and how many a short queue has.
	depthPage = 100
	// depthBatch is how many jobs are submitted at a time to fill the queue.
	depthBatch = 500
	// depthReach is how many times longer a call may take at the design's depth.
	depthReach = 1.5
	depthGoal  = "1.5 times at p50"
)

// depthTimes is how long the calls took at one depth.
type depthTimes struct{ submit, dispatch, list []time.Duration }

// measureDepth measures calls while a queue has a page of jobs, and while it is long.
func measureDepth(ctx context.Context, l *lab) (results []result, err error) {
	s, err := l.newServer(ctx, "depth")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	c, err := s.client()
	if err != nil {
		return nil, err
	}
	defer c.Close()
	t, err := transport.New(transport.Options{Endpoints: []string{s.url + wire.Prefix}})
	if err != nil {
		return nil, fmt.Errorf("making a transport: %w", err)
	}
	defer t.Close()
	session, err := pollingWorker(ctx, s, t)
	if err != nil {
		return nil, err
	}
	if err := fillQueue(ctx, c, depthPage); err != nil {
		return nil, err
	}
	if _, err := callsAtDepth(ctx, c, session, warmUp); err != nil {
		return nil, err
	}
	short, err := callsAtDepth(ctx, c, session, depthSamples)
	if err != nil {
		return nil, err
	}
	if err := fillQueue(ctx, c, l.plan.depth); err != nil {
		return nil, err
	}
	long, err := callsAtDepth(ctx, c, session, depthSamples)
	if err != nil {
		return nil, err
	}
	asDesigned := l.plan.depth == designDepth
	for _, call := range []struct {
		key         string
		short, long []time.Duration
	}{
		{keyDepthSubmit, short.submit, long.submit},
		{keyDepthDispatch, short.dispatch, long.dispatch},
		{keyDepthList, short.list, long.list},
	} {
		half := longer(call.long, call.short, median)
		results = append(results, result{
			key: call.key, value: fmt.Sprintf("%.2f / %.2f times", half, longer(call.long, call.short, percent99)), samples: len(call.long),
			outcome: outcomeOf(asDesigned, half <= depthReach),
			notes: []string{fmt.Sprintf("with %d jobs: %s; with %d: %s; load %s", depthPage, spread(call.short, median, percent99),
				l.plan.depth, spread(call.long, median, percent99), load())},
		})
	}
	return results, nil
}

// longer returns how many times longer a quantile of a is than that of b.
func longer(a, b []time.Duration, q float64) float64 {
	return float64(quantile(a, q)) / float64(max(1, quantile(b, q)))
}

// pollingWorker registers a worker without a stream: it takes a job only when it asks.
func pollingWorker(ctx context.Context, s *serverProcess, t *transport.Transport) (*transport.Session, error) {
	token, err := s.token(datadir.RegistrationTokenFile)
	if err != nil {
		return nil, err
	}
	session, err := t.Register(ctx, func() string { return token }, wire.RegisterRequest{
		Name: "polling", Tags: []string{wire.QueueTag + bareQueue}, ScriptEvalEnabled: true,
	})
	if err == nil {
		err = session.Connect(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("registering a worker: %w", err)
	}
	return session, nil
}

// fillQueue submits that many jobs, which nobody takes.
func fillQueue(ctx context.Context, c *client.Client, jobs int) error {
	batch := make([]*switchyardv1.SubmitJobRequest, 0, depthBatch)
	for n := range jobs {
		batch = append(batch, &switchyardv1.SubmitJobRequest{Command: bareCommand(), Queue: bareQueue})
		if len(batch) < depthBatch && n < jobs-1 {
			continue
		}
		stored, err := c.SubmitAll(ctx, batch)
		if err != nil {
			return fmt.Errorf("filling the queue: %w", err)
		}
		for _, one := range stored {
			if one.GetCode() != "" {
				return fmt.Errorf("filling the queue: %s: %s", one.GetCode(), one.GetMessage())
			}
		}
		batch = batch[:0]
	}
	return nil
}

// callsAtDepth submits jobs that come before all others of their queue, has the worker ask
// for each, run and finish it, and lists the queue.
func callsAtDepth(ctx context.Context, c *client.Client, session *transport.Session, samples int) (times depthTimes, err error) {
	timed := func(into *[]time.Duration, call func() error) {
		if err != nil {
			return
		}
		began := time.Now()
		err = call()
		*into = append(*into, time.Since(began))
	}
	for range samples {
		var id string
		timed(&times.submit, func() error {
			submitted, err := c.Submit(ctx, &switchyardv1.SubmitJobRequest{Command: bareCommand(), Queue: bareQueue, Priority: 1})
			id = submitted.GetJob().GetId()
			return err //nolint:wrapcheck // it says what was attempted
		})
		timed(&times.dispatch, func() error {
			got, err := session.Ping(ctx)
			if err == nil && got.Instruction.JobID != id {
				err = fmt.Errorf("a ping returned job %q, want %q", got.Instruction.JobID, id)
			}
			return err
		})
		if err == nil {
			err = runBare(ctx, session, id)
		}
		timed(&times.list, func() error {
			request := &switchyardv1.ListJobsRequest{Queue: bareQueue, States: []switchyardv1.JobState{switchyardv1.JobState_JOB_STATE_QUEUED}}
			for _, err := range c.Jobs(ctx, request, depthPage).All() {
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return times, err
		}
	}
	return times, nil
}

// runBare accepts, starts and finishes a job.
func runBare(ctx context.Context, session *transport.Session, id string) error {
	accepted, err := session.Accept(ctx, id)
	if err != nil {
		return fmt.Errorf("accepting job %s: %w", id, err)
	}
	job := session.Job(accepted)
	if err := job.Start(ctx, time.Now()); err != nil {
		return fmt.Errorf("starting job %s: %w", id, err)
	}
	if err := job.Finish(ctx, wire.FinishRequest{ExitStatus: "0"}); err != nil {
		return fmt.Errorf("finishing job %s: %w", id, err)
	}
	return nil
}
