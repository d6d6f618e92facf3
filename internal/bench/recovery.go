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
	// backTimeout is longer than the longest window of a reconnect.
	backTimeout = 100 * time.Second
)

// measureStreamBack takes the stream's endpoint away from a fleet, and gives it
// back.
func measureStreamBack(ctx context.Context, l *lab) ([]result, error) {
	took, err := l.recovery(ctx, func(b *bed, _ *link) {
		b.probe.setFault(func(string) streamFault { return gone })
		b.probe.kill("")
	}, func(b *bed, _ *link) {
		b.probe.setFault(func(string) streamFault { return whole })
	})
	return recovered(l.plan, keyBack, took, backHalf, backMost), err
}

// measureAllBack takes the control plane away from a fleet, and gives it back.
func measureAllBack(ctx context.Context, l *lab) ([]result, error) {
	took, err := l.recovery(ctx, func(_ *bed, between *link) { between.cut() }, func(_ *bed, between *link) { between.heal() })
	return recovered(l.plan, keyAllBack, took, allBackHalf, allBackMost), err
}

func recovered(p plan, key string, took []time.Duration, halfReach, mostReach time.Duration) []result {
	if len(took) == 0 {
		return nil
	}
	p50, most := quantile(took, half), quantile(took, everything)
	r := result{
		key: key, value: seconds(p50) + " / " + seconds(most) + " s", samples: len(took),
		verdict: decide(p.outage >= designOutage, p50 <= halfReach && most <= mostReach),
		notes:   []string{"p99 " + seconds(quantile(took, percent99)) + " s; one agent of all the workers"},
	}
	if p.outage != designOutage {
		r.notes = append(r.notes, fmt.Sprintf("after an outage of %v, not %v", p.outage, designOutage))
	}
	return []result{r}
}

// recovery measures how long after the end of an outage the stream spoke to each
// worker again.
func (l *lab) recovery(ctx context.Context, begin, end func(*bed, *link)) (took []time.Duration, err error) {
	b, err := l.makeBed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.clear()) }()
	between, err := b.linkTo(ctx, true)
	if err != nil {
		return nil, err
	}
	if _, _, err := b.join(ctx, l.binary, between.url(), l.plan.fleet); err != nil {
		return nil, err
	}
	begin(b, between)
	// The agents must get through once more to leave well.
	defer end(b, between)
	if err := pause(ctx, l.plan.outage); err != nil {
		return nil, err
	}
	w := b.probe.watch()
	defer b.probe.forget(w)
	healed := time.Now()
	end(b, between)
	ctx, cancel := context.WithTimeout(ctx, backTimeout)
	defer cancel()
	first, err := inControl(ctx, w, l.plan.fleet)
	for _, at := range first {
		took = append(took, at.Sub(healed))
	}
	return took, err
}
