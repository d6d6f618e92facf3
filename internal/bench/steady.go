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

// arrivals are jobs by when they were submitted and how they went.
type arrivals struct {
	mu        sync.Mutex
	submitted map[string]time.Time // when the call was begun
	written   map[string]time.Time
	accepted  map[string]time.Time
	finished  int
	errs      []error
}

// measureSteady has jobs arrive steadily at a fleet that is never full.
func measureSteady(ctx context.Context, l *lab) (results []result, err error) {
	b, err := l.makeBed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.clear()) }()
	if _, _, err := b.join(ctx, l.binary, "", steadyWorkers); err != nil {
		return nil, err
	}
	jobs := &arrivals{
		submitted: map[string]time.Time{}, written: map[string]time.Time{}, accepted: map[string]time.Time{},
	}
	w := b.probe.watch()
	defer b.probe.forget(w)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	late := make(chan []time.Duration, 1)
	go func() { late <- lateness(watching) }()
	count := b.arrive(ctx, l.plan, jobs)
	if err := errors.Join(jobs.errs...); err != nil {
		return nil, err
	}
	drain, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := w.until(drain, "the last job's finish", func(s sight) bool {
		jobs.see(s)
		return jobs.finished == count
	}); err != nil {
		return nil, err
	}
	stop()
	wakeUps := <-late
	fromSubmit, fromMessage := jobs.took()
	p999 := quantile(fromSubmit, permille)
	disk, err := syncTime(b.dir)
	if err != nil {
		return nil, err
	}
	return []result{{
		key: keySteady, value: milliseconds(p999) + " ms", samples: len(fromSubmit),
		verdict: decide(l.plan.steady >= designSteady, p999 <= steadyReach),
		notes: []string{
			fmt.Sprintf("%d jobs a second for %v, from the beginning of the submitter's call, the store's sync included: "+
				"p50 %s, p99 %s, max %s ms",
				l.plan.rate, l.plan.steady, milliseconds(quantile(fromSubmit, half)),
				milliseconds(quantile(fromSubmit, percent99)), milliseconds(quantile(fromSubmit, everything))),
			fmt.Sprintf("from the message on the stream, once the job is stored: p50 %s, p99 %s, p99.9 %s ms",
				milliseconds(quantile(fromMessage, half)), milliseconds(quantile(fromMessage, percent99)),
				milliseconds(quantile(fromMessage, permille))),
			fmt.Sprintf("a write with its sync, after it: p50 %s, p99 %s, max %s ms", milliseconds(quantile(disk, half)),
				milliseconds(quantile(disk, percent99)), milliseconds(quantile(disk, everything))),
			fmt.Sprintf("meanwhile a timer of %v came late by p50 %s, p99 %s, p99.9 %s, max %s ms: what the machine adds to every waking",
				lateTick, milliseconds(quantile(wakeUps, half)), milliseconds(quantile(wakeUps, percent99)),
				milliseconds(quantile(wakeUps, permille)), milliseconds(quantile(wakeUps, everything))),
		},
	}}, nil
}

// arrive submits jobs at their times, each in a call of its own, so that a slow
// one does not put off the next. It answers with how many when all are answered.
func (b *bed) arrive(ctx context.Context, p plan, jobs *arrivals) int {
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
			jobs.failed(context.Cause(ctx))
			return count
		}
		calls.Go(func() {
			began := time.Now()
			id, err := b.submit(ctx)
			if err != nil {
				jobs.failed(err)
				return
			}
			jobs.mu.Lock()
			defer jobs.mu.Unlock()
			jobs.submitted[id] = began
		})
	}
	return count
}

func (j *arrivals) failed(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.errs = append(j.errs, err)
}

func (j *arrivals) see(s sight) {
	switch s.what { //nolint:exhaustive // the rest is not about a job
	case assigned:
		j.written[s.job] = s.at
	case accepted:
		if _, again := j.accepted[s.job]; !again {
			j.accepted[s.job] = s.at
		}
	case finished:
		j.finished++
	}
}

// took is how long each job took to be accepted.
func (j *arrivals) took() (fromSubmit, fromMessage []time.Duration) {
	for id, at := range j.accepted {
		if begun, ok := j.submitted[id]; ok {
			fromSubmit = append(fromSubmit, at.Sub(begun))
		}
		if written, ok := j.written[id]; ok {
			fromMessage = append(fromMessage, at.Sub(written))
		}
	}
	return fromSubmit, fromMessage
}
