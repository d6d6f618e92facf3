package main

import (
	"context"
	"errors"
	"fmt"
	"time"
)

const (
	backHalf, backMost       = 6 * time.Second, 20 * time.Second
	allBackHalf, allBackMost = 3 * time.Second, 6 * time.Second
	// backTimeout is longer than the longest reconnect window.
	backTimeout = 100 * time.Second
)

// measureStreamBack makes the stream's endpoint unavailable for a while, and
// measures the time until the streams are back.
func measureStreamBack(ctx context.Context, l *lab) ([]result, error) {
	took, err := l.recovery(ctx, func(b *testbed, _ *link) {
		b.probe.setFault(func(string) streamFault { return unavailable })
		b.probe.kill("")
	}, func(b *testbed, _ *link) {
		b.probe.setFault(func(string) streamFault { return noFault })
	})
	return recoveryResult(l.plan, keyBack, took, backHalf, backMost), err
}

// measureAllBack cuts the whole control plane off for a while, and measures the
// time until the streams are back.
func measureAllBack(ctx context.Context, l *lab) ([]result, error) {
	took, err := l.recovery(ctx, func(_ *testbed, between *link) { between.cut() }, func(_ *testbed, between *link) { between.heal() })
	return recoveryResult(l.plan, keyAllBack, took, allBackHalf, allBackMost), err
}

func recoveryResult(p plan, key string, took []time.Duration, halfReach, mostReach time.Duration) []result {
	if len(took) == 0 {
		return nil
	}
	p50, most := quantile(took, median), quantile(took, maximum)
	r := result{
		key: key, value: seconds(p50) + " / " + seconds(most) + " s", samples: len(took),
		outcome: outcomeOf(p.outage >= designOutage, p50 <= halfReach && most <= mostReach),
		notes:   []string{"p99 " + seconds(quantile(took, percent99)) + " s; one agent runs all the workers"},
	}
	if p.outage != designOutage {
		r.notes = append(r.notes, fmt.Sprintf("after an outage of %v, not %v", p.outage, designOutage))
	}
	return []result{r}
}

// recovery returns the times from the end of an outage to the next message on the
// stream of each worker.
func (l *lab) recovery(ctx context.Context, begin, end func(*testbed, *link)) (took []time.Duration, err error) {
	b, err := l.newTestbed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	between, err := b.newLink(ctx, true)
	if err != nil {
		return nil, err
	}
	if _, _, err := b.join(ctx, l.binary, between.url(), l.plan.fleet); err != nil {
		return nil, err
	}
	begin(b, between)
	// The agents need the control plane to leave.
	defer end(b, between)
	if err := pause(ctx, l.plan.outage); err != nil {
		return nil, err
	}
	w := b.probe.subscribe()
	defer b.probe.unsubscribe(w)
	healed := time.Now()
	end(b, between)
	ctx, cancel := context.WithTimeout(ctx, backTimeout)
	defer cancel()
	first, err := firstMessages(ctx, w, l.plan.fleet)
	for _, at := range first {
		took = append(took, at.Sub(healed))
	}
	return took, err
}
