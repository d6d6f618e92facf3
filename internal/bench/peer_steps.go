package main

import (
	"context"
	"fmt"
	"time"
)

// assigned is a job of a stage.
type assigned struct {
	worker string
	at     time.Time // when its message was about to be written
}

// dispatch runs jobs on one worker, one after the other.
func (s *stage) dispatch(ctx context.Context, jobs int, got peerRound) error {
	var accept, finish []time.Duration
	for range jobs {
		a, f, err := s.runJobs(ctx, s.workers[:1])
		if err != nil {
			return err
		}
		accept, finish = append(accept, a...), append(finish, f...)
		if err := pause(ctx, jobGap); err != nil {
			return err
		}
	}
	got[rowAccept], got[rowFinish] = inMilliseconds(quantile(accept, median)), inMilliseconds(quantile(finish, median))
	return nil
}

// burst runs one job on each worker at once, some times.
func (s *stage) burst(ctx context.Context, got peerRound) error {
	var all []time.Duration
	for range bursts {
		_, finish, err := s.runJobs(ctx, s.workers)
		if err != nil {
			return err
		}
		all = append(all, finish...)
		if err := pause(ctx, restTime); err != nil {
			return err
		}
	}
	got[rowBurst] = inMilliseconds(quantile(all, median))
	return nil
}

// runJobs assigns a job to each of some workers and waits for their ends. It returns the
// times from the messages to the accepts and to the finishes.
func (s *stage) runJobs(ctx context.Context, workers []string) (accept, finish []time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	for _, worker := range workers {
		if _, err := s.recorder.assign(worker); err != nil {
			return nil, nil, err
		}
	}
	jobs := map[string]assigned{}
	accepted := map[string]bool{}
	err = s.recorder.events.until(ctx, "the ends of jobs", func(e event) bool {
		since := e.at.Sub(jobs[e.job].at)
		switch e.kind { //nolint:exhaustive // others are not about a job
		case jobAssigned:
			jobs[e.job] = assigned{e.worker, e.at}
		case jobAccepted:
			if !accepted[e.job] { // else it was tried again
				accepted[e.job] = true
				accept = append(accept, since)
			}
		case jobFinished:
			finish = append(finish, since)
		}
		return len(finish) == len(workers)
	})
	return accept, finish, err
}

// steady makes jobs ready at a steady rate, and assigns each to a worker without one.
func (s *stage) steady(ctx context.Context, p plan, got peerRound) error {
	ctx, cancel := context.WithTimeout(ctx, p.steady+peerTimeout)
	defer cancel()
	idle := append([]string(nil), s.workers...)
	var ready []time.Time // of jobs that wait for a worker
	readyAt, accepted := map[string]time.Time{}, map[string]bool{}
	var accept []time.Duration
	assign := func() error {
		for len(ready) > 0 && len(idle) > 0 {
			id, err := s.recorder.assign(idle[0])
			if err != nil {
				return err
			}
			readyAt[id] = ready[0]
			ready, idle = ready[1:], idle[1:]
		}
		return nil
	}
	busy := map[string]string{} // workers, by job
	note := func(e event) {
		switch e.kind { //nolint:exhaustive // others are not about a job
		case jobAssigned:
			busy[e.job] = e.worker
		case jobAccepted:
			if !accepted[e.job] {
				accepted[e.job] = true
				accept = append(accept, e.at.Sub(readyAt[e.job]))
			}
		case jobFinished:
			idle = append(idle, busy[e.job])
		}
	}
	total := int(p.steady / time.Second * time.Duration(p.rate))
	ticker := time.NewTicker(time.Second / time.Duration(p.rate))
	defer ticker.Stop()
	for made := 0; len(accept) < total || len(idle) < len(s.workers); {
		select {
		case <-ticker.C:
			if made < total {
				made++
				ready = append(ready, time.Now())
			}
		case <-s.recorder.events.wake:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d jobs were accepted: %w", len(accept), total, context.Cause(ctx))
		}
		for _, e := range s.recorder.events.take() {
			note(e)
		}
		if err := assign(); err != nil {
			return err
		}
	}
	got[rowSteady] = inMilliseconds(quantile(accept, percent999))
	return nil
}

// rest measures the memory and the CPU time of a program without jobs.
func (s *stage) rest(ctx context.Context, p plan, got peerRound, workers string) error {
	if err := pause(ctx, p.settle); err != nil {
		return err
	}
	pid := s.process.cmd.Process.Pid
	before, err := cpuTime(pid)
	if err != nil {
		return err
	}
	if err := pause(ctx, p.idle); err != nil {
		return err
	}
	after, err := cpuTime(pid)
	if err != nil {
		return err
	}
	memory, err := residentMemory(pid)
	if err != nil {
		return err
	}
	got[rowMemory+workers] = float64(memory) / megabyte
	got[rowCPU+workers] = inMilliseconds(after - before)
	return nil
}
