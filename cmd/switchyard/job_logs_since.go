package main

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/client"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// logSince is a Follower that leaves out the parts of the log that the control plane
// received before a moment.
type logSince struct {
	client.Follower

	moment time.Time
}

// Log implements client.Follower.
func (l logSince) Log(chunk *switchyardv1.LogChunk) error {
	if at := chunk.GetReceivedAt(); at != nil && at.AsTime().Before(l.moment) {
		return nil
	}
	return l.Follower.Log(chunk)
}
