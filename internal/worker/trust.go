package worker

import (
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// trust is the deadline of the next message of the stream: of the first one of a
// connection, or of the one after the last. When it passes, the worker no longer
// trusts the stream; the connection stays open. It belongs to the goroutine that
// runs the loop.
type trust struct {
	timer *time.Timer
	epoch fsm.Epoch // of the connection
	cause string    // why trust expires, in words
	due   time.Time // when it expires; zero if it is not armed, or a stall was reported
}

// firstMessage arms the deadline of a connection's first message.
func (t *trust) firstMessage(epoch fsm.Epoch) {
	t.epoch, t.cause = epoch, "no first message in time"
	t.timer.Reset(FirstMessageDeadline)
	t.due = time.Now().Add(FirstMessageDeadline)
}

// message arms the deadline of the message after one that was just received.
func (t *trust) message(epoch fsm.Epoch, limit time.Duration) {
	t.epoch, t.cause = epoch, fmt.Sprintf("no message for %v", limit)
	t.timer.Reset(limit)
	t.due = time.Now().Add(limit)
}

// expired returns the input for a deadline that has passed.
func (t *trust) expired() input {
	return input{event: fsm.Event{Kind: fsm.TrustExpired, Epoch: t.epoch}, cause: t.cause}
}
