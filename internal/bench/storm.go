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
	// stormBefore is how long requests are recorded before a restart, and
	// stormAfter how long after the control plane is back.
	stormBefore = 3 * time.Second
	stormAfter  = 15 * time.Second
	// stormSlice is the length of the slices in which arrivals are counted.
	stormSlice = 100 * time.Millisecond
)

// restart is a way to end a control plane.
type restart struct {
	name string
	// crash cuts all connections; otherwise the control plane ends its streams as
	// planned.
	crash bool
}

func restarts() []restart {
	return []restart{
		{name: "Shut down: the streams are ended as planned, and opened again within a second"},
		{name: "Cut off: every connection is closed, and every worker polls at once, once", crash: true},
	}
}

// measureStorm restarts the control plane of many workers, in each way, and counts
// the requests in each slice of time.
func measureStorm(ctx context.Context, l *lab) ([]result, error) {
	var storms []storm
	for _, way := range restarts() {
		s, err := l.storm(ctx, way)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", way.name, err)
		}
		storms = append(storms, s)
	}
	r := stormResult(l.plan, storms)
	if l.plan.plot == "" {
		return []result{r}, nil
	}
	if err := os.WriteFile(l.plan.plot, plotStorms(l.plan, storms), plotMode); err != nil {
		return []result{r}, fmt.Errorf("writing the drawing: %w", err)
	}
	return []result{r}, nil
}

// stormResult compares the busiest slice with what independent requests allow.
func stormResult(p plan, storms []storm) result {
	streams, pings, total := 0, 0, 0
	r := result{key: keyStorm}
	for _, s := range storms {
		reconnects, after, beats := busiest(s.streams), busiest(s.laterPings()), busiest(s.beats)
		streams, pings = max(streams, reconnects), max(pings, after)
		total += len(s.streams) + len(s.pings) + len(s.beats)
		r.notes = append(r.notes, fmt.Sprintf(
			"%s; away for %s s: in the busiest 100 ms %d reconnects, %d pings after each worker's first (%d with it), %d heartbeats; "+
				"all streams were back %s s after the control plane; meanwhile a timer of %v was late by %s",
			s.way.name, seconds(s.back), reconnects, after, busiest(s.pings), beats, seconds(s.whole-s.back),
			timerPeriod, spread(s.late, percent99, maximum),
		))
	}
	most, mostPings := mostReconnects(p.crowd), mostLaterPings(p.crowd)
	r.value = fmt.Sprintf("%d / %d", streams, pings)
	r.samples = total
	r.outcome = outcomeOf(p.crowd == designCrowd, streams <= most && pings <= mostPings)
	r.notes = append(r.notes, fmt.Sprintf("%d workers of one agent; reconnects spread evenly over a second are at most %d in 100 ms, "+
		"pings at an interval of %v at most %d", p.crowd, most, pingInterval, mostPings))
	return r
}

// storm restarts the control plane of a new testbed once.
func (l *lab) storm(ctx context.Context, way restart) (_ storm, err error) {
	b, err := l.newTestbed(ctx, true)
	if err != nil {
		return storm{}, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	between, err := b.newLink(ctx, true)
	if err != nil {
		return storm{}, err
	}
	log := filepath.Join(b.dir, "transitions.jsonl")
	a, _, err := b.join(ctx, l.binary, between.url(), l.plan.crowd, "--transition-log", log)
	if err != nil {
		return storm{}, err
	}
	w := b.probe.subscribe()
	defer b.probe.unsubscribe(w)
	if err := pause(ctx, stormBefore); err != nil {
		return storm{}, err
	}
	stop := timerLateness(ctx)
	defer stop()
	s := storm{way: way, workers: l.plan.crowd, begin: time.Now()}
	if err := b.restart(ctx, between, way, l.plan.away); err != nil {
		return storm{}, err
	}
	s.back = time.Since(s.begin)
	if err := pause(ctx, stormAfter); err != nil {
		return storm{}, err
	}
	s.span = time.Since(s.begin)
	s.late = stop()
	s.addEvents(w.take())
	if err := a.end(); err != nil { // the log is complete after that
		return storm{}, err
	}
	err = s.read(log)
	return s, err
}

// restart ends the control plane and starts it again, at the same address and with
// the same store, after the given time.
func (b *testbed) restart(ctx context.Context, between *link, way restart, away time.Duration) error {
	at, err := url.Parse(b.server.URL())
	if err != nil {
		return fmt.Errorf("parsing the control plane's address: %w", err)
	}
	start := time.Now()
	if way.crash {
		between.cut()
		defer between.heal()
	}
	if err := b.server.Shutdown(ctx); err != nil {
		return fmt.Errorf("shutting the control plane down: %w", err)
	}
	if err := pause(ctx, away-time.Since(start)); err != nil {
		return err
	}
	return b.serve(ctx, at.Host)
}
