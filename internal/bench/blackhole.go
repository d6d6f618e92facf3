package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"time"
)

const (
	// blackholeAgents is the number of agents. Each has one worker, so that each
	// worker has its own connections.
	blackholeAgents  = 5
	http2Reach       = 16 * time.Second
	http1Reach       = 150 * time.Second
	http1Tolerance   = 5 * time.Second // of ping and jitter, beside the limit itself
	blackholeTimeout = 4 * time.Minute
)

// measureBlackhole freezes connections without closing them, and measures the time
// to a ping on another connection.
func measureBlackhole(ctx context.Context, l *lab) ([]result, error) {
	byHTTP2, err := l.blackhole(ctx, true, noFault)
	if err != nil {
		return nil, fmt.Errorf("HTTP/2: %w", err)
	}
	slowest2 := quantile(byHTTP2, maximum)
	r := result{
		key: keyBlackhole, value: seconds(slowest2) + " s", samples: len(byHTTP2), outcome: outcomeOf(true, slowest2 <= http2Reach),
		notes: []string{"HTTP/2: the slowest; p50 " + seconds(quantile(byHTTP2, median)) + " s"},
	}
	if !l.plan.silence {
		r.notes = append(r.notes, "HTTP/1.1 takes minutes and was not measured")
		return []result{r}, nil
	}
	announced, err := l.blackhole(ctx, false, noFault)
	if err != nil {
		return []result{r}, fmt.Errorf("HTTP/1.1: %w", err)
	}
	unlimited, err := l.blackhole(ctx, false, noKeepAlive)
	if err != nil {
		return []result{r}, fmt.Errorf("HTTP/1.1, without a keep-alive header: %w", err)
	}
	slowest1 := quantile(unlimited, maximum)
	r.value += "; " + seconds(slowest1) + " s"
	r.samples += len(announced) + len(unlimited)
	r.outcome = outcomeOf(true, slowest2 <= http2Reach && slowest1 <= http1Reach+http1Tolerance)
	r.notes = append(r.notes,
		fmt.Sprintf("HTTP/1.1: the slowest if the control plane announces no keep-alive interval; with one: %s s",
			seconds(quantile(announced, maximum))))
	return []result{r}, nil
}

// blackhole returns the time from the freeze to the first ping of each worker.
func (l *lab) blackhole(ctx context.Context, http2 bool, fault streamFault) (took []time.Duration, err error) {
	b, err := l.newTestbed(ctx, http2)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	b.probe.setFault(func(string) streamFault { return fault })
	between, err := b.newLink(ctx, http2)
	if err != nil {
		return nil, err
	}
	for range blackholeAgents {
		if _, _, err := b.join(ctx, l.binary, between.url(), 1); err != nil {
			return nil, err
		}
	}
	// The last bytes must arrive before, so that the streams are open and idle.
	if err := pause(ctx, restTime); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, blackholeTimeout)
	defer cancel()
	w := b.probe.subscribe()
	defer b.probe.unsubscribe(w)
	frozen := time.Now()
	between.freeze()
	pings, err := firstPings(ctx, w, blackholeAgents, map[string]time.Time{})
	for _, at := range pings {
		took = append(took, at.Sub(frozen))
	}
	return took, err
}

// newLink starts a link to the control plane, which is closed with the testbed. It
// forwards TLS, or, without HTTP/2, terminates it and offers HTTP/1.1 only, as
// many proxies do.
func (b *testbed) newLink(ctx context.Context, http2 bool) (*link, error) {
	at, err := url.Parse(b.server.URL())
	if err != nil {
		return nil, fmt.Errorf("parsing the control plane's address: %w", err)
	}
	var secure *tls.Config
	if !http2 {
		if b.certFile, b.keyFile, err = makeCertificate(b.dir); err != nil {
			return nil, err
		}
		pair, err := tls.LoadX509KeyPair(b.certFile, b.keyFile)
		if err != nil {
			return nil, fmt.Errorf("reading the certificate: %w", err)
		}
		secure = &tls.Config{
			MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"},
		}
	}
	l, err := newLink(ctx, at.Host, secure)
	if err == nil {
		b.links = append(b.links, l)
	}
	return l, err
}
