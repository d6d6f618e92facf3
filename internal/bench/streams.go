package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/switchyard-ci/switchyard/internal/datadir"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	designStreams       = 20_000
	designPerConnection = 10
	streamMemoryReach   = 20 << 10
	streamOpenReach     = 30 * time.Second
	streamIdleReach     = 4 * time.Second
	// crowdLimit bounds the time until every stream is open.
	crowdLimit = 5 * time.Minute
	// crowdJobs are the jobs that measure dispatch among the streams, crowdGap apart.
	crowdJobs = 300
	crowdGap  = 20 * time.Millisecond
)

// crowdCosts is what a crowd cost a server.
type crowdCosts struct {
	memory      int64         // of one stream
	open        time.Duration // until every stream was open
	openCPU     time.Duration
	idleCPU     time.Duration
	idleFor     time.Duration
	loadAverage string
}

func (c crowdCosts) String() string {
	return fmt.Sprintf("%.1f KB a stream, all open after %.1f s with %.1f s of CPU, %.2f s of CPU in %v idle (load %s)",
		float64(c.memory)/1024, c.open.Seconds(), c.openCPU.Seconds(), c.idleCPU.Seconds(), c.idleFor, c.loadAverage)
}

// measureStreams opens many streams on a control plane, and on a bare server before, lets
// them be idle, dispatches jobs among them, and restarts the control plane.
func measureStreams(ctx context.Context, l *lab) (results []result, err error) {
	bare, err := l.bareStreams(ctx)
	if err != nil {
		return nil, fmt.Errorf("the bare server: %w", err)
	}
	s, err := l.newServer(ctx, "streams")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	c, err := startCrowd(ctx, s, filepath.Join(s.dir, datadir.RegistrationTokenFile), l.plan.streams, l.plan.perConnection)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.end()) }()
	costs, err := l.crowdCosts(ctx, s, c)
	if err != nil {
		return nil, err
	}
	asDesigned := l.plan.streams == designStreams && l.plan.perConnection == designPerConnection && l.plan.idle == designIdle
	size := fmt.Sprintf("%d streams, %d on a connection", l.plan.streams, l.plan.perConnection)
	results = []result{{
		key: keyStreams, samples: l.plan.streams,
		value:   fmt.Sprintf("%.1f KB, %.1f s, %.1f s", float64(costs.memory)/1024, costs.open.Seconds(), costs.idleCPU.Seconds()),
		outcome: outcomeOf(asDesigned, costs.memory <= streamMemoryReach && costs.open <= streamOpenReach && costs.idleCPU <= streamIdleReach),
		notes:   []string{size + ": " + costs.String(), "a bare server of net/http, which stores and checks nothing: " + bare.String()},
	}}
	waits, err := l.dispatchAmong(ctx, s, c)
	if err != nil {
		return results, err
	}
	results = append(results, result{
		key: keyAmong, value: milliseconds(quantile(waits, median)) + " / " + milliseconds(quantile(waits, percent99)) + " ms",
		samples: len(waits), outcome: open, notes: []string{"max " + milliseconds(quantile(waits, maximum)) + " ms; load " + load()},
	})
	back, err := l.restartAmong(ctx, &s, c)
	if err == nil {
		results = append(results, back)
	}
	return results, err
}

