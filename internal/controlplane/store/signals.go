package store

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// signalTimeout bounds the sending of a signal: it is worth nothing when it is
// late.
const signalTimeout = time.Second

// Signal sends an unstored message to every replica, this one included. When it
// returns without an error the server has it: what is sent after that, by any
// replica, comes after it. The message may be lost all the same.
func (s *Store) Signal(data []byte) error {
	if err := s.nc.Publish(signalPrefix, data); err != nil {
		return failed(err, "sending a signal")
	}
	if err := s.nc.FlushTimeout(signalTimeout); err != nil {
		return failed(err, "sending a signal")
	}
	return nil
}

// OnSignal has handle called with every signal, from one goroutine, until stop is
// called or the store is closed.
func (s *Store) OnSignal(handle func(data []byte)) (stop func(), err error) {
	sub, err := s.nc.Subscribe(signalPrefix, func(msg *nats.Msg) { handle(msg.Data) })
	if err != nil {
		return nil, fmt.Errorf("listening for signals: %w", err)
	}
	return func() {
		_ = sub.Unsubscribe() // fails only when the connection is closed already
	}, nil
}
