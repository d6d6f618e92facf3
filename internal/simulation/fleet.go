package simulation

import (
	"math/rand/v2"
	"time"

	"github.com/switchyard-ci/switchyard/transport/pace"
)

const (
	// firstMessage is how long an attempt may be without a message before its worker
	// polls.
	firstMessage = 10 * time.Second
	// pingInterval is how often a worker without a stream polls.
	pingInterval = 2 * time.Second
	// refused is how long it takes to find out that nobody listens.
	refused = time.Millisecond
)

// Result is what a simulation has measured since Reset.
type Result struct {
	// Lost is how many streams ended without a notice, Moved how many were given up.
	Lost, Moved int
	// Back are the times from Reset at which each worker that lost its stream had one
	// again, in order.
	Back []time.Duration
	// Busiest is the most requests that one replica received in a tenth of a second.
	Busiest int
	// LongestWait is the longest time from a request to its response.
	LongestWait time.Duration
}

// Fleet is many workers of some replicas behind a load balancer, in virtual time. It must
// not be used concurrently.
type Fleet struct {
	costs    Costs
	clock    *clock
	random   *rand.Rand
	replicas []*replica
	workers  []worker
	all      []*worker // in an order that has nothing to do with their replicas
	since    time.Duration
	result   Result
}

// NewFleet returns a fleet whose workers all have a stream. The same seed makes the same
// fleet.
func NewFleet(costs Costs, workers, replicas int, seed uint64) *Fleet {
	f := &Fleet{costs: costs, clock: newClock(), random: rand.New(rand.NewPCG(seed, 1))} //nolint:gosec // the same each time
	for n := range replicas {
		f.addReplica(n)
	}
	f.workers = make([]worker, workers)
	for i := range f.workers {
		w := &f.workers[i]
		w.fleet, w.schedule = f, pace.New(pingInterval, f.random.Float64)
		w.schedule.Start(f.clock.now, false)
		w.schedule.Step(w.schedule.Due(), pace.AttemptDue)
		w.schedule.Step(f.clock.now, pace.MessageReceived)
		w.attach(f.replicas[f.random.IntN(replicas)])
		f.all = append(f.all, w)
	}
	f.random.Shuffle(workers, func(i, j int) { f.all[i], f.all[j] = f.all[j], f.all[i] })
	for _, r := range f.replicas {
		f.clock.after(time.Duration(f.random.Float64()*float64(time.Second)), func() { f.rebalance(r, r.life) })
	}
	return f
}

// Run lets time pass.
func (f *Fleet) Run(d time.Duration) { f.clock.runUntil(f.clock.since() + d) }

// Reset begins a new measurement.
func (f *Fleet) Reset() { f.since, f.result = f.clock.since(), Result{} }

// Result returns what was measured since Reset.
func (f *Fleet) Result() Result { return f.result }

// Streams returns how many streams each replica has.
func (f *Fleet) Streams() (streams []int) {
	for _, r := range f.replicas {
		streams = append(streams, len(r.workers))
	}
	return streams
}

// worker is one worker.
type worker struct {
	fleet    *Fleet
	schedule *pace.Schedule
	replica  *replica // that has its stream; nil if there is none
	plan     int      // counts plans: an older one is void
	attempt  int      // counts attempts
	moving   bool     // its stream was given up
	polling  bool
	polls    int // counts beginnings of polling
}

func (w *worker) attach(r *replica) {
	w.replica = r
	r.workers[w] = struct{}{}
}

func (w *worker) detach() {
	delete(w.replica.workers, w)
	w.replica = nil
}

// lost ends the worker's stream without a notice: it polls at once.
func (w *worker) lost() {
	w.fleet.result.Lost++
	w.moving = false
	w.detach()
	w.schedule.End(w.fleet.clock.now, pace.StreamLost, 0)
	w.planned()
	w.poll()
}

// ended ends the worker's stream as planned: it polls only if the next one fails.
func (w *worker) ended() {
	w.moving = true
	w.detach()
	w.schedule.End(w.fleet.clock.now, pace.StreamEnded, 0)
	w.planned()
}

// planned has the stream opened when the schedule says so.
func (w *worker) planned() {
	w.plan++
	plan := w.plan
	w.fleet.clock.at(later(w.schedule.Due(), w.fleet.clock.now), func() {
		if w.plan == plan {
			w.open()
		}
	})
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// open opens the stream at a replica.
func (w *worker) open() {
	f := w.fleet
	w.plan++
	w.attempt++
	attempt := w.attempt
	w.schedule.Step(f.clock.now, pace.AttemptDue)
	r := f.anyReplica()
	if r == nil {
		f.clock.after(refused, func() { w.failed(attempt) })
		return
	}
	life, done := r.life, r.serve(f.costs.Open)
	f.clock.at(done, func() {
		if r.life != life {
			w.failed(attempt)
			return
		}
		w.opened(r)
	})
	f.clock.after(firstMessage, func() {
		if w.attempt == attempt && w.replica == nil {
			w.poll()
		}
	})
}

// opened processes the first message.
func (w *worker) opened(r *replica) {
	f := w.fleet
	w.schedule.Step(f.clock.now, pace.MessageReceived)
	w.polling = false
	w.attach(r)
	if !w.moving {
		f.result.Back = append(f.result.Back, f.clock.since()-f.since)
	}
	w.moving = false
	for _, other := range f.replicas {
		if other.alive && other != r {
			other.work(f.costs.Announced)
		}
	}
}

// failed processes the end of an attempt without a message.
func (w *worker) failed(attempt int) {
	if w.attempt != attempt || w.replica != nil {
		return
	}
	w.schedule.End(w.fleet.clock.now, pace.StreamLost, 0)
	w.planned()
	w.poll()
}

// poll begins to poll, unless the worker does already.
func (w *worker) poll() {
	if !w.polling {
		w.polling = true
		w.polls++
		w.ping(w.polls)
	}
}

// ping asks a replica for work, and again after about the interval.
func (w *worker) ping(polls int) {
	f := w.fleet
	if !w.polling || w.polls != polls {
		return
	}
	event, done := pace.PingFailed, f.clock.now.Add(refused)
	if r := f.anyReplica(); r != nil {
		event, done = pace.PingSucceeded, r.serve(f.costs.Ping)
	}
	f.clock.at(done, func() {
		if w.replica == nil && w.schedule.Step(f.clock.now, event) {
			w.planned()
		}
		f.clock.after(pingInterval/2+time.Duration(f.random.Float64()*float64(pingInterval)), func() { w.ping(polls) })
	})
}
