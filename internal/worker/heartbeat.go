package worker

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/transport"
)

// minHeartbeatPause is the least time from the end of one heartbeat, whose
// retries may take longer than the interval, to the next.
const minHeartbeatPause = time.Second

// heartbeats are when a worker sends heartbeats: while idle, during a job, and during a
// drain until the job's finish is acknowledged. They come at moments that are whole
// intervals away from one: workers that share it wake their process together. It belongs
// to the goroutine that runs the loop; only a heartbeat in flight has one of its own.
type heartbeats struct {
	moment   time.Time
	interval time.Duration
	timer    *time.Timer
	due      time.Time     // of the next one; zero while one is sent, or if a stall was reported
	sent     chan struct{} // gets one value after each heartbeat that another follows
}

// start arms the timer for the first heartbeat.
func (h *heartbeats) start(c *Config) {
	h.moment, h.interval, h.sent = c.HeartbeatAt, c.Heartbeat, make(chan struct{}, 1)
	if h.moment.IsZero() {
		h.moment = time.Now().Add(time.Duration(c.Rand.Float64() * float64(c.Heartbeat)))
	}
	first := untilNext(time.Now(), h.moment, h.interval)
	h.timer, h.due = time.NewTimer(first), time.Now().Add(first)
}

// next arms the timer for the heartbeat after one that has ended.
func (h *heartbeats) next() {
	pause := max(minHeartbeatPause, untilNext(time.Now(), h.moment, h.interval))
	h.timer.Reset(pause)
	h.due = time.Now().Add(pause)
}

// sendHeartbeat sends one heartbeat, and retries it for as long as the session does.
func (w *Worker) sendHeartbeat(ctx context.Context) {
	err := w.config.Session.Heartbeat(ctx)
	switch {
	case err == nil || ctx.Err() != nil:
	case transport.Refused(err):
		w.send(input{event: fsm.Event{Kind: fsm.SessionRefused}, cause: err.Error(), err: err})
		return
	default:
		w.config.Logger.Warn("heartbeat failed; will retry", zap.Error(err))
	}
	w.heartbeats.sent <- struct{}{}
}

// untilNext returns the time from now until the next moment that is a whole number of
// intervals away from one, more than zero.
func untilNext(now, moment time.Time, interval time.Duration) time.Duration {
	past := now.Sub(moment) % interval
	if past < 0 { // before the moment
		return -past
	}
	return interval - past
}
