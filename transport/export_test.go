package transport

// PingFailed is what a failed ping does to the schedule of the stream.
func (s *Session) PingFailed() { s.pacer.pingFailed() }

// PingSucceeded is what a successful ping does to the schedule of the stream.
func (s *Session) PingSucceeded() { s.pacer.pingSucceeded() }
