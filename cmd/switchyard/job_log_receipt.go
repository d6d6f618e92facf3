package main

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// logReceipt is a follower that notes whether anything of a log was received.
type logReceipt struct {
	client.Follower

	received bool // some bytes
	notKept  bool // bytes are missing that are not kept any more
}

// Log passes a chunk on.
func (l *logReceipt) Log(chunk *switchyardv1.LogChunk) error {
	l.received = l.received || len(chunk.GetData()) > 0
	l.notKept = l.notKept || chunk.GetGap() == switchyardv1.LogGap_LOG_GAP_NOT_KEPT
	return l.Follower.Log(chunk)
}

// check returns an error if the log of a job does not exist any more, so that a program
// that asked for it does not take it for an empty one. The error has no message if the
// follower has written what is missing.
func (l *logReceipt) check(job *switchyardv1.Job, noted bool) error {
	deletion := job.GetLogDeletion()
	switch {
	case deletion == nil && (!l.notKept || l.received):
		return nil
	case noted:
		return cli.ExitWith(cli.ExitFailure)
	case deletion != nil:
		return fmt.Errorf("the log of job %s was %s", job.GetId(), present.LogDeletion(deletion))
	}
	return fmt.Errorf("nothing of the log of job %s is kept any more", job.GetId())
}
