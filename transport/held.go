package transport

import (
	"net/http"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// heldJobs returns the header that names the jobs that this process holds, at most
// wire.MaxHeldJobs of them, or nil if there are none.
func (s *Session) heldJobs() http.Header {
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
		return nil
	}
	header := http.Header{}
	header.Set(wire.HeaderJobs, strings.Join(named, ","))
	return header
}

// nameableJob reports whether an ID can be part of a list in a header. The IDs of our
// control plane can.
func nameableJob(id string) bool {
	return checkJobID(id) == nil && strings.IndexFunc(id, func(r rune) bool {
		return r <= ' ' || r == ',' || r > '~'
	}) < 0
}
