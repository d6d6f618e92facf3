package faultproxy

import (
	"io"
	"net/http"
	"strconv"
)

// Answer is a response that the proxy sends in place of the control plane.
type Answer struct {
	Status     int
	RetryAfter int    // in seconds; zero means that there is no such header
	Body       string // in JSON
}

func (a *Answer) write(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	if a.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(a.RetryAfter))
	}
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, a.Body) // the client may be gone
}
