package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"time"
)

const (
	// stormBefore is how much of the quiet before a restart is looked at, and
	// stormAfter how much of what follows the return.
	stormBefore = 3 * time.Second
	stormAfter  = 15 * time.Second
	// stormSlice is the length of the slices in which arrivals are counted.
	stormSlice = 100 * time.Millisecond
)

// A restart is a way for a control plane to go.
type restart struct {
	name string
	// crash cuts all connections at once; otherwise the control plane ends its
	// streams as planned.
	crash bool
}

func restarts() []restart {
	return []restart{
		{name: "Shut down: the streams are ended as planned, and tried again within a second"},
		{name: "Cut off: every connection is closed at once, and every worker polls at once, once", crash: true},
	}
}

// measureStorm restarts the control plane under a crowd, in each way, and counts
// what arrives in each tenth of a second.
func measureStorm(ctx context.Context, l *lab) ([]result, error) {
	var storms []storm
	for _, way := range restarts() {
		s, err := l.storm(ctx, way)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", way.name, err)
		}
		storms = append(storms, s)
	}
	r := judgeStorms(l.plan, storms)
	if l.plan.plot == "" {
		return []result{r}, nil
	}
	if err := os.WriteFile(l.plan.plot, plotStorms(l.plan, storms), plotMode); err != nil {
		return []result{r}, fmt.Errorf("drawing: %w", err)
	}
	return []result{r}, nil
}

// judgeStorms says how far the busiest slice is from that of a wave.
func judgeStorms(p plan, storms []storm) result {
	streams, pings, came := 0, 0, 0
	r := result{key: keyStorm}
	for _, s := range storms {
		reconnects, after, beats := busiest(s.streams), busiest(s.laterPings()), busiest(s.beats)
		streams, pings = max(streams, reconnects), max(pings, after)
		came += len(s.streams) + len(s.pings) + len(s.beats)
		r.notes = append(r.notes, fmt.Sprintf(
			"%s; away for %s s: in the busiest 100 ms %d reconnects, %d pings after each worker's first (%d with it), %d heartbeats; "+
				"all streams were back %s s after the control plane; meanwhile a timer of %v came late by p99 %s, max %s ms",
			s.way.name, seconds(s.back), reconnects, after, busiest(s.pings), beats, seconds(s.whole-s.back),
			lateTick, milliseconds(quantile(s.late, percent99)), milliseconds(quantile(s.late, everything)),
		))
	}
	most, mostPings := mostReconnects(p.crowd), mostLaterPings(p.crowd)
	r.value = fmt.Sprintf("%d / %d", streams, pings)
	r.samples = came
	r.verdict = decide(p.crowd == designCrowd, streams <= most && pings <= mostPings)
	r.notes = append(r.notes, fmt.Sprintf("%d workers of one agent; a second of reconnects spread evenly has at most %d in 100 ms, "+
		"pings an interval of %v apart at most %d", p.crowd, most, pingInterval, mostPings))
	return r
}

// storm restarts the control plane of a bed of its own, once.
func (l *lab) storm(ctx context.Context, way restart) (_ storm, err error) {
	b, err := l.makeBed(ctx, true)
	if err != nil {
		return storm{}, err
	}
	defer func() { err = errors.Join(err, b.clear()) }()
	between, err := b.linkTo(ctx, true)
	if err != nil {
		return storm{}, err
	}
	log := filepath.Join(b.dir, "transitions.jsonl")
	a, _, err := b.join(ctx, l.binary, between.url(), l.plan.crowd, "--transition-log", log)
	if err != nil {
		return storm{}, err
	}
	w := b.probe.watch()
	defer b.probe.forget(w)
	if err := pause(ctx, stormBefore); err != nil {
		return storm{}, err
	}
	watching, stop := context.WithCancel(ctx)
	defer stop()
	late := make(chan []time.Duration, 1)
	go func() { late <- lateness(watching) }()
	s := storm{way: way, workers: l.plan.crowd, begin: time.Now()}
	if err := b.restart(ctx, between, way, l.plan.away); err != nil {
		return storm{}, err
	}
	s.back = time.Since(s.begin)
	if err := pause(ctx, stormAfter); err != nil {
		return storm{}, err
	}
	s.span = time.Since(s.begin)
	stop()
	s.late = <-late
	s.see(w.all())
	if err := a.end(); err != nil { // the log is whole when it has left
		return storm{}, err
	}
	err = s.read(log)
	return s, err
}

// restart takes the control plane away for a while, and returns when it serves
// again, at the same address and from the same store.
func (b *bed) restart(ctx context.Context, between *link, way restart, away time.Duration) error {
	at, err := url.Parse(b.server.URL())
	if err != nil {
		return fmt.Errorf("the control plane's address: %w", err)
	}
	began := time.Now()
	if way.crash {
		between.cut()
		defer between.heal()
	}
	if err := b.server.Shutdown(ctx); err != nil {
		return fmt.Errorf("shutting the control plane down: %w", err)
	}
	if err := pause(ctx, away-time.Since(began)); err != nil {
		return err
	}
	return b.serve(ctx, at.Host)
}
