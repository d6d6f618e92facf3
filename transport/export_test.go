package transport

import "github.com/switchyard-ci/switchyard/transport/pace"

// PingFailed is what a failed ping does to the schedule of the stream.
func (s *Session) PingFailed() { s.pacer.step(pace.PingFailed) }

// PingSucceeded is what a successful ping does to the schedule of the stream.
func (s *Session) PingSucceeded() { s.pacer.step(pace.PingSucceeded) }
