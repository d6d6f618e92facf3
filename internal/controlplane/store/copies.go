package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

const (
	// clusterCopies is the number of copies of a new stream in a cluster of three
	// servers or more.
	clusterCopies = 3
	// smallClusterAge is how long a cluster may have too few servers for clusterCopies,
	// as one has that is starting, before that is believed.
	smallClusterAge = 10 * time.Second
)

// Codes of errors of JetStream that its client does not name.
const (
	codeNoPeers              jetstream.ErrorCode = 10005 // too few servers that can have a copy
	codeReplicasNotSupported jetstream.ErrorCode = 10074 // the server is in no cluster
)

// createStream creates a stream, with the least number of copies that is configured. If
// none is, it has as many as the stream of jobs, or as the cluster can hold up to
// clusterCopies.
func (s *Store) createStream(ctx context.Context, config jetstream.StreamConfig) (jetstream.Stream, error) {
	copies, chosen := cmp.Or(s.opts.Replicas, s.copies), true
	if copies == 0 {
		copies, chosen = 1, false
		if s.nc.ConnectedClusterName() != "" {
			copies = clusterCopies
		}
	}
	setReplicas(&config, copies)
	stream, err := s.js.CreateOrUpdateStream(ctx, config)
	if chosen || copies == 1 || !s.isTooSmall(err) {
		return stream, s.explain(err, copies)
	}
	s.opts.Logger.Warn("cluster of NATS has fewer than three servers with JetStream; the store has one copy",
		zap.String("nats_stream", config.Name), zap.Error(err))
	setCopies(&config, 1)
	return s.js.CreateOrUpdateStream(ctx, config) //nolint:wrapcheck // openStream adds what was attempted
}

// isTooSmall reports whether a stream with several copies was refused because the
// server is in no cluster, or in one that had too few servers for smallClusterAge. A
// server that the cluster knows, and that is down, is waited for.
func (s *Store) isTooSmall(err error) bool {
	refused, ok := errors.AsType[*jetstream.APIError](err)
	switch {
	case !ok:
		return false
	case refused.ErrorCode == codeReplicasNotSupported:
		return true
	}
	return refused.ErrorCode == codeNoPeers && !strings.Contains(refused.Description, "peer offline") &&
		time.Since(s.opened) > smallClusterAge
}

// explain adds to an error what to do about it.
func (s *Store) explain(err error, copies int) error {
	refused, ok := errors.AsType[*jetstream.APIError](err)
	if !ok {
		return err
	}
	switch refused.ErrorCode { //nolint:exhaustive // the others explain themselves
	case codeNoPeers:
		return fmt.Errorf("%d copies need as many servers with JetStream that are up: start them, or ask for fewer copies: %w", copies, err)
	case codeReplicasNotSupported:
		return fmt.Errorf("the NATS server is not in a cluster, so it cannot keep %d copies: %w", copies, err)
	}
	return err
}

// setReplicas raises the number of copies to at least replicas. It never lowers
// it: an operator may have asked the cluster for more.
func setReplicas(c *jetstream.StreamConfig, replicas int) { setCopies(c, max(c.Replicas, replicas, 1)) }

// setCopies sets the number of copies, and what follows from it.
func setCopies(c *jetstream.StreamConfig, copies int) {
	c.Replicas = copies
	// A copy that lags behind may respond to a direct read. A stream with one copy
	// has none that lags, and direct reads are faster.
	c.AllowDirect = copies == 1
}
