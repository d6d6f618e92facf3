package dispatch

import (
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// ended returns the error with which a feed has ended, or nil.
func (f *Feed) ended() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// TestStreamsMoveToAReplicaWithoutAny is about two replicas of which one has all streams, as
// after a restart. It ends some, never that of a worker with a job, and none once the
// other one has its share.
func TestStreamsMoveToAReplicaWithoutAny(t *testing.T) {
	one, two := twoPlants(t)
	feeds := map[string]*Feed{}
	for i := range 8 {
		id := one.register("w" + strconv.Itoa(i))
		feeds[id] = one.attached(id)
	}
	busy := map[string]bool{}
	for range 3 {
		id := one.submit(record.Job{})
		job := one.job(id)
		busy[job.WorkerID] = true
		one.startJob(one.accept(job.WorkerID, id))
	}
	count := func(p *plant) (streams int) {
		p.records.view(func(x *schedule.Index) { streams = x.Streams() })
		return streams
	}
	for range 40 {
		one.clock.move(schedule.BalanceInterval)
		must(t, two.sweeper.sweep(t.Context())) // it announces its streams
		until(t, "what it announced is known here", func() bool {
			for id := range feeds { // again, as a signal may be lost
				must(t, two.Heartbeat(t.Context(), id))
			}
			two.replicas.sendSigns()
			page, err := one.Workers(t.Context(), schedule.WorkerFilter{}, schedule.Page{})
			must(t, err)
			return !slices.ContainsFunc(page.Workers, func(w schedule.Worker) bool { return !w.LastSeenAt.Equal(one.clock.Now()) })
		})
		must(t, one.sweeper.sweep(t.Context()))
		for id, feed := range feeds {
			err := feed.ended()
			if err == nil {
				continue
			}
			if !errors.Is(err, ErrMoved) || busy[id] {
				t.Fatalf("the stream of %s (with a job: %t) ended: %v", id, busy[id], err)
			}
			feeds[id] = two.attached(id) // it opens at the other replica
			until(t, "its stream is known here", func() bool {
				page, err := one.Workers(t.Context(), schedule.WorkerFilter{}, schedule.Page{})
				must(t, err)
				return slices.ContainsFunc(page.Workers, func(w schedule.Worker) bool { return w.ID == id && w.Streaming })
			})
		}
	}
	if a, b := count(one), count(two); a+b != 8 || a < 3 || a > 6 || b < 2 {
		t.Errorf("%d and %d streams", a, b)
	}
	// A worker that has moved gets its jobs there.
	for _, p := range []*plant{one, two} {
		job := p.submit(record.Job{Queue: "default"})
		var worker string
		until(t, "the job is assigned", func() bool { worker = p.job(job).WorkerID; return worker != "" })
		p.wants(feeds[worker], wire.Instruction{Kind: wire.JobAssigned, JobID: job})
		busy[worker] = true
	}
}
