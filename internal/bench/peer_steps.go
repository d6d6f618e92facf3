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
	var all times
	for range jobs {
		one, err := s.runJobs(ctx, s.workers[:1])
		if err != nil {
			return err
		}
		all.add(one)
		if err := pause(ctx, jobGap); err != nil {
			return err
		}
	}
	got[rowAccept], got[rowBegin] = inMilliseconds(quantile(all.accept, median)), inMilliseconds(quantile(all.start, median))
	got[rowFinish] = inMilliseconds(quantile(all.finish, median))
	return nil
}

// burst runs one job on each worker at once, some times. The CPU time is that of the program
// and of the jobs' processes, with what the program puts off until the jobs have ended.
func (s *stage) burst(ctx context.Context, got peerRound) error {
	before, err := cpuTimeWithChildren(s.process.cmd.Process.Pid)
	if err != nil {
		return err
	}
	var all times
	for range bursts {
		one, err := s.runJobs(ctx, s.workers)
		if err != nil {
			return err
		}
		all.add(one)
		if err := pause(ctx, restTime); err != nil {
			return err
		}
	}
	after, err := cpuTimeWithChildren(s.process.cmd.Process.Pid)
	if err != nil {
		return err
	}
	got[rowBurst] = inMilliseconds(quantile(all.finish, median))
	got[rowJobCPU] = inMilliseconds(after-before) / float64(len(all.finish))
	return nil
}

// times are those from the messages that assign jobs to what follows.
type times struct{ accept, start, finish []time.Duration }

func (t *times) add(other times) {
	t.accept, t.start, t.finish = append(t.accept, other.accept...), append(t.start, other.start...), append(t.finish, other.finish...)
}

// runJobs assigns a job to each of some workers and waits for their ends.
func (s *stage) runJobs(ctx context.Context, workers []string) (took times, err error) {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	for _, worker := range workers {
		if _, err := s.recorder.assign(worker); err != nil {
			return times{}, err
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
				took.accept = append(took.accept, since)
			}
		case jobStarted:
			took.start = append(took.start, since)
		case jobFinished:
			took.finish = append(took.finish, since)
		}
		return len(took.finish) == len(workers)
	})
	return took, err
}

// steady makes jobs ready at a steady rate, and assigns each to a worker without one.
func (s *stage) steady(ctx context.Context, p plan, got peerRound) error {
	ctx, cancel := context.WithTimeout(ctx, p.steady+peerTimeout)
	defer cancel()
	idle := append([]string(nil), s.workers...)
	var ready []time.Time // of jobs that wait for a worker
	readyAt, assignedAt, accepted := map[string]time.Time{}, map[string]time.Time{}, map[string]bool{}
	var took arrivalTimes
	stop := timerLateness(ctx)
	defer stop()
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
			busy[e.job], assignedAt[e.job] = e.worker, e.at
		case jobAccepted:
			if !accepted[e.job] {
				accepted[e.job] = true
				took.add(readyAt[e.job], assignedAt[e.job], e.at)
			}
		case jobFinished:
			idle = append(idle, busy[e.job])
		}
	}
	total := int(p.steady / time.Second * time.Duration(p.rate))
	ticker := time.NewTicker(time.Second / time.Duration(p.rate))
	defer ticker.Stop()
	for made := 0; len(took.all) < total || len(idle) < len(s.workers); {
		select {
		case <-ticker.C:
			if made < total {
				made++
				ready = append(ready, time.Now())
			}
		case <-s.recorder.events.wake:
		case <-ctx.Done():
			return fmt.Errorf("%d of %d jobs were accepted: %w", len(took.all), total, context.Cause(ctx))
		}
		for _, e := range s.recorder.events.take() {
			note(e)
		}
		if err := assign(); err != nil {
			return err
		}
	}
	got[rowSteady] = inMilliseconds(quantile(took.all, percent999))
	got[rowSteadyWait], got[rowSteadyWire] = inMilliseconds(took.wait), inMilliseconds(took.wire)
	got[rowLate] = inMilliseconds(quantile(stop(), maximum))
	return nil
}

// arrivalTimes are the times from when jobs were ready to their accepts.
type arrivalTimes struct {
	all        []time.Duration
	wait, wire time.Duration // of the slowest: until its message, and from there to its accept
}

func (t *arrivalTimes) add(ready, assigned, accepted time.Time) {
	took := accepted.Sub(ready)
	t.all = append(t.all, took)
	if took > t.wait+t.wire {
		t.wait, t.wire = assigned.Sub(ready), accepted.Sub(assigned)
	}
}

// reset resets the streams of workers, one at a time and each once, and measures the time
// to the next ping.
func (s *stage) reset(ctx context.Context, kills int, got peerRound) error {
	ctx, cancel := context.WithTimeout(ctx, peerTimeout)
	defer cancel()
	var took []time.Duration
	for _, worker := range s.workers[:min(kills, len(s.workers))] {
		if err := s.recorder.kill(worker); err != nil {
			return err
		}
		var killed time.Time
		err := s.recorder.events.until(ctx, "a ping after a reset", func(e event) bool {
			switch {
			case e.worker != worker:
			case e.kind == streamKilled:
				killed = e.at
			case e.kind == pingSent && !killed.IsZero():
				took = append(took, e.at.Sub(killed))
				return true
			}
			return false
		})
		if err != nil {
			return err
		}
		if err := pause(ctx, jobGap); err != nil {
			return err
		}
	}
	got[rowReset] = inMilliseconds(quantile(took, median))
	return nil
}

// rest measures the memory, in MiB, and the CPU time, in ms, of a program without jobs.
func (s *stage) rest(ctx context.Context, p plan) (memory, cpu float64, err error) {
	if err := pause(ctx, p.settle); err != nil {
		return 0, 0, err
	}
	pid := s.process.cmd.Process.Pid
	used, err := cpuIn(ctx, pid, p.idle)
	if err != nil {
		return 0, 0, err
	}
	resident, err := residentMemory(pid)
	return float64(resident) / megabyte, inMilliseconds(used), err
}
