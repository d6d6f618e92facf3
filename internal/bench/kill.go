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
	// killGap is the time between two kills, so that they do not overlap. The
	// stream of a worker is in control again long before its next kill.
	killGap = 100 * time.Millisecond
	// killTimeout bounds one kill, until the stream is back.
	killTimeout = 20 * time.Second
)

// measureKill resets streams one at a time, and measures the time to the ping.
func measureKill(ctx context.Context, l *lab) (results []result, err error) {
	b, err := l.newTestbed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	_, first, err := b.join(ctx, l.binary, "", killWorkers)
	if err != nil {
		return nil, err
	}
	workers := slices.Sorted(maps.Keys(first))
	var took []time.Duration
	for i := range l.plan.kills {
		latency, err := b.killOne(ctx, workers[i%len(workers)])
		if err != nil {
			return nil, err
		}
		took = append(took, latency)
		if err := pause(ctx, killGap); err != nil {
			return nil, err
		}
	}
	p50 := quantile(took, median)
	return []result{{
		key: keyKill, value: milliseconds(p50) + " ms", samples: len(took), outcome: outcomeOf(true, p50 <= killReach),
		notes: []string{"the stream is reset, its connection is not; " + spread(took, percent99)},
	}}, nil
}

// killOne resets one worker's stream, returns the time to its ping, and waits
// until the stream is back.
func (b *testbed) killOne(ctx context.Context, worker string) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, killTimeout)
	defer cancel()
	w := b.probe.subscribe()
	defer b.probe.unsubscribe(w)
	b.probe.kill(worker)
	var reset, ping time.Time
	err := w.until(ctx, "a ping and the next stream", func(s event) bool {
		if s.worker != worker {
			return false
		}
		switch s.kind { //nolint:exhaustive // others do not matter
		case streamKilled:
			reset = s.at
		case pingSent:
			if ping.IsZero() {
				ping = s.at
			}
		case messageSent:
			return !ping.IsZero()
		}
		return false
	})
	return ping.Sub(reset), err
}

// pause waits. It returns the context's cause if the context ends first.
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
