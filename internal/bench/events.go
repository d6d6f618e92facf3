package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// eventKind is what the probe observed at the control plane.
type eventKind string

const (
	// Requests that arrived.
	workerConnected eventKind = "a worker connected"
	pingSent        eventKind = "a ping"
	jobAccepted     eventKind = "an accept"
	jobStarted      eventKind = "a start"
	jobFinished     eventKind = "a finish"
	heartbeatSent   eventKind = "a heartbeat"
	// These are noted by the recorder alone.
	workerRegistered eventKind = "a registration"
	workerLeft       eventKind = "a disconnect"
	chunkSent        eventKind = "a chunk of a log"
	stateRequested   eventKind = "a request for a job's state"
	streamRequested  eventKind = "a request for a stream"
	// Messages that are about to be written to a stream. A message that assigns a
	// job is a jobAssigned only.
	messageSent eventKind = "a message on the stream"
	jobAssigned eventKind = "an assignment on the stream"
	// A stream that is about to be reset.
	streamKilled eventKind = "a stream killed"
)

// event is one observation of the probe.
type event struct {
	kind eventKind
	at   time.Time
	// worker is different for each worker. It contains a token: do not print it.
	worker string
	job    string // the job's ID, where the event has one
}

// subscription receives every event from its start.
type subscription struct {
	mu     sync.Mutex
	events []event
	wake   chan struct{}
}

func newSubscription() *subscription { return &subscription{wake: make(chan struct{}, 1)} }

func (s *subscription) add(e event) {
	s.mu.Lock()
	s.events = append(s.events, e)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// until passes every event to done, in order, until done returns true. Only one
// goroutine may call it at a time. The error names what was awaited.
func (s *subscription) until(ctx context.Context, awaited string, done func(event) bool) error {
	for {
		events := s.take()
		for i, e := range events {
			if done(e) {
				s.mu.Lock()
				s.events = append(events[i+1:], s.events...)
				s.mu.Unlock()
				return nil
			}
		}
		if len(events) > 0 {
			continue
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", awaited, context.Cause(ctx))
		}
	}
}

// take removes and returns the events so far.
func (s *subscription) take() []event {
	s.mu.Lock()
	defer s.mu.Unlock()
	events := s.events
	s.events = nil
	return events
}