// bareStreams measures the same crowd at the bare server.
func (l *lab) bareStreams(ctx context.Context) (costs crowdCosts, err error) {
	program, err := os.Executable()
	if err != nil {
		return costs, fmt.Errorf("starting it: %w", err)
	}
	address, err := freeAddress(ctx)
	if err != nil {
		return costs, err
	}
	s, err := startProcess(ctx, []string{program, bareServerCommand, address}, l.dir, address)
	if err != nil {
		return costs, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	if _, err := s.ready(ctx); err != nil {
		return costs, err
	}
	token := filepath.Join(l.dir, "bare-token")
	if err := os.WriteFile(token, []byte("none"), privateMode); err != nil {
		return costs, fmt.Errorf("writing a token: %w", err)
	}
	c, err := startCrowd(ctx, s, token, l.plan.streams, l.plan.perConnection)
	if err != nil {
		return costs, err
	}
	defer func() { err = errors.Join(err, c.end()) }()
	return l.crowdCosts(ctx, s, c)
}

// crowdCosts measures a crowd that has just been started, from its start on.
func (l *lab) crowdCosts(ctx context.Context, s *serverProcess, c *crowdProcess) (costs crowdCosts, err error) {
	costs.idleFor, costs.loadAverage = l.plan.idle, load()
	pid := s.cmd.Process.Pid
	without, err := residentMemory(pid)
	if err != nil {
		return costs, err
	}
	cpu, err := cpuTime(pid)
	if err != nil {
		return costs, err
	}
	at, err := l.allOpen(ctx, c)
	if err != nil {
		return costs, err
	}
	costs.open = at.Sub(c.started)
	opened, err := cpuTime(pid)
	if err != nil {
		return costs, err
	}
	costs.openCPU = opened - cpu
	if err := pause(ctx, l.plan.settle); err != nil {
		return costs, err
	}
	if costs.idleCPU, err = cpuIn(ctx, pid, l.plan.idle); err != nil {
		return costs, err
	}
	with, err := residentMemory(pid)
	costs.memory = (with - without) / int64(l.plan.streams)
	return costs, err
}

// allOpen waits until every stream of a crowd is open, and returns when that was.
func (l *lab) allOpen(ctx context.Context, c *crowdProcess) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, crowdLimit)
	defer cancel()
	e, err := c.until(ctx, "all streams", func(e crowdEvent) bool { return e.Open == l.plan.streams })
	return time.Unix(0, e.At), err
}

// dispatchAmong submits jobs, one after the other, and returns how long it took from each
// submission until a worker received the job.
func (l *lab) dispatchAmong(ctx context.Context, s *serverProcess, c *crowdProcess) (waits []time.Duration, err error) {
	caller, err := s.client()
	if err != nil {
		return nil, err
	}
	defer caller.Close()
	for range crowdJobs {
		began := time.Now()
		submitted, err := caller.Submit(ctx, &switchyardv1.SubmitJobRequest{Command: bareCommand(), Queue: bareQueue})
		if err != nil {
			return waits, fmt.Errorf("submitting a job: %w", err)
		}
		id := submitted.GetJob().GetId()
		bounded, cancel := context.WithTimeout(ctx, jobTimeout)
		offered, err := c.until(bounded, "job "+id, func(e crowdEvent) bool { return e.Job == id })
		if err == nil {
			_, err = c.until(bounded, "the end of job "+id, func(e crowdEvent) bool { return e.Job == id && e.Finished })
		}
		cancel()
		if err != nil {
			return waits, err
		}
		waits = append(waits, time.Unix(0, offered.At).Sub(began))
		if err := pause(ctx, crowdGap); err != nil {
			return waits, err
		}
	}
	return waits, nil
}

// restartAmong restarts the control plane, and returns how long it took until every stream
// was open again.
func (l *lab) restartAmong(ctx context.Context, s **serverProcess, c *crowdProcess) (result, error) {
	began := time.Now()
	if err := (*s).end(); err != nil {
		return result{}, err
	}
	ended := time.Now()
	again, err := startServerAt(ctx, l.binary, (*s).dir, (*s).address(), 0)
	if err != nil {
		return result{}, err
	}
	*s = again
	ready, err := again.ready(ctx)
	if err != nil {
		return result{}, err
	}
	served := time.Now()
	before, err := cpuTime(again.cmd.Process.Pid)
	if err != nil {
		return result{}, err
	}
	at, err := l.allOpen(ctx, c)
	if err != nil {
		return result{}, err
	}
	after, err := cpuTime(again.cmd.Process.Pid)
	if err != nil {
		return result{}, err
	}
	return result{
		key: keyStreamsBack, value: seconds(at.Sub(served)) + " s", samples: l.plan.streams, outcome: open,
		notes: []string{fmt.Sprintf("the end took %.1f s, the start %.1f s, and the CPU until all were back %.1f s; load %s",
			ended.Sub(began).Seconds(), ready.Seconds(), (after - before).Seconds(), load())},
	}, nil
}
