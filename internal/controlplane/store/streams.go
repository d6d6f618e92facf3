package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// The streams, and the subjects in them.
const (
	stateStream = "SWITCHYARD_STATE"
	logStream   = "SWITCHYARD_LOGS"
	dataStream  = "SWITCHYARD_DATA"

	statePrefix  = "switchyard.state."
	jobPrefix    = statePrefix + "job."
	workerPrefix = statePrefix + "worker."
	keyPrefix    = statePrefix + "key."
	logPrefix    = "switchyard.log."
	dataPrefix   = "switchyard.data."
	signalPrefix = "switchyard.signal"
)

// duplicateWindow is how long a second copy of a log piece is left out by the
// store; a later one is left out by the reader.
const duplicateWindow = 2 * time.Minute

// openStreams makes the streams, or brings them up to what the options say. It
// leaves alone what it does not govern, such as placement on a cluster.
func (s *Store) openStreams(ctx context.Context) error {
	var err error
	s.state, err = s.openStream(ctx, stateStream, func(c *jetstream.StreamConfig) {
		c.Description = "Switchyard: jobs, workers and idempotency keys"
		c.Subjects = []string{statePrefix + ">"}
		c.MaxMsgsPerSubject = 1
		c.AllowMsgTTL = true
	})
	if err != nil {
		return err
	}
	if !s.state.CachedInfo().Config.AllowMsgTTL {
		return fmt.Errorf("the NATS server at %s is version %s: 2.11 or later is needed",
			s.where(), s.nc.ConnectedServerVersion())
	}
	s.logs, err = s.openStream(ctx, logStream, func(c *jetstream.StreamConfig) {
		c.Description = "Switchyard: logs of jobs"
		c.Subjects = []string{logPrefix + ">"}
		c.MaxAge = s.opts.Retention
		c.Duplicates = min(duplicateWindow, s.opts.Retention)
		c.Compression = jetstream.S2Compression
	})
	if err != nil {
		return err
	}
	s.data, err = s.openStream(ctx, dataStream, s.governData)
	return err
}

func (s *Store) openStream(ctx context.Context, name string, govern func(*jetstream.StreamConfig)) (jetstream.Stream, error) {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	config := jetstream.StreamConfig{Name: name, Storage: jetstream.FileStorage}
	existing, err := s.js.Stream(ctx, name)
	switch {
	case err == nil:
		config = existing.CachedInfo().Config
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, failed(err, "looking for the stream "+name)
	}
	govern(&config)
	config.Replicas = s.opts.Replicas
	// A direct read may be answered by a copy that lags behind. With one copy there
	// is none, and it is the faster.
	config.AllowDirect = s.opts.Replicas == 1
	stream, err := s.js.CreateOrUpdateStream(ctx, config)
	if err != nil {
		return nil, failed(err, "making the stream "+name)
	}
	return stream, nil
}
