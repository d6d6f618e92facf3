package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	muteWorkers = 10
	muteReach   = 10500 * time.Millisecond
	muteTimeout = 40 * time.Second
)

// measureMute has workers join whose stream never opens, and others whose stream
// never speaks, and measures each from its connect call to its first ping.
func measureMute(ctx context.Context, l *lab) (results []result, err error) {
	b, err := l.makeBed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.clear()) }()
	var mu sync.Mutex
	faults := map[string]streamFault{}
	b.probe.setFault(func(worker string) streamFault {
		mu.Lock()
		defer mu.Unlock()
		if faults[worker] == whole { // one worker in two, whatever its attempt
			faults[worker] = neverOpens
			if len(faults)%2 == 0 {
				faults[worker] = neverSpeaks
			}
		}
		return faults[worker]
	})
	w := b.probe.watch()
	defer b.probe.forget(w)
	a, err := b.startAgent(ctx, l.binary, "", muteWorkers)
	if err != nil {
		return nil, err
	}
	began := map[string]time.Time{}
	pings, err := a.within(ctx, muteTimeout, func(ctx context.Context) (map[string]time.Time, error) {
		return firstPings(ctx, w, muteWorkers, began)
	})
	if err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	by := map[streamFault][]time.Duration{}
	var all []time.Duration
	for worker, at := range pings {
		took := at.Sub(began[worker])
		all = append(all, took)
		by[faults[worker]] = append(by[faults[worker]], took)
	}
	most := quantile(all, everything)
	return []result{{
		key: keyMute, value: seconds(most) + " s", samples: len(all), verdict: decide(true, most <= muteReach),
		notes: []string{fmt.Sprintf("the slowest, from the worker's connect call; never opens: %s s, never speaks: %s s",
			seconds(quantile(by[neverOpens], everything)), seconds(quantile(by[neverSpeaks], everything)))},
	}}, nil
}

// firstPings waits for the first ping of that many workers; when each connected
// is noted in began.
func firstPings(ctx context.Context, w *watch, workers int, began map[string]time.Time) (map[string]time.Time, error) {
	first := map[string]time.Time{}
	err := w.until(ctx, fmt.Sprintf("the pings of %d workers", workers), func(s sight) bool {
		switch s.what { //nolint:exhaustive // nothing else counts
		case connected:
			began[s.worker] = s.at
		case pinged:
			if _, known := first[s.worker]; !known {
				first[s.worker] = s.at
			}
		}
		return len(first) == workers
	})
	return first, err
}
