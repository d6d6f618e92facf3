package main

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

const (
	killWorkers = 20
	killReach   = 3 * time.Millisecond
	// killGap parts two kills, so that each is seen alone; with all workers in
	// turn, each has been back in control for a while when it is its turn again.
	killGap = 100 * time.Millisecond
	// killTimeout bounds one fall back, and the return to the stream after it.
	killTimeout = 20 * time.Second
)

// measureKill resets streams, one at a time.
func measureKill(ctx context.Context, l *lab) (results []result, err error) {
	b, err := l.makeBed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.clear()) }()
	_, first, err := b.join(ctx, l.binary, "", killWorkers)
	if err != nil {
		return nil, err
	}
	workers := slices.Sorted(maps.Keys(first))
	var took []time.Duration
	for i := range l.plan.kills {
		fell, err := b.killOne(ctx, workers[i%len(workers)])
		if err != nil {
			return nil, err
		}
		took = append(took, fell)
		if err := pause(ctx, killGap); err != nil {
			return nil, err
		}
	}
	p50 := quantile(took, half)
	return []result{{
		key: keyKill, value: milliseconds(p50) + " ms", samples: len(took), verdict: decide(true, p50 <= killReach),
		notes: []string{"the stream is reset, its connection is not; p99 " + milliseconds(quantile(took, percent99)) + " ms"},
	}}, nil
}

// killOne resets one worker's stream, measures the time to its ping, and waits
// until the stream is back in control.
func (b *bed) killOne(ctx context.Context, worker string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, killTimeout)
	defer cancel()
	w := b.probe.watch()
	defer b.probe.forget(w)
	b.probe.kill(worker)
	var reset, ping time.Time
	err := w.until(ctx, "a ping, and the stream's return", func(s sight) bool {
		if s.worker != worker {
			return false
		}
		switch s.what { //nolint:exhaustive // nothing else counts
		case killed:
			reset = s.at
		case pinged:
			if ping.IsZero() {
				ping = s.at
			}
		case spoke:
			return !ping.IsZero()
		}
		return false
	})
	return ping.Sub(reset), err
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
