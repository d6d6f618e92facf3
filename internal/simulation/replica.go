package simulation

import (
	"strconv"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
)

// slice is the time in which arrivals are counted.
const slice = 100 * time.Millisecond

// replica is one replica: a processor with a queue of requests, and streams.
type replica struct {
	fleet *Fleet
	id    string
	alive bool
	life  int // counts its starts: what was requested of a former one is lost
	// idleAt is when everything that was requested so far is done.
	idleAt  time.Time
	workers map[*worker]struct{}
	balance *schedule.Balance

	slice    int // the present one, since the begin
	arrivals int // in it
}

func (f *Fleet) addReplica(n int) {
	f.replicas = append(f.replicas, &replica{
		fleet: f, id: strconv.Itoa(n), alive: true, workers: map[*worker]struct{}{}, balance: schedule.NewBalance(),
	})
}

// serve returns when a request is done that needs CPU time: it waits for those before it.
func (r *replica) serve(cost time.Duration) time.Time {
	f := r.fleet
	if n := int(f.clock.since() / slice); n != r.slice {
		r.slice, r.arrivals = n, 0
	}
	r.arrivals++
	f.result.Busiest = max(f.result.Busiest, r.arrivals)
	r.work(cost)
	f.result.LongestWait = max(f.result.LongestWait, r.idleAt.Sub(f.clock.now))
	return r.idleAt
}

// work adds CPU time to what the replica has to do. The time for open streams and known
// workers is taken from its cores.
func (r *replica) work(cost time.Duration) {
	f := r.fleet
	idle := time.Duration(len(r.workers))*f.costs.Streaming + time.Duration(len(f.workers))*f.costs.Known
	cores := f.costs.Cores - idle.Seconds()
	if r.idleAt.Before(f.clock.now) {
		r.idleAt = f.clock.now
	}
	r.idleAt = r.idleAt.Add(time.Duration(float64(cost) / cores))
}

// Share returns the part of a replica's cores that it needs while nothing happens, with
// its share of the streams.
func (f *Fleet) Share() float64 {
	each := time.Duration(len(f.workers)/len(f.replicas))*f.costs.Streaming + time.Duration(len(f.workers))*f.costs.Known
	return each.Seconds() / f.costs.Cores
}

// Kill ends replicas without a notice: their streams end, and what was requested of them
// is lost.
func (f *Fleet) Kill(numbers ...int) {
	for _, n := range numbers {
		f.replicas[n].alive = false
		f.replicas[n].life++
	}
	for _, n := range numbers {
		for _, w := range f.all {
			if w.replica == f.replicas[n] {
				w.lost()
			}
		}
	}
}

// Start starts a replica again, without a stream.
func (f *Fleet) Start(n int) {
	r := f.replicas[n]
	r.alive, r.idleAt, r.balance = true, f.clock.now, schedule.NewBalance()
	f.clock.after(schedule.BalanceInterval, func() { f.rebalance(r, r.life) })
}

// rebalance announces the streams of a replica and ends some of them, as dispatch does.
func (f *Fleet) rebalance(r *replica, life int) {
	if !r.alive || r.life != life {
		return
	}
	for _, other := range f.replicas {
		if other != r && other.alive {
			other.balance.Announced(r.id, len(r.workers), f.clock.now)
		}
	}
	give := r.balance.Give(len(r.workers), f.clock.now)
	for _, w := range f.all {
		if give == 0 {
			break
		}
		if w.replica == r {
			give--
			f.result.Moved++
			w.ended()
		}
	}
	f.clock.after(schedule.BalanceInterval, func() { f.rebalance(r, life) })
}

// anyReplica returns a replica that is alive, as a load balancer chooses one; nil if there
// is none.
func (f *Fleet) anyReplica() *replica {
	alive := 0
	for _, r := range f.replicas {
		if r.alive {
			alive++
		}
	}
	if alive == 0 {
		return nil
	}
	chosen := f.random.IntN(alive)
	for _, r := range f.replicas {
		if !r.alive {
			continue
		}
		if chosen == 0 {
			return r
		}
		chosen--
	}
	return nil
}
