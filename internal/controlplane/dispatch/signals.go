package dispatch

import (
	"encoding/json"
	"time"

	"go.uber.org/zap"
)

// signal is what replicas tell one another: whom they heard, and whose stream
// they have. It is not stored, and may be lost; a lease is several sweeps long,
// and a stream whose worker has moved on ends by itself.
type signal struct {
	// From is the replica.
	From string `json:"from"`
	// Workers and Jobs were heard since the last signal.
	Workers []string `json:"workers,omitempty"`
	Jobs    []string `json:"jobs,omitempty"`
	// Attached and Detached are the worker whose stream was opened or closed.
	Attached string `json:"attached,omitempty"`
	Detached string `json:"detached,omitempty"`
	// Feed is the number of the opened stream at From.
	Feed uint64 `json:"feed,omitempty"`

	workers, jobs map[string]struct{}
}

// worker notes a worker for the next signal.
func (s *signal) worker(id string) {
	if s.workers == nil {
		s.workers = map[string]struct{}{}
	}
	s.workers[id] = struct{}{}
}

// job notes a job for the next signal.
func (s *signal) job(id string) {
	if s.jobs == nil {
		s.jobs = map[string]struct{}{}
	}
	s.jobs[id] = struct{}{}
}

// maxHeard bounds the ids of one signal, to a tenth of what a message may hold.
const maxHeard = 2000

// signalHeard tells the others whom this replica heard since the last time.
func (d *Dispatcher) signalHeard() {
	d.mu.Lock()
	heard := d.toSignal
	d.toSignal = signal{}
	d.mu.Unlock()
	var s signal
	for id := range heard.workers {
		if s.Workers = append(s.Workers, id); len(s.Workers) == maxHeard {
			d.send(s)
			s.Workers = nil
		}
	}
	for id := range heard.jobs {
		if s.Jobs = append(s.Jobs, id); len(s.Jobs) == maxHeard {
			d.send(s)
			s = signal{}
		}
	}
	if len(s.Workers)+len(s.Jobs) > 0 {
		d.send(s)
	}
}

func (d *Dispatcher) send(s signal) {
	s.From = d.id
	data, err := json.Marshal(s)
	if err == nil {
		err = d.st.Signal(data)
	}
	if err != nil {
		d.log.Debug("signalling the other replicas", zap.Error(err))
	}
}

// heardSignal takes in what another replica said.
func (d *Dispatcher) heardSignal(data []byte) {
	var s signal
	if err := json.Unmarshal(data, &s); err != nil {
		d.log.Warn("leaving a signal out", zap.Error(err))
		return
	}
	d.change(func(x *index) {
		if s.From == d.id {
			x.heardSelf(s)
		} else {
			x.heardOther(s, d.now())
		}
	})
}

// heardSelf: the signal of a feed has come back. What other replicas say from now
// on, they said after the feed was opened.
func (x *index) heardSelf(s signal) {
	a := x.workers[s.Attached]
	if a == nil {
		return
	}
	a.remote = "" // that was said before
	if a.feed != nil && a.feed.number == s.Feed {
		a.feed.announced = true
	}
}

func (x *index) heardOther(s signal, now time.Time) {
	for _, id := range s.Workers {
		x.hear(id, now)
	}
	for _, id := range s.Jobs {
		x.hearJob(id, now)
	}
	if a := x.workers[s.Attached]; a != nil && (a.feed == nil || a.feed.announced) {
		a.remote = s.From
		if a.feed != nil {
			a.feed.end(ErrSuperseded)
			a.feed = nil
			x.setIdle(a)
		}
	}
	if a := x.workers[s.Detached]; a != nil && a.remote == s.From {
		a.remote = ""
	}
}
