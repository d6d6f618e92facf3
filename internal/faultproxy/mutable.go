package faultproxy

import (
	"fmt"
	"net/http"
	"sync/atomic"
)

// mutable is a ResponseWriter that discards everything while it is muted.
type mutable struct {
	http.ResponseWriter

	muted *atomic.Bool
}

// WriteHeader implements [http.ResponseWriter].
func (m *mutable) WriteHeader(status int) {
	if !m.muted.Load() {
		m.ResponseWriter.WriteHeader(status)
	}
}

// Write implements [http.ResponseWriter].
func (m *mutable) Write(p []byte) (int, error) {
	if m.muted.Load() {
		return len(p), nil
	}
	return m.ResponseWriter.Write(p) //nolint:wrapcheck // the caller expects the writer's error
}

// FlushError implements the interface of [http.ResponseController].
func (m *mutable) FlushError() error {
	if m.muted.Load() {
		return nil
	}
	if err := http.NewResponseController(m.ResponseWriter).Flush(); err != nil {
		return fmt.Errorf("flushing: %w", err)
	}
	return nil
}
