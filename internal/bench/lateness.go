package main

import (
	"context"
	"time"
)

// lateTick is how often a timer's lateness is looked at.
const lateTick = 5 * time.Millisecond

// lateness is how late a timer of this process came, tick by tick, until the
// context ends: what the machine itself adds, when it is busy, to whatever must
// wake up.
func lateness(ctx context.Context) []time.Duration {
	var late []time.Duration
	for {
		began := time.Now()
		if err := pause(ctx, lateTick); err != nil {
			return late
		}
		late = append(late, max(0, time.Since(began)-lateTick))
	}
}
