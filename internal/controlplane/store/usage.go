package store

import (
	"context"
	"maps"
	"slices"

	"github.com/nats-io/nats.go/jetstream"
)

// streamNames are the names of the streams for people.
var streamNames = map[string]string{ //nolint:gochecknoglobals // a constant, which Go cannot declare as such
	stateStream: "state", logStream: "logs", dataStream: "metadata", auditStream: "audit",
}

// StreamNames returns the names of the streams in Usage, sorted.
func StreamNames() []string { return slices.Sorted(maps.Values(streamNames)) }

// Usage is what one stream has and may have.
type Usage struct {
	// Stream is one of StreamNames. The state is jobs, workers, keys and tokens.
	Stream string
	// Bytes and Messages are what is stored.
	Bytes, Messages uint64
	// Limit is above how many bytes the oldest are discarded or, for the state, no new job
	// is stored; 0 if there is none of ours.
	Limit int64
}

// Usage returns what each stream has. ErrUnavailable.
func (s *Store) Usage(ctx context.Context) ([]Usage, error) {
	var all []Usage
	for _, stream := range []jetstream.Stream{s.audit, s.logs, s.data, s.state} {
		name := streamNames[nameOf(stream)]
		info, err := s.info(ctx, stream, "reading the size of the "+name)
		if err != nil {
			return nil, err
		}
		u := Usage{Stream: name, Bytes: info.State.Bytes, Messages: info.State.Msgs, Limit: max(0, info.Config.MaxBytes)}
		if info.Config.Name == stateStream {
			u.Limit = maxBytes(s.MaxStore(), admissionShare)
		}
		all = append(all, u)
	}
	return all, nil
}

// DiskFree returns how many bytes can be written to the disk of the embedded store; false
// if the store is elsewhere, or that cannot be read.
func (s *Store) DiskFree() (int64, bool) {
	if s.embedded == nil {
		return 0, false
	}
	free, err := freeBytes(s.embedded.dir)
	return free, err == nil
}
