package metrics

import (
	"errors"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// The causes of a write that failed.
const (
	causeFull        = "full"        // no room on the disk, or by a limit of the NATS server
	causeUnavailable = "unavailable" // no response in time, or no server
	causeConflict    = "conflict"    // another writer was first; the change is tried again
	causeTooLarge    = "too_large"
)

// StoreWritten is the function store.Options.OnWrite.
func (m *Metrics) StoreWritten(stream string, took time.Duration, err error) {
	m.writes.WithLabelValues(stream).Observe(took.Seconds())
	if err == nil {
		return
	}
	cause := causeOf(err)
	m.failures.WithLabelValues(stream, cause).Inc()
	if cause != causeConflict {
		m.failed.SetToCurrentTime()
	}
}

func causeOf(err error) string {
	switch {
	case errors.Is(err, store.ErrConflict):
		return causeConflict
	case errors.Is(err, store.ErrFull):
		return causeFull
	case errors.Is(err, store.ErrTooLarge):
		return causeTooLarge
	}
	return causeUnavailable
}
