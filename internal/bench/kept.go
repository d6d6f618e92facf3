package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	designKept    = 1_000_000
	keptReach     = 10 * time.Second
	keptMemory    = 600 * megabyte
	keptListed    = 20_000
	keptPage      = 1000
	keptListReach = time.Second
)

// measureKept fills a store with jobs that have ended, starts a control plane on it as
// a process of its own, and lists some of the jobs.
func measureKept(ctx context.Context, l *lab) (results []result, err error) {
	dir, err := os.MkdirTemp(l.dir, "kept-")
	if err != nil {
		return nil, fmt.Errorf("making a directory: %w", err)
	}
	if err := fillStore(ctx, dir, l.plan.kept); err != nil {
		return nil, err
	}
	s, err := startServer(ctx, l.binary, dir, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.end()) }()
	took, err := s.ready(ctx)
	if err != nil {
		return nil, err
	}
	cpu, err := cpuTime(s.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	peak, err := peakMemory(s.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, l.plan.settle); err != nil {
		return nil, err
	}
	settled, err := residentMemory(s.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	listed, page, err := s.list(ctx)
	if err != nil {
		return nil, err
	}
	asDesigned := l.plan.kept == designKept
	return []result{{
		key: keyKept, value: fmt.Sprintf("%.1f s, %d MB", took.Seconds(), peak/megabyte), samples: 1,
		outcome: outcomeOf(asDesigned, took <= keptReach && peak <= keptMemory),
		notes: []string{fmt.Sprintf("%d jobs; CPU time of the start %.1f s; memory after %v: %d MB",
			l.plan.kept, cpu.Seconds(), l.plan.settle, settled/megabyte)},
	}, {
		key: keyListed, value: milliseconds(page) + " ms", samples: 1, outcome: outcomeOf(asDesigned, page <= keptListReach),
		notes: []string{fmt.Sprintf("%d jobs by state and queue, with their number; the newest %d of a state, whole records, in pages: %v",
			keptPage, listed.jobs, listed.took.Round(time.Millisecond))},
	}}, nil
}

// listing is how long it took to list that many jobs.
type listing struct {
	jobs int
	took time.Duration
}

// list lists the newest jobs of a state in pages, and returns how long that took, and
// how long one page took by state and queue.
func (s *serverProcess) list(ctx context.Context) (all listing, page time.Duration, err error) {
	c, err := s.client()
	if err != nil {
		return all, 0, err
	}
	defer c.Close()
	finished := []switchyardv1.JobState{switchyardv1.JobState_JOB_STATE_FINISHED}
	for _, n := range []int{1, keptPage} { // the first one connects
		began := time.Now()
		for _, err := range c.Jobs(ctx, &switchyardv1.ListJobsRequest{States: finished, Queue: "queue-3"}, n).All() {
			if err != nil {
				return all, 0, fmt.Errorf("listing jobs: %w", err)
			}
		}
		page = time.Since(began)
	}
	began := time.Now()
	for _, err := range c.Jobs(ctx, &switchyardv1.ListJobsRequest{States: finished}, keptListed).All() {
		if err != nil {
			return all, 0, fmt.Errorf("listing jobs: %w", err)
		}
		all.jobs++
	}
	all.took = time.Since(began)
	return all, page, nil
}
