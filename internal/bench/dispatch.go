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
	// jobGap parts two jobs: one's finish is still being stored, and its directory
	// removed, when it has arrived.
	jobGap = 10 * time.Millisecond
)

// measureDispatch gives jobs to one worker, one after the other, over TLS.
func measureDispatch(ctx context.Context, l *lab) (results []result, err error) {
	b, err := l.makeBed(ctx, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.clear()) }()
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
	sync, err := syncTime(b.dir)
	if err != nil {
		return nil, err
	}
	p50, p99, finish := quantile(idle.accept, half), quantile(idle.accept, percent99), quantile(idle.finish, half)
	return []result{{
		key: keyAccept, value: milliseconds(p50) + " / " + milliseconds(p99) + " ms", samples: len(idle.accept),
		verdict: decide(true, p50 <= acceptHalf && p99 <= accept99),
		notes: []string{
			fmt.Sprintf("a bare request in the same run: p50 %s, p99 %s ms; the accept is %.1f of it at p50",
				milliseconds(quantile(bare, half)), milliseconds(quantile(bare, percent99)),
				float64(p50)/float64(quantile(bare, half))),
			fmt.Sprintf("each job comes to an idle worker; where it comes as the last one finishes: p50 %s, p99 %s ms",
				milliseconds(quantile(busy.accept, half)), milliseconds(quantile(busy.accept, percent99))),
		},
	}, {
		key: keyFinish, value: milliseconds(finish) + " ms", samples: len(idle.finish),
		verdict: decide(true, finish <= finishHalf),
		notes: []string{
			fmt.Sprintf("to the start: p50 %s ms; the accept and the start are each on disk before they are answered, "+
				"and a write with its sync took p50 %s, p99 %s ms here", milliseconds(quantile(idle.start, half)),
				milliseconds(quantile(sync, half)), milliseconds(quantile(sync, percent99))),
			"where it comes as the last one finishes: p50 " + milliseconds(quantile(busy.finish, half)) + " ms",
		},
	}}, nil
}

// passages are how long jobs took from their message to each request about them.
type passages struct{ accept, start, finish []time.Duration }

// dispatchAll gives jobs to the worker one after the other, with a gap between.
func (b *bed) dispatchAll(ctx context.Context, jobs int, gap time.Duration) (passages, error) {
	var all passages
	w := b.probe.watch()
	defer b.probe.forget(w)
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

// dispatchOne submits one job and follows it from its message to its finish.
func (b *bed) dispatchOne(ctx context.Context, w *watch, all *passages) error {
	ctx, cancel := context.WithTimeout(ctx, jobTimeout)
	defer cancel()
	if _, err := b.submit(ctx); err != nil {
		return err
	}
	var written time.Time
	return w.until(ctx, "a job's finish", func(s sight) bool {
		switch s.what { //nolint:exhaustive // the rest is not about a job
		case assigned:
			written = s.at
		case accepted:
			all.accept = append(all.accept, s.at.Sub(written))
		case started:
			all.start = append(all.start, s.at.Sub(written))
		case finished:
			all.finish = append(all.finish, s.at.Sub(written))
			return true
		}
		return false
	})
}

// bareRequest measures a request that does nothing, over HTTP/2 and TLS, to the
// same server.
func (b *bed) bareRequest(ctx context.Context, times int) ([]time.Duration, error) {
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
		began := time.Now()
		if err := get(ctx, wire, b.server.URL()+"/healthz"); err != nil {
			return nil, err
		}
		if i > 0 { // the first one connects
			took = append(took, time.Since(began))
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
