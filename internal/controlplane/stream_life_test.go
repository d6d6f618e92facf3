package controlplane_test

import (
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	shortKeepAlive = 50 * time.Millisecond
	shortMaxAge    = time.Second
)

// Streams from their opening to their planned end, over every protocol and link.
// Nothing may happen too early; late is not checked, since the machine may be busy. Two
// control planes serve them, so that no message must come before an end.
func TestStreamLifeOverEveryProtocol(t *testing.T) {
	t.Parallel()
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			b := startOn(t, l, func(c *controlplane.Config) { c.StreamMaxAge = shortMaxAge })
			ends := make([]func(), 0, len(rpcProtocols))
			for _, d := range rpcProtocols { // all at once, to wait for their ends together
				ends = append(ends, b.checkStreamEnd(t, d))
			}
			living := startOn(t, l, func(c *controlplane.Config) { c.KeepAlive = shortKeepAlive })
			for _, d := range rpcProtocols {
				living.checkStreamLife(t, d)
			}
			for _, end := range ends {
				end()
			}
		})
	}
}

// checkStreamLife checks the messages of a stream.
func (b *bed) checkStreamLife(t *testing.T, d rpcProtocol) {
	t.Helper()
	w := b.register(d.name, d.name)
	first := b.stream(w, d.options...)
	first.expect("resume") // the standing instruction, before any keep-alive

	opened := time.Now()
	second := b.stream(w, d.options...)
	second.expect("resume")
	if ended := first.end(); ended.Code() != connect.CodeAborted {
		t.Errorf("%s: the superseded stream ended with %v, want Aborted", d.name, ended)
	}
	if announced := second.received.ResponseHeader().Get(wire.HeaderKeepAlive); announced != "1" {
		t.Errorf("%s: announced keep-alive %q seconds, want 1, the next whole second", d.name, announced)
	}
	if buffering := second.received.ResponseHeader().Get("X-Accel-Buffering"); buffering != "no" {
		t.Errorf("%s: X-Accel-Buffering is %q, want no", d.name, buffering)
	}
	for n := 1; n <= 3; n++ {
		second.expect("resume")
		// The first one is earlier, at the moment of the connection.
		if after := time.Since(opened); after < time.Duration(n-1)*shortKeepAlive {
			t.Errorf("%s: keep-alive %d arrived %v after the opening, earlier than one every %v", d.name, n, after, shortKeepAlive)
		}
	}
	job := b.submit(d.name, "true")
	got := second.next()
	for got == "resume" { // sent before the job was submitted
		got = second.next()
	}
	if want := "job " + job.GetId(); got != want {
		t.Errorf("%s: received %q, want %q", d.name, got, want)
	}
}

// checkStreamEnd opens a stream; the returned function waits for its planned end and checks
// it.
func (b *bed) checkStreamEnd(t *testing.T, d rpcProtocol) (end func()) {
	t.Helper()
	opened := time.Now()
	s := b.stream(b.register(d.name, d.name), d.options...)
	return func() {
		t.Helper()
		const least = shortMaxAge * 8 / 10
		if ended := s.end(); ended.Code() != connect.CodeDeadlineExceeded {
			t.Errorf("%s: the stream ended with %v, want DeadlineExceeded", d.name, ended)
		}
		if lasted := time.Since(opened); lasted < least {
			t.Errorf("%s: the planned end was after %v, before the last fifth of %v", d.name, lasted, shortMaxAge)
		}
	}
}
