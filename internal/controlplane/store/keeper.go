package store

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

const (
	// probeName is the last token of the subjects that are written only to find out
	// whether a stream can be written. No ID has it: it has a dollar sign.
	probeName = "$probe"
	// probeAge is how long a write shows that the state can be written.
	probeAge = 5 * time.Second
	// minKeepWait and maxKeepWait are the times between two attempts to write to a
	// stream that could not be written.
	minKeepWait = 250 * time.Millisecond
	maxKeepWait = 2 * time.Second
	// maxRestartWait bounds the time between two starts of the embedded server, which
	// reads all its files.
	maxRestartWait = 30 * time.Second
	// minRestartRoom is the free space on the disk, in bytes, with which it is worth
	// starting the embedded server again.
	minRestartRoom = 2 << 20
)

// Reachable returns nil if the store can be used: if the stream of jobs has a
// leader that responds, and can be written. Otherwise it fails with ErrFull or
// ErrUnavailable; or with ErrLimit if it can be used, but takes no new job.
func (s *Store) Reachable(ctx context.Context) error {
	if err := s.outages.check(kind{stateStream, true}); err != nil {
		return wrap(ctx, err, "checking the store") // it is asked already
	}
	if _, err := s.stateInfo(ctx, "checking the store"); err != nil {
		return err
	}
	streams := s.writes.broken()
	if len(streams) == 0 && !s.writes.storedWithin(stateStream, probeAge) {
		streams = []string{stateStream}
	}
	for _, stream := range streams {
		if err := s.probe(ctx, stream); err != nil {
			return wrap(ctx, err, "writing to the store")
		}
	}
	return s.Admit(ctx)
}

// probe writes to a stream. It returns the error of publish.
func (s *Store) probe(ctx context.Context, stream string) error {
	ack, err := s.publish(ctx, &nats.Msg{Subject: prefixOf(stream) + probeName})
	if err == nil && stream == logStream {
		// This stream keeps more than one message of a subject.
		ctx, cancel := s.bound(ctx)
		defer cancel()
		_ = s.logs.DeleteMsg(ctx, ack.Sequence) // it expires otherwise
	}
	return err
}

// keep waits for writes that fail, and tries until they work again. The server
// keeps the first error of writing a file, and responds with it for ever: it is
// started again when there is room.
func (s *Store) keep(ctx context.Context) {
	for {
		select {
		case <-s.writes.failed:
			s.repair(ctx)
		case <-ctx.Done():
			return
		}
	}
}

// repair returns when every stream can be written, or ctx ends.
func (s *Store) repair(ctx context.Context) {
	log := s.opts.Logger
	began, told := time.Now(), false
	var nextRestart time.Time
	restartWait := minKeepWait
	for wait := minKeepWait; ctx.Err() == nil; wait = min(2*wait, maxKeepWait) {
		err := s.probeBroken(ctx)
		if err == nil {
			if told {
				log.Info("store can be written again", zap.Duration("after", time.Since(began)))
			}
			return
		}
		if !told {
			told = true
			log.Error("store cannot be written", zap.Error(wrap(ctx, err, "writing to the store")))
		}
		if !time.Now().Before(nextRestart) && s.restartHelps(err) {
			s.restart(ctx)
			restartWait = min(2*restartWait, maxRestartWait)
			nextRestart = time.Now().Add(restartWait)
			continue
		}
		pause(ctx, wait)
	}
}

// probeBroken writes to the streams whose last write failed, and returns the first
// error.
func (s *Store) probeBroken(ctx context.Context) error {
	if s.embedded.running() == nil {
		return errRestarting
	}
	for _, stream := range s.writes.broken() {
		if err := s.probe(ctx, stream); err != nil {
			return err
		}
	}
	return nil
}

// restartHelps reports whether the embedded server may be able to write once it was
// started again.
func (s *Store) restartHelps(err error) bool {
	free, statErr := freeBytes(s.embedded.dir)
	if statErr == nil && free < minRestartRoom {
		return false
	}
	return s.embedded.running() == nil || isBroken(err)
}

// restart starts the embedded server again. The connection, and with it every
// watch, is restored by the client of NATS.
func (s *Store) restart(ctx context.Context) {
	began := time.Now()
	s.opts.Logger.Warn("starting the store again", zap.String("reason", "a write failed"))
	if err := s.embedded.restart(ctx); err != nil {
		s.opts.Logger.Error("failed to start the store again; will retry", zap.Error(err))
		return
	}
	if err := s.nc.FlushTimeout(callTimeout); err != nil {
		s.opts.Logger.Warn("failed to connect to the store that was started again", zap.Error(err))
	}
	if _, err := s.openStreams(ctx); err != nil { // the present ones stay valid
		s.opts.Logger.Warn("failed to open the streams of the store that was started again", zap.Error(err))
	}
	s.opts.Logger.Info("store started again", zap.Duration("after", time.Since(began)))
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
