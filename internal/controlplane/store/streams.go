package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// The streams and their subjects.
const (
	stateStream = "SWITCHYARD_STATE"
	logStream   = "SWITCHYARD_LOGS"
	dataStream  = "SWITCHYARD_DATA"

	statePrefix   = "switchyard.state."
	jobPrefix     = statePrefix + "job."
	workerPrefix  = statePrefix + "worker."
	keyPrefix     = statePrefix + "key."
	tokenPrefix   = statePrefix + "token."
	queuePrefix   = statePrefix + "queue."
	webPrefix     = statePrefix + "web."
	logPrefix     = "switchyard.log."
	dataPrefix    = "switchyard.data."
	signalSubject = "switchyard.signal"
)

// duplicateWindow is how long the store drops a second copy of a log chunk; the
// reader drops a later one.
const duplicateWindow = 2 * time.Minute

// streams are the streams of the store.
type streams struct{ state, logs, data, audit jetstream.Stream }

// named returns the stream of a name.
func (s *streams) named(name string) jetstream.Stream {
	switch name {
	case logStream:
		return s.logs
	case dataStream:
		return s.data
	case auditStream:
		return s.audit
	}
	return s.state
}

// prefixOf returns how the subjects of a stream begin.
func prefixOf(stream string) string {
	switch stream {
	case logStream:
		return logPrefix
	case dataStream:
		return dataPrefix
	case auditStream:
		return auditPrefix
	}
	return statePrefix
}

// openStreams creates the streams, or updates the settings that depend on the
// options. It leaves every other setting of an existing stream alone, such as its
// placement on a cluster.
func (s *Store) openStreams(ctx context.Context) (streams, error) {
	var opened streams
	if s.opts.restoring && !s.restored {
		if err := s.mustBeEmpty(ctx); err != nil {
			return opened, err
		}
	}
	var err error
	opened.state, err = s.openStream(ctx, stateStream, func(c *jetstream.StreamConfig) {
		c.Description = "Switchyard: jobs, workers, idempotency keys and tokens"
		c.Subjects = []string{statePrefix + ">"}
		c.MaxMsgsPerSubject = 1
		c.AllowMsgTTL = true
		c.AllowAtomicPublish = true
	})
	if err != nil {
		return opened, err
	}
	s.group.enable(opened.state.CachedInfo().Config.AllowAtomicPublish) // a server before 2.12 does not know it
	if !opened.state.CachedInfo().Config.AllowMsgTTL {
		return opened, permanent(fmt.Errorf("the NATS server at %s has version %s, want 2.11 or later",
			s.address(), s.nc.ConnectedServerVersion()))
	}
	s.copies = opened.state.CachedInfo().Config.Replicas
	opened.logs, err = s.openStream(ctx, logStream, func(c *jetstream.StreamConfig) {
		c.Description = "Switchyard: logs of jobs"
		c.Subjects = []string{logPrefix + ">"}
		s.bounded(c, s.opts.LogRetention, logShare)
	})
	if err != nil {
		return opened, err
	}
	// Meta-data has a stream of its own because those who watch the state do not
	// need it. It expires by age, counted from the last change, so it never
	// outlives the record of the job that made the change.
	opened.data, err = s.openStream(ctx, dataStream, func(c *jetstream.StreamConfig) {
		c.Description = "Switchyard: meta-data of builds"
		c.Subjects = []string{dataPrefix + ">"}
		c.MaxMsgsPerSubject = 1
		s.bounded(c, s.opts.Retention, dataShare)
	})
	if err != nil {
		return opened, err
	}
	opened.audit, err = s.openAudit(ctx)
	return opened, err
}

// bounded has the messages of a stream expire by age, and the oldest discarded when
// the stream has its share of the limit.
func (s *Store) bounded(c *jetstream.StreamConfig, age time.Duration, share int64) {
	c.MaxAge = age
	c.Duplicates = min(duplicateWindow, age)
	c.Compression = jetstream.S2Compression
	c.Discard = jetstream.DiscardOld
	if limit := s.MaxStore(); limit > 0 {
		c.MaxBytes = maxBytes(limit, share)
	}
}

// MaxStore returns the most bytes of everything stored; 0 if that is the business of
// the external server's operator.
func (s *Store) MaxStore() int64 {
	if s.embedded != nil {
		return s.embedded.maxStore()
	}
	return s.opts.MaxStore
}

func (s *Store) openStream(ctx context.Context, name string, configure func(*jetstream.StreamConfig)) (jetstream.Stream, error) {
	timeout := startTimeout
	if s.embedded == nil {
		timeout = callTimeout // then it is tried again
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	config := jetstream.StreamConfig{Name: name, Storage: jetstream.FileStorage}
	existing, err := s.js.Stream(ctx, name)
	switch {
	case err == nil:
		config = existing.CachedInfo().Config
	case !errors.Is(err, jetstream.ErrStreamNotFound):
		return nil, wrap(ctx, err, "looking up stream "+name)
	}
	if err := errors.Join(keepsRecords(config), s.checkVersion(config)); err != nil {
		return nil, permanent(err)
	}
	s.stampVersion(&config)
	configure(&config)
	if existing == nil {
		stream, err := s.createStream(ctx, config)
		if err != nil {
			return nil, refusal(ctx, err, "creating stream "+name)
		}
		return stream, nil
	}
	return s.updateStream(ctx, existing, config)
}

// keepsRecords returns an error if a stream was made, by somebody else, so that it does not
// keep what it has acknowledged.
func keepsRecords(c jetstream.StreamConfig) error {
	const advice = "delete it, or use another account of NATS"
	switch {
	case c.Storage != jetstream.FileStorage:
		return fmt.Errorf("stream %s of NATS is kept in memory, want on disk; %s", c.Name, advice)
	case c.Retention != jetstream.LimitsPolicy:
		return fmt.Errorf("stream %s of NATS has the retention %v, want %v; %s", c.Name, c.Retention, jetstream.LimitsPolicy, advice)
	}
	return nil
}

// updateStream changes the settings of a stream. It serves with the present ones if
// they cannot be changed now for a lack of room or of servers.
func (s *Store) updateStream(ctx context.Context, existing jetstream.Stream, config jetstream.StreamConfig) (jetstream.Stream, error) {
	present := config.Replicas
	setReplicas(&config, s.opts.Replicas)
	stream, err := s.js.UpdateStream(ctx, config)
	refused, ok := errors.AsType[*jetstream.APIError](err)
	if ok && refused.ErrorCode == codeNoPeers && config.Replicas > present {
		s.opts.Logger.Warn("failed to raise the number of copies; the next start will try again",
			zap.String("nats_stream", config.Name), zap.Int("copies", present), zap.Int("want", config.Replicas), zap.Error(err))
		setCopies(&config, present)
		stream, err = s.js.UpdateStream(ctx, config)
	}
	switch {
	case isFull(err):
		// The keeper opens the streams again when there is room.
		s.opts.Logger.Warn("failed to update the settings of a stream: the disk is full",
			zap.String("nats_stream", config.Name), zap.Error(err))
		return existing, nil
	case err != nil:
		return nil, refusal(ctx, err, "updating stream "+config.Name)
	}
	return stream, nil
}
