package transport

import (
	"fmt"
	"maps"
	"net/http"
)

// OwedJob is the session of a job that another process has run, and that has
// still to be reported: it needs no registration, only the token of the job. The
// endpoint and the headers are those that the other process had.
func (t *Transport) OwedJob(endpoint string, headers http.Header, id, token string) (*JobSession, error) {
	base, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, fmt.Errorf("reporting on job %s: endpoint %q: %w", id, oneLine(endpoint), err)
	}
	sent := maps.Clone(t.headers)
	for name, values := range headers {
		for _, value := range values {
			if !allowedRequestHeader(name, value) {
				return nil, fmt.Errorf("reporting on job %s: %q is not a header that may be sent along", id, name)
			}
		}
		if sent == nil {
			sent = http.Header{}
		}
		sent[name] = values
	}
	session := &Session{transport: t, endpoint: base, headers: sent}
	return &JobSession{session: session, id: id, token: token}, nil
}
