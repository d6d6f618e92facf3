package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

const (
	// minOpenWait and maxOpenWait are the times between two attempts to open an
	// external store.
	minOpenWait = 100 * time.Millisecond
	maxOpenWait = time.Second
	// waitingLogInterval is the time between two lines of the log about the same reason
	// to wait.
	waitingLogInterval = 10 * time.Second
	// disabledAge is how long JetStream may be reported as disabled, as a server does
	// that is starting, before that is believed.
	disabledAge = 5 * time.Second
	// unlimited is the value of a limit of an account that has no such limit.
	unlimited = -1
)

// permanentError is an error of opening a store that another attempt will not mend: a
// setting must be changed, here or in the NATS servers.
type permanentError struct{ error }

// Unwrap returns the error.
func (e permanentError) Unwrap() error { return e.error }

func permanent(err error) error { return permanentError{err} }

// openExternal connects to the external server and opens its streams. It tries until
// ctx ends, or until an error is permanent: a cluster may be starting, or electing a
// leader.
func (s *Store) openExternal(ctx context.Context) error {
	began := time.Now()
	var told string
	var toldAt time.Time
	for wait := minOpenWait; ; wait = min(2*wait, maxOpenWait) {
		err := s.tryExternal(ctx, began)
		if err == nil {
			return nil
		}
		if final, ok := errors.AsType[permanentError](err); ok {
			return final.error
		}
		if refusal := s.denied.Load(); refusal != nil {
			return fmt.Errorf("%w: %w: %s", err, *refusal, grantPermissions)
		}
		if ctx.Err() != nil {
			return err
		}
		if err.Error() != told || time.Since(toldAt) >= waitingLogInterval {
			told, toldAt = err.Error(), time.Now()
			s.opts.Logger.Warn("waiting for the store", zap.Error(err), zap.Duration("after", time.Since(began).Round(time.Millisecond)))
		}
		pause(ctx, wait)
	}
}

// tryExternal does everything that is left of opening an external store. began is when
// the first attempt began.
func (s *Store) tryExternal(ctx context.Context, began time.Time) error {
	if s.nc == nil {
		if err := s.connect(); err != nil {
			return err
		}
	}
	if err := s.checkAccount(ctx, time.Since(began)); err != nil {
		return err
	}
	opened, err := s.openStreams(ctx)
	if err != nil {
		return err
	}
	s.streams = opened
	if s.opts.Server == nil {
		if err := s.checkPermissions(ctx); err != nil {
			return err
		}
	}
	s.describe()
	return nil
}

// checkAccount returns an error that says what is missing if JetStream is disabled, or
// the limits of the account have no room for the streams.
func (s *Store) checkAccount(ctx context.Context, waited time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	account, err := s.js.AccountInfo(ctx)
	switch {
	case errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return permanent(fmt.Errorf("the account of NATS at %s has no JetStream: enable it for the account", s.address()))
	case errors.Is(err, jetstream.ErrJetStreamNotEnabled) && waited > disabledAge:
		return permanent(fmt.Errorf("the NATS server at %s has no JetStream: enable it there", s.address()))
	case err != nil:
		return wrap(ctx, err, "asking the store at "+s.address()+" for its limits")
	}
	for tier, t := range account.Tiers { // an operator with JWT limits each number of copies by itself
		if err := s.checkLimits(t.Limits, "the account's tier "+tier); err != nil {
			return err
		}
	}
	if len(account.Tiers) == 0 {
		return s.checkLimits(account.Limits, "the account")
	}
	return nil
}

// checkLimits returns an error if limits can never hold the streams. A tier without
// storage is one that is not used.
func (s *Store) checkLimits(limits jetstream.AccountLimits, of string) error {
	want := max(s.opts.MaxStore, MinMaxStore)
	if limits.MaxStore > 0 && limits.MaxStore < want {
		return permanent(fmt.Errorf("%s of NATS allows %d bytes of storage, want at least %d for one copy", of, limits.MaxStore, want))
	}
	if want := len(streamNames); limits.MaxStreams != unlimited && limits.MaxStreams < want {
		return permanent(fmt.Errorf("%s of NATS allows %d streams, want at least %d", of, limits.MaxStreams, want))
	}
	return nil
}

// refusal returns an error of creating or updating a stream: a permanentError if the
// server refused the request itself, else one of the package's errors.
func refusal(ctx context.Context, err error, doing string) error {
	refused, ok := errors.AsType[*jetstream.APIError](err)
	const client, server = 400, 500
	switch {
	case !ok || refused.ErrorCode == codeNoPeers || isFull(err):
	case refused.Code >= client && refused.Code < server, refused.ErrorCode == codeReplicasNotSupported:
		return permanent(fmt.Errorf("%s: %w", doing, err))
	}
	return wrap(ctx, err, doing)
}

// describe logs one line with what the store is, and what it has acknowledged when it
// acknowledges.
func (s *Store) describe() {
	copies := s.state.CachedInfo().Config.Replicas
	acknowledged := "written by the NATS server, and synced to its disk as its sync_interval has it"
	if copies > 1 {
		acknowledged = "written by most of the servers that have a copy, and synced to their disks as their sync_interval has it"
	}
	s.opts.Logger.Info("store opened",
		zap.String("store", s.address()), zap.String("nats_server", s.nc.ConnectedServerName()),
		zap.String("nats_version", s.nc.ConnectedServerVersion()), zap.String("nats_cluster", s.nc.ConnectedClusterName()),
		zap.Int("copies", copies), zap.String("acknowledged_means", acknowledged))
}
