package transport

import (
	"sync"
	"time"
)

// redialEvery bounds how often connections are given up for the sake of a
// reconnect: of a fleet whose streams fail in turn, the pings need theirs.
const redialEvery = 10 * time.Second

// redialing remembers when connections were last given up. Its zero value is
// ready.
type redialing struct {
	mu   sync.Mutex
	last time.Time
}

// redial has the next request dial, and so look the host's name up anew: a
// stream that is over is best opened at whatever the name stands for now, while
// a connection that is kept leads to where it once was. Connections in use, by
// other workers' streams above all, are left alone.
func (r *router) redial() {
	r.redialing.mu.Lock()
	now := time.Now()
	due := r.redialing.last.IsZero() || now.Sub(r.redialing.last) >= redialEvery
	if due {
		r.redialing.last = now
	}
	r.redialing.mu.Unlock()
	if due {
		r.direct.CloseIdleConnections()
		r.clear.CloseIdleConnections()
	}
}
