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
	// holeAgents are processes of one worker each, so that each notices by
	// itself.
	holeAgents     = 5
	http2Reach     = 16 * time.Second
	http1Reach     = 150 * time.Second
	http1Tolerance = 5 * time.Second // of ping and jitter, beside the limit itself
	holeTimeout    = 4 * time.Minute
)

// measureBlackhole has connections fall silent without an end, and measures the
// time to a ping that arrives by another one.
func measureBlackhole(ctx context.Context, l *lab) ([]result, error) {
	byHTTP2, err := l.blackhole(ctx, true, whole)
	if err != nil {
		return nil, fmt.Errorf("HTTP/2: %w", err)
	}
	most := quantile(byHTTP2, everything)
	r := result{
		key: keyBlackhole, value: seconds(most) + " s", samples: len(byHTTP2), verdict: decide(true, most <= http2Reach),
		notes: []string{"HTTP/2: the slowest; p50 " + seconds(quantile(byHTTP2, half)) + " s"},
	}
	if !l.plan.silence {
		r.notes = append(r.notes, "HTTP/1.1 takes minutes and was left out")
		return []result{r}, nil
	}
	announced, err := l.blackhole(ctx, false, whole)
	if err != nil {
		return []result{r}, fmt.Errorf("HTTP/1.1: %w", err)
	}
	silent, err := l.blackhole(ctx, false, unannounced)
	if err != nil {
		return []result{r}, fmt.Errorf("HTTP/1.1, unannounced: %w", err)
	}
	slowest := quantile(silent, everything)
	r.value += "; " + seconds(slowest) + " s"
	r.samples += len(announced) + len(silent)
	r.verdict = decide(true, most <= http2Reach && slowest <= http1Reach+http1Tolerance)
	r.notes = append(r.notes,
		fmt.Sprintf("HTTP/1.1: the slowest where the control plane does not say how often it speaks; where it does: %s s",
			seconds(quantile(announced, everything))))
	return []result{r}, nil
}

// blackhole measures one protocol.
func (l *lab) blackhole(ctx context.Context, http2 bool, fault streamFault) (took []time.Duration, err error) {
	b, err := l.makeBed(ctx, http2)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.clear()) }()
	b.probe.setFault(func(string) streamFault { return fault })
	between, err := b.linkTo(ctx, http2)
	if err != nil {
		return nil, err
	}
	for range holeAgents {
		if _, _, err := b.join(ctx, l.binary, between.url(), 1); err != nil {
			return nil, err
		}
	}
	// What was written last must arrive: it is an open stream that falls silent.
	if err := pause(ctx, restTime); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, holeTimeout)
	defer cancel()
	w := b.probe.watch()
	defer b.probe.forget(w)
	began := time.Now()
	between.freeze()
	pings, err := firstPings(ctx, w, holeAgents, map[string]time.Time{})
	for _, at := range pings {
		took = append(took, at.Sub(began))
	}
	return took, err
}

// linkTo is a link to the control plane: one that only passes on TLS, or one
// that ends it and speaks HTTP/1.1 alone to agents, as many a proxy does. It is
// closed with the bed.
func (b *bed) linkTo(ctx context.Context, http2 bool) (*link, error) {
	at, err := url.Parse(b.server.URL())
	if err != nil {
		return nil, fmt.Errorf("the control plane's address: %w", err)
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
