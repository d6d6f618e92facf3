package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/config"
)

const (
	acceptHalf, accept99 = 400 * time.Microsecond, time.Millisecond
	finishHalf           = 3 * time.Millisecond

	// jobTimeout bounds one job `true`.
	jobTimeout = 30 * time.Second
	// jobGap is the time between two jobs. When the finish of one arrives, it is
	// not stored yet, and the job's directory is not removed yet.
	jobGap = 10 * time.Millisecond
)

// measureDispatch runs jobs on one worker, one after the other, over TLS.
func measureDispatch(ctx context.Context, l *lab) (results []result, err error) {
	b, err := l.newTestbed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if _, _, err := b.join(ctx, l.binary, "", 1); err != nil {
		return nil, err
	}
	idle, err := b.dispatchAll(ctx, l.plan.jobs, jobGap)
	if err != nil {
		return nil, err
	}
	busy, err := b.dispatchAll(ctx, l.plan.jobs, 0)
	if err != nil {
		return nil, err
	}
	bare, err := b.bareRequest(ctx, l.plan.jobs)
	if err != nil {
		return nil, err
	}
	sync, err := syncTimes(b.dir)
	if err != nil {
		return nil, err
	}
	p50, p99, finish := quantile(idle.accept, median), quantile(idle.accept, percent99), quantile(idle.finish, median)
	return []result{{
		key: keyAccept, value: milliseconds(p50) + " / " + milliseconds(p99) + " ms", samples: len(idle.accept),
		outcome: outcomeOf(true, p50 <= acceptHalf && p99 <= accept99),
		notes: []string{
			fmt.Sprintf("a bare request in the same run: %s; the accept takes %.1f times as long at p50",
				spread(bare, median, percent99), float64(p50)/float64(quantile(bare, median))),
			"each job is for an idle worker; directly after the job before: " + spread(busy.accept, median, percent99),
		},
	}, {
		key: keyFinish, value: milliseconds(finish) + " ms", samples: len(idle.finish),
		outcome: outcomeOf(true, finish <= finishHalf),
		notes: []string{
			fmt.Sprintf("to the start: %s; accept and start are each written to disk before the response, "+
				"and a write with its sync took %s", spread(idle.start, median), spread(sync, median, percent99)),
			"directly after the job before: " + spread(busy.finish, median),
		},
	}}, nil
}

// latencies are the times from the message that assigns a job to each request.
type latencies struct{ accept, start, finish []time.Duration }

// dispatchAll runs jobs one after the other, with a gap between them.
func (b *testbed) dispatchAll(ctx context.Context, jobs int, gap time.Duration) (latencies, error) {
	var all latencies
	w := b.probe.subscribe()
	defer b.probe.unsubscribe(w)
	for range jobs {
		if err := b.dispatchOne(ctx, w, &all); err != nil {
			return all, err
		}
		if err := pause(ctx, gap); err != nil {
			return all, err
		}
	}
	return all, nil
}

// dispatchOne submits one job, waits for its finish, and adds its latencies.
func (b *testbed) dispatchOne(ctx context.Context, w *subscription, all *latencies) error {
	ctx, cancel := context.WithTimeout(ctx, jobTimeout)
	defer cancel()
	if _, err := b.submit(ctx); err != nil {
		return err
	}
	var written time.Time
	return w.until(ctx, "a job's finish", func(s event) bool {
		switch s.kind { //nolint:exhaustive // others are not about a job
		case jobAssigned:
			written = s.at
		case jobAccepted:
			all.accept = append(all.accept, s.at.Sub(written))
		case jobStarted:
			all.start = append(all.start, s.at.Sub(written))
		case jobFinished:
			all.finish = append(all.finish, s.at.Sub(written))
			return true
		}
		return false
	})
}

// bareRequest measures requests that do nothing, over HTTP/2 and TLS, to the same
// server.
func (b *testbed) bareRequest(ctx context.Context, times int) ([]time.Duration, error) {
	trust, err := config.ClientTLS(config.ClientTLSOptions{CAFile: b.certFile})
	if err != nil {
		return nil, fmt.Errorf("trusting the certificate: %w", err)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	wire := &http.Transport{TLSClientConfig: trust, Protocols: protocols}
	defer wire.CloseIdleConnections()
	var took []time.Duration
	for i := range times + 1 {
		start := time.Now()
		if err := get(ctx, wire, b.server.URL()+"/healthz"); err != nil {
			return nil, err
		}
		if i > 0 { // the first request opens the connection
			took = append(took, time.Since(start))
		}
	}
	return took, nil
}

func get(ctx context.Context, wire http.RoundTripper, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	response, err := wire.RoundTrip(request)
	if err != nil {
		return fmt.Errorf("a bare request: %w", err)
	}
	_, err = io.Copy(io.Discard, response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return fmt.Errorf("a bare request: %w", err)
	}
	return nil
}
