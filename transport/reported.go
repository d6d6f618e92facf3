package transport

import (
	"net/http"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// reported returns the headers of a ping or a heartbeat: the state of the worker's
// machine, and the jobs that this process holds, at most wire.MaxHeldJobs of them. It is
// nil if there is nothing to report.
func (s *Session) reported() http.Header {
	header := s.machine()
	var named []string
	for _, id := range s.transport.held(s.id) {
		if len(named) == wire.MaxHeldJobs {
			break
		}
		if nameableJob(id) {
			named = append(named, id)
		}
	}
	if len(named) == 0 {
		return header
	}
	if header == nil {
		header = http.Header{}
	}
	header.Set(wire.HeaderJobs, strings.Join(named, ","))
	return header
}

// machine returns the header with the state of the worker's machine, or nil if it is not
// known.
func (s *Session) machine() http.Header {
	text := s.transport.machine(s.id).String()
	if text == "" {
		return nil
	}
	header := http.Header{}
	header.Set(wire.HeaderMachine, text)
	return header
}

// nameableJob reports whether an ID can be part of a list in a header. The IDs of our
// control plane can.
func nameableJob(id string) bool {
	return checkJobID(id) == nil && strings.IndexFunc(id, func(r rune) bool {
		return r <= ' ' || r == ',' || r > '~'
	}) < 0
}
