package transport

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
)

// errRefreshed ends a stream that was opened with other headers, or elsewhere,
// than would be used now.
var errRefreshed = errors.New("the control plane wants other headers, or the stream elsewhere")

// opened is how the stream in progress was opened.
type opened struct {
	root    string
	headers http.Header
	end     context.CancelCauseFunc
}

// open is where to open the stream and with what; it is remembered until closed
// is called.
func (s *Session) open(end context.CancelCauseFunc) (endpoint, http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = &opened{root: s.endpoint.root(), headers: s.headers, end: end}
	return s.endpoint, s.headers
}

func (s *Session) closed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opened = nil
}

// RefreshStream ends the stream if the control plane has since asked for other
// headers, or moved; the next one follows within a second, and has them. Of an
// unchanged set nothing comes. Whoever pings calls it, once the instruction in
// the ping's answer is where it belongs: the end of the stream must not overtake
// it.
func (s *Session) RefreshStream() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.opened == nil || s.opened.root == s.endpoint.root() && sameHeaders(s.opened.headers, s.headers) {
		return
	}
	s.opened.end(errRefreshed)
	s.opened = nil
}

func sameHeaders(a, b http.Header) bool { return maps.EqualFunc(a, b, slices.Equal) }
