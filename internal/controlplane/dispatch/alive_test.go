package dispatch

import (
	"testing"
	"time"
)

// TestAlive checks that a dispatcher is alive while it sweeps, and for a while after.
func TestAlive(t *testing.T) {
	t.Parallel()
	p := newPlant(t, Options{})
	if err := p.Alive(); err != nil {
		t.Error(err)
	}
	p.clock.move(stallLimit + time.Second) // without a sweep
	if err := p.Alive(); err == nil || err.Error() != "the dispatcher has not gone on for 31s" {
		t.Errorf("error %v of a dispatcher that has stopped", err)
	}
	p.pass(time.Second)
	if err := p.Alive(); err != nil {
		t.Errorf("after a sweep: %v", err)
	}
}
