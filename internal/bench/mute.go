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

// measureMute starts workers whose streams get no response and others whose
// streams get no message, and measures the time from a worker's connect call to
// its first ping.
func measureMute(ctx context.Context, l *lab) (results []result, err error) {
	b, err := l.newTestbed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	var mu sync.Mutex
	faults := map[string]streamFault{}
	b.probe.setFault(func(worker string) streamFault {
		mu.Lock()
		defer mu.Unlock()
		if faults[worker] == noFault { // every second worker, for all of its attempts
			faults[worker] = noResponse
			if len(faults)%2 == 0 {
				faults[worker] = noMessage
			}
		}
		return faults[worker]
	})
	w := b.probe.subscribe()
	defer b.probe.unsubscribe(w)
	a, err := b.startAgent(ctx, l.binary, "", muteWorkers)
	if err != nil {
		return nil, err
	}
	connected := map[string]time.Time{}
	pings, err := a.waitUnlessEnded(ctx, muteTimeout, func(ctx context.Context) (map[string]time.Time, error) {
		return firstPings(ctx, w, muteWorkers, connected)
	})
	if err != nil {
		return nil, err
	}
	mu.Lock()
	defer mu.Unlock()
	by := map[streamFault][]time.Duration{}
	var all []time.Duration
	for worker, at := range pings {
		took := at.Sub(connected[worker])
		all = append(all, took)
		by[faults[worker]] = append(by[faults[worker]], took)
	}
	most := quantile(all, maximum)
	return []result{{
		key: keyMute, value: seconds(most) + " s", samples: len(all), outcome: outcomeOf(true, most <= muteReach),
		notes: []string{fmt.Sprintf("the slowest, from the worker's connect call; no response: %s s, no message: %s s",
			seconds(quantile(by[noResponse], maximum)), seconds(quantile(by[noMessage], maximum)))},
	}}, nil
}

// firstPings waits for the first pings of that many workers, and returns their
// times by worker. It stores the times of the connect calls in connected.
func firstPings(ctx context.Context, w *subscription, workers int, connected map[string]time.Time) (map[string]time.Time, error) {
	first := map[string]time.Time{}
	err := w.until(ctx, fmt.Sprintf("the pings of %d workers", workers), func(s event) bool {
		switch s.kind { //nolint:exhaustive // others do not matter
		case workerConnected:
			connected[s.worker] = s.at
		case pingSent:
			if _, known := first[s.worker]; !known {
				first[s.worker] = s.at
			}
		}
		return len(first) == workers
	})
	return first, err
}
