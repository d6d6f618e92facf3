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
	shortMaxAge    = 2 * time.Second // in which a loaded machine says all that comes before the end
)

// Streams from their opening to their planned end, over every protocol, HTTP
// version and security. Nothing may come early; how late it may come is the
// machine's business, not this test's.
func TestStreamLivesOverEveryProtocol(t *testing.T) {
	t.Parallel()
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			b := startOver(t, l, func(c *controlplane.Config) { c.KeepAlive, c.StreamMaxAge = shortKeepAlive, shortMaxAge })
			lives := make([]func(), 0, len(dialects))
			for _, d := range dialects { // of all at once, so that their ends are waited for together
				lives = append(lives, b.live(t, d))
			}
			for _, end := range lives {
				end()
			}
		})
	}
}

// live sees a stream through everything but its planned end, for which the
// function that it returns waits.
func (b *bed) live(t *testing.T, d dialect) (end func()) {
	t.Helper()
	w := b.register(d.name, d.name)
	first := b.stream(w, d.option...)
	first.wants("resume") // what stands, before any keep-alive is due

	opened := time.Now()
	second := b.stream(w, d.option...)
	second.wants("resume")
	if ended := first.end(); ended.Code() != connect.CodeAborted {
		t.Errorf("%s: the superseded stream ended with %v, want Aborted", d.name, ended)
	}
	if told := second.received.ResponseHeader().Get(wire.HeaderKeepAlive); told != "1" {
		t.Errorf("%s: keep-alives are announced every %q seconds, want 1, the next whole second", d.name, told)
	}
	if buffering := second.received.ResponseHeader().Get("X-Accel-Buffering"); buffering != "no" {
		t.Errorf("%s: proxies are told %q about buffering, want no", d.name, buffering)
	}
	for n := 1; n <= 3; n++ {
		second.wants("resume")
		if after := time.Since(opened); after < time.Duration(n)*shortKeepAlive {
			t.Errorf("%s: keep-alive %d came %v after the opening, sooner than one every %v", d.name, n, after, shortKeepAlive)
		}
	}
	job := b.submit(d.name, "true")
	said := second.next()
	for said == "resume" { // sent before the job was there
		said = second.next()
	}
	if want := "job " + job.GetId(); said != want {
		t.Errorf("%s: received %q, want %q", d.name, said, want)
	}
	return func() {
		t.Helper()
		const least = shortMaxAge * 8 / 10
		if ended := second.end(); ended.Code() != connect.CodeDeadlineExceeded {
			t.Errorf("%s: the stream ended with %v, want DeadlineExceeded", d.name, ended)
		}
		if lasted := time.Since(opened); lasted < least {
			t.Errorf("%s: the planned end came after %v, before the last fifth of %v", d.name, lasted, shortMaxAge)
		}
	}
}
