package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	steadyWorkers = 20
	steadyReach   = 10 * time.Millisecond
	// drainTimeout bounds the wait for the last jobs.
	drainTimeout = 60 * time.Second
)

// arrivals are the times of jobs, by job ID.
type arrivals struct {
	mu        sync.Mutex
	submitted map[string]time.Time // the start of the call
	written   map[string]time.Time
	accepted  map[string]time.Time
	finished  int
	errs      []error
}

// measureSteady submits jobs at a steady rate to workers that are never all busy.
func measureSteady(ctx context.Context, l *lab) (results []result, err error) {
	b, err := l.newTestbed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if _, _, err := b.join(ctx, l.binary, "", steadyWorkers); err != nil {
		return nil, err
	}
	jobs := &arrivals{
		submitted: map[string]time.Time{}, written: map[string]time.Time{}, accepted: map[string]time.Time{},
	}
	w := b.probe.subscribe()
	defer b.probe.unsubscribe(w)
	stop := timerLateness(ctx)
	defer stop()
	count := b.submitSteadily(ctx, l.plan, jobs)
	if err := errors.Join(jobs.errs...); err != nil {
		return nil, err
	}
	drain, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := w.until(drain, "the last job's finish", func(s event) bool {
		jobs.add(s)
		return jobs.finished == count
	}); err != nil {
		return nil, err
	}
	late := stop()
	fromSubmit, fromMessage := jobs.latencies()
	p999 := quantile(fromSubmit, percent999)
	disk, err := syncTimes(b.dir)
	if err != nil {
		return nil, err
	}
	return []result{{
		key: keySteady, value: milliseconds(p999) + " ms", samples: len(fromSubmit),
		outcome: outcomeOf(l.plan.steady >= designSteady, p999 <= steadyReach),
		notes: []string{
			fmt.Sprintf("%d jobs a second for %v, from the start of the submit call, with the sync of the store: %s",
				l.plan.rate, l.plan.steady, spread(fromSubmit, median, percent99, maximum)),
			"from the message on the stream, when the job is stored: " + spread(fromMessage, median, percent99, percent999),
			"a write with its sync, measured afterwards: " + spread(disk, median, percent99, maximum),
			fmt.Sprintf("meanwhile a timer of %v was late by %s, which the machine adds to every wake-up",
				timerPeriod, spread(late, median, percent99, percent999, maximum)),
		},
	}}, nil
}

// submitSteadily submits jobs at a steady rate, each from a goroutine of its own, so
// that a slow call does not delay the next. It returns their number when all calls
// have returned.
func (b *testbed) submitSteadily(ctx context.Context, p plan, jobs *arrivals) int {
	every := time.Second / time.Duration(p.rate)
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	var calls sync.WaitGroup
	defer calls.Wait()
	count := int(p.steady / every)
	for range count {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			jobs.fail(context.Cause(ctx))
			return count
		}
		calls.Go(func() {
			start := time.Now()
			id, err := b.submit(ctx)
			if err != nil {
				jobs.fail(err)
				return
			}
			jobs.mu.Lock()
			defer jobs.mu.Unlock()
			jobs.submitted[id] = start
		})
	}
	return count
}

func (j *arrivals) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.errs = append(j.errs, err)
}

func (j *arrivals) add(s event) {
	switch s.kind { //nolint:exhaustive // others are not about a job
	case jobAssigned:
		j.written[s.job] = s.at
	case jobAccepted:
		if _, again := j.accepted[s.job]; !again {
			j.accepted[s.job] = s.at
		}
	case jobFinished:
		j.finished++
	}
}

// latencies returns the times to the accepts of the jobs.
func (j *arrivals) latencies() (fromSubmit, fromMessage []time.Duration) {
	for id, at := range j.accepted {
		if start, ok := j.submitted[id]; ok {
			fromSubmit = append(fromSubmit, at.Sub(start))
		}
		if written, ok := j.written[id]; ok {
			fromMessage = append(fromMessage, at.Sub(written))
		}
	}
	return fromSubmit, fromMessage
}
